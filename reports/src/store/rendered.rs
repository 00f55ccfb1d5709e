//! The files that are made of the records alone.

use std::path::{Path, PathBuf};

use super::staging::Staging;
use super::{RUN_FILE, StoreError, remove};
use crate::recommend;
use crate::render::chart::{self, Chart};
use crate::render::{csv, html};
use crate::run::Run;

/// The directory that the charts are in.
const CHARTS: &str = "charts";

/// What a run can be rendered to in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `summary.csv`, `peers.csv`, `streams.csv`, `data.csv`, `timeline.csv`, `flows.csv`,
    /// `charts.csv` and `decisions.csv`.
    Csv,
    /// `charts/*.svg`.
    Svg,
    /// `charts/*.png`.
    Png,
    /// `report.html`.
    Html,
}

impl Format {
    /// What every run leaves behind; PNG only on request.
    pub(super) const ALWAYS: [Format; 3] = [Format::Csv, Format::Svg, Format::Html];

    /// The ending of this format's charts, if charts are its files.
    const fn ending(self) -> Option<&'static str> {
        match self {
            Format::Svg => Some("svg"),
            Format::Png => Some("png"),
            Format::Csv | Format::Html => None,
        }
    }
}

/// Renders `run` into `dir`, creating it if need be and replacing the files of this format.
///
/// Gives the names of the files, as paths from `dir`. Charts that `run` does not have are removed
/// from the directory of a run.
///
/// # Errors
///
/// When something in the way is not a directory, or cannot be written. Then nothing of it is left
/// behind.
pub fn render(dir: &Path, run: &Run, format: Format) -> Result<Vec<String>, StoreError> {
    let charts = chart::all(run);
    let mut staging = Staging::open(dir)?;
    let names = add(&mut staging, run, &charts, format)?;
    let stale = match format.ending() {
        Some(ending) => stale_charts(dir, &charts, ending),
        None => Vec::new(),
    };
    staging.commit()?;
    remove(stale)?;
    Ok(names)
}

/// Adds the files of one format, and gives their names.
pub(super) fn add(
    staging: &mut Staging,
    run: &Run,
    charts: &[Chart],
    format: Format,
) -> Result<Vec<String>, StoreError> {
    if format.ending().is_some() && !charts.is_empty() {
        staging.add_directory(CHARTS)?;
    }
    let files = files(run, charts, format);
    for (name, bytes) in &files {
        staging.add(name, bytes)?;
    }
    Ok(files.into_iter().map(|(name, _)| name).collect())
}

fn files(run: &Run, charts: &[Chart], format: Format) -> Vec<(String, Vec<u8>)> {
    let cells = &run.cells;
    let text = |name: &str, text: String| (name.to_owned(), text.into_bytes());
    match format {
        Format::Csv => vec![
            text("summary.csv", csv::summary(cells)),
            text("peers.csv", csv::peers(cells)),
            text("streams.csv", csv::streams(cells)),
            text("data.csv", csv::data(cells)),
            text("timeline.csv", csv::timeline(cells)),
            text("flows.csv", csv::flows(cells)),
            text("charts.csv", csv::charts(charts)),
            text("decisions.csv", csv::decisions(&recommend::all(run))),
        ],
        Format::Svg => charts
            .iter()
            .map(|chart| text(&file(chart.name, "svg"), chart.svg.clone()))
            .collect(),
        Format::Png => charts
            .iter()
            .map(|chart| (file(chart.name, "png"), chart.png()))
            .collect(),
        Format::Html => vec![text("report.html", html::render(run, charts))],
    }
}

fn file(chart: &str, ending: &str) -> String {
    format!("{CHARTS}/{chart}.{ending}")
}

/// The charts in `dir` of this ending that are not among `charts`, if there is a run that they can
/// be of.
pub(super) fn stale_charts(dir: &Path, charts: &[Chart], ending: &str) -> Vec<PathBuf> {
    if !dir.join(RUN_FILE).is_file() {
        return Vec::new();
    }
    let absent = |name: &&str| charts.iter().all(|chart| chart.name != *name);
    let files = chart::NAMES
        .iter()
        .copied()
        .filter(|name| absent(name))
        .map(|name| file(name, ending));
    files
        .map(|file| dir.join(file))
        .filter(|path| path.is_file())
        .collect()
}
