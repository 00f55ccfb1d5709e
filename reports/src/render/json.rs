//! A run as one JSON document for other programs: rows of the tables and figures of the charts.

use serde::Serialize;

use super::chart::{Chart, DataRow};
use crate::metrics::SummaryRow;
use crate::recommend::{self, Decision};
use crate::run::Run;

/// The version of the form of this document.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    scenario: &'a str,
    replay: &'a str,
    /// As in `summary.csv`; missing figures are null.
    summary: Vec<SummaryRow>,
    /// Which topology to build, for each size.
    decisions: Vec<Decision>,
    charts: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    title: &'a str,
    sentence: &'a str,
    /// As in `charts.csv`.
    figures: &'a [DataRow],
}

impl<'a> Entry<'a> {
    fn of(chart: &'a Chart) -> Self {
        Entry {
            name: chart.name,
            title: &chart.title,
            sentence: &chart.sentence,
            figures: &chart.data,
        }
    }
}

/// The document, with these charts, which are those of [`all`](super::chart::all).
pub fn render(run: &Run, charts: &[Chart]) -> String {
    let document = Document {
        schema: SCHEMA_VERSION,
        scenario: &run.scenario.name,
        replay: &run.replay,
        summary: run.cells.iter().map(SummaryRow::of).collect(),
        decisions: recommend::all(run),
        charts: charts.iter().map(Entry::of).collect(),
    };
    let text = serde_json::to_string_pretty(&document).expect("rows have text keys only");
    text + "\n"
}
