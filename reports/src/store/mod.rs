//! A run's directory: written whole or not at all, and read back.
//!
//! | file | what it holds |
//! |---|---|
//! | `run.json` | [`Run`]: everything that was recorded, with the scenario and the replay command |
//! | `summary.csv`, `peers.csv`, `streams.csv`, `data.csv`, `timeline.csv`, `flows.csv` | tables of it |
//! | `report.html`, `charts/*.svg`, `charts.csv` | a page, its charts, and the figures that they show |
//! | `junit.xml` | the limits of the scenario, judged, if it has any |
//! | `measured.csv` | what the machine spent on it |
//! | `provenance.json` | [`Provenance`]: who ran what, where and when |
//! | `charts/*.png` | the charts again, on request |
//! | `decisions.csv` | which topology to build, and every limit that says so |
//! | `capture-*.pcapng` | packets, on request |
//! | `picture-*.png` | what participants saw last, on request |
//!
//! `measured.csv` and `provenance.json` alone may differ between two runs of one seed.

mod error;
mod rendered;
mod staging;

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::error::Category;

use crate::gates;
use crate::record::{Measured, OLDEST_SCHEMA, SCHEMA_VERSION};
use crate::render::check::{self, Findings};
use crate::render::{chart, csv};
use crate::run::{Provenance, Run};
pub use error::StoreError;
pub use rendered::{Format, render};
pub(crate) use staging::Staging;

/// The name of the file that holds the records.
const RUN_FILE: &str = "run.json";

/// The name of the file that says for CI services which limits are kept.
const GATES_FILE: &str = "junit.xml";

/// Everything that a run leaves behind.
#[derive(Clone, Copy, Debug)]
pub struct Output<'a> {
    /// What was recorded.
    pub run: &'a Run,
    /// What each cell of the run cost, in the order of its cells.
    pub measured: &'a [Measured],
    /// Where the run came from.
    pub provenance: &'a Provenance,
    /// Packet captures, if asked for.
    pub captures: &'a [Capture],
}

/// The packets of one cell.
#[derive(Clone, Debug)]
pub struct Capture {
    /// The file's name, such as `capture-mesh-4-7.pcapng`.
    pub file_name: String,
    /// The file's content.
    pub bytes: Vec<u8>,
}

/// Writes a run into `dir`, creating it if need be and replacing the files of a run before it.
///
/// Every file is complete before any appears under its name, `run.json` last. Captures and
/// charts of the run before are removed, unless this run has one of that name: they would pass for
/// its own.
///
/// # Errors
///
/// When something in the way is not a directory, or cannot be written. Then no file and no
/// directory of this run is left behind. Only if something stale cannot be removed, the run is
/// there, complete.
pub fn write(dir: &Path, output: &Output) -> Result<(), StoreError> {
    let cells = &output.run.cells;
    let mut staging = Staging::open(dir)?;
    let charts = chart::all(output.run);
    for format in Format::ALWAYS {
        rendered::add(&mut staging, output.run, &charts, format)?;
    }
    staging.add("measured.csv", csv::measured(cells, output.measured))?;
    staging.add("provenance.json", json(output.provenance))?;
    for capture in output.captures {
        staging.add(&capture.file_name, &capture.bytes)?;
    }
    if let Some(gates) = gates(output.run)? {
        staging.add(GATES_FILE, gates)?;
    }
    staging.add(RUN_FILE, json(&Sealed::of(output.run)))?;
    let mut stale = stale_captures(dir, output.captures);
    stale.extend(rendered::stale_charts(dir, &charts, "svg"));
    // Pictures of charts are made on request: those that are there are of the run before.
    stale.extend(rendered::stale_charts(dir, &[], "png"));
    stale.extend(stale_gates(dir, output.run));
    staging.commit()?;
    remove(stale)
}

/// The limits of a run, judged, as JUnit; `None` of a run without limits.
fn gates(run: &Run) -> Result<Option<String>, StoreError> {
    let verdicts = gates::judge(run)?;
    let findings = Findings {
        scenario: run.scenario.name.clone(),
        verdicts,
        comparison: None,
    };
    Ok((!run.limits.is_empty()).then(|| check::junit(&findings)))
}

/// The gates of the run before, if this one has none.
fn stale_gates(dir: &Path, run: &Run) -> Option<PathBuf> {
    let path = dir.join(GATES_FILE);
    (run.limits.is_empty() && dir.join(RUN_FILE).is_file() && path.is_file()).then_some(path)
}

fn remove(stale: Vec<PathBuf>) -> Result<(), StoreError> {
    for path in stale {
        fs::remove_file(&path).map_err(|source| StoreError::Write { path, source })?;
    }
    Ok(())
}

/// The captures in `dir` that are not among `captures`, if there is a run that they can be of.
fn stale_captures(dir: &Path, captures: &[Capture]) -> Vec<PathBuf> {
    let entries = match dir.join(RUN_FILE).is_file() {
        true => fs::read_dir(dir).into_iter().flatten(),
        false => return Vec::new(),
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let is = |name: &String, begin, end| name.starts_with(begin) && name.ends_with(end);
    let is_capture =
        |name: &String| is(name, "capture-", ".pcapng") || is(name, "picture-", ".png");
    names
        .filter(is_capture)
        .filter(|name| captures.iter().all(|capture| capture.file_name != *name))
        .map(|name| dir.join(name))
        .collect()
}

/// Finds out whether [`write`] could write into `dir`, so that a long run need not end to tell.
/// Leaves nothing behind.
///
/// # Errors
///
/// As [`write`].
pub fn check_writable(dir: &Path) -> Result<(), StoreError> {
    Staging::open(dir)?.add(RUN_FILE, "")
}

/// Reads a run back from `dir`.
///
/// # Errors
///
/// When there is no `run.json`, or it is cut short, not from this program, of another schema, or
/// was edited after it was written.
pub fn read(dir: &Path) -> Result<Run, StoreError> {
    let path = dir.join(RUN_FILE);
    let bytes = fs::read(&path).map_err(|source| StoreError::Read {
        path: path.clone(),
        source,
    })?;
    let wrong = |source: serde_json::Error| match source.classify() {
        Category::Eof => StoreError::Truncated { path: path.clone() },
        _ => StoreError::Foreign {
            path: path.clone(),
            source,
        },
    };
    let Header { schema, sha256 } = serde_json::from_slice(&bytes).map_err(wrong)?;
    if !(OLDEST_SCHEMA..=SCHEMA_VERSION).contains(&schema) {
        return Err(StoreError::Schema {
            path,
            found: schema,
        });
    }
    let run: Run = serde_json::from_slice(&bytes).map_err(wrong)?;
    match sha256 {
        // Schema 2 had no digest.
        None if schema < 3 => Ok(run),
        Some(digest) if digest == run.digest() => Ok(run),
        _ => Err(StoreError::Edited { path }),
    }
}

/// The part of `run.json` that every schema has, and what seals the rest.
#[derive(Deserialize)]
struct Header {
    schema: u32,
    sha256: Option<String>,
}

/// A run with the digest of its content.
#[derive(Serialize)]
struct Sealed<'a> {
    #[serde(flatten)]
    run: &'a Run,
    sha256: String,
}

impl<'a> Sealed<'a> {
    fn of(run: &'a Run) -> Self {
        let sha256 = run.digest();
        Sealed { run, sha256 }
    }
}

fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).expect("records have text keys only");
    text + "\n"
}

#[cfg(test)]
mod tests;
