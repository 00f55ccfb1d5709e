//! The files that are made of the records alone.

use std::path::{Path, PathBuf};

use super::staging::Staging;
use super::{RUN_FILE, StoreError, remove};
use crate::render::chart::{self, Chart};
use crate::render::{csv, html};
use crate::run::Run;

/// The directory that the charts are in.
const CHARTS: &str = "charts";

/// What a run can be rendered to in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `summary.csv`, `peers.csv`, `streams.csv`, `data.csv`, `timeline.csv` and `charts.csv`.
    Csv,
    /// `charts/*.svg`.
    Svg,
    /// `report.html`.
    Html,
}

impl Format {
    pub(super) const ALL: [Format; 3] = [Format::Csv, Format::Svg, Format::Html];
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
    let stale = match format {
        Format::Svg => stale_charts(dir, &charts),
        Format::Csv | Format::Html => Vec::new(),
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
    if format == Format::Svg && !charts.is_empty() {
        staging.add_directory(CHARTS)?;
    }
    let files = files(run, charts, format);
    for (name, text) in &files {
        staging.add(name, text)?;
    }
    Ok(files.into_iter().map(|(name, _)| name).collect())
}

fn files(run: &Run, charts: &[Chart], format: Format) -> Vec<(String, String)> {
    let cells = &run.cells;
    match format {
        Format::Csv => vec![
            ("summary.csv".to_owned(), csv::summary(cells)),
            ("peers.csv".to_owned(), csv::peers(cells)),
            ("streams.csv".to_owned(), csv::streams(cells)),
            ("data.csv".to_owned(), csv::data(cells)),
            ("timeline.csv".to_owned(), csv::timeline(cells)),
            ("charts.csv".to_owned(), csv::charts(charts)),
        ],
        Format::Svg => charts
            .iter()
            .map(|chart| (file(chart.name), chart.svg.clone()))
            .collect(),
        Format::Html => vec![("report.html".to_owned(), html::render(run, charts))],
    }
}

fn file(chart: &str) -> String {
    format!("{CHARTS}/{chart}.svg")
}

/// The charts in `dir` that are not among `charts`, if there is a run that they can be of.
pub(super) fn stale_charts(dir: &Path, charts: &[Chart]) -> Vec<PathBuf> {
    if !dir.join(RUN_FILE).is_file() {
        return Vec::new();
    }
    let absent = |name: &&str| charts.iter().all(|chart| chart.name != *name);
    let files = chart::NAMES
        .iter()
        .copied()
        .filter(|name| absent(name))
        .map(file);
    files
        .map(|file| dir.join(file))
        .filter(|path| path.is_file())
        .collect()
}
