//! What deserves a look: pairs, hosts and warnings, each listed up to a limit.

use std::fmt::{self, Write};

use super::layout::{self, Column};
use super::one;
use crate::metrics::{self, Pair};
use crate::record::CellRecord;
use crate::run::Run;

/// How many pairs, hosts and warnings are shown; a large call may have thousands.
const SHOWN: usize = 20;

/// The cell that a line is about, in the columns that both tables begin with.
pub(super) fn of_cell(cell: &CellRecord) -> [String; 3] {
    [
        cell.participants.to_string(),
        cell.topology.clone(),
        cell.seed.to_string(),
    ]
}

/// The columns for [`of_cell`].
pub(super) fn cell_columns(run: &Run) -> [Column; 3] {
    [
        Column::figure("N"),
        Column::text("topology"),
        Column::figure("seed").only_if(!one(run, |cell| cell.seed)),
    ]
}

/// The pairs that were relayed or not connected; `None` if every pair is connected directly.
pub(super) fn pairs(run: &Run, cells: &[&CellRecord]) -> Option<String> {
    let rows: Vec<_> = cells
        .iter()
        .flat_map(|cell| {
            outcomes(&metrics::pairs(cell))
                .into_iter()
                .map(|(who, outcome)| {
                    let [n, topology, seed] = of_cell(cell);
                    [n, topology, seed, who, outcome.to_owned()]
                })
        })
        .collect();
    let [n, topology, seed] = cell_columns(run);
    let columns = [
        n,
        topology,
        seed,
        Column::text("pair"),
        Column::text("outcome"),
    ];
    listed(columns, rows, "pairs")
}

const RELAYED: &str = "via TURN";
const FAILED: &str = "not connected";

/// Who is relayed or not connected: pairs by name, or all of them in one line.
fn outcomes(pairs: &[Pair]) -> Vec<(String, &'static str)> {
    let is = |pair: &Pair| match pair {
        Pair {
            connected: false, ..
        } => Some(FAILED),
        Pair { relayed: true, .. } => Some(RELAYED),
        _ => None,
    };
    let all = |outcome| pairs.len() > 1 && pairs.iter().all(|pair| is(pair) == Some(outcome));
    if let Some(outcome) = [RELAYED, FAILED].into_iter().find(|outcome| all(outcome)) {
        return vec![(format!("all {} pairs", pairs.len()), outcome)];
    }
    let named = |pair: &Pair| Some((format!("{} - {}", pair.local, pair.remote), is(pair)?));
    pairs.iter().filter_map(named).collect()
}

/// The hosts whose CPU was too far behind to do all of their work; `None` if there are none.
pub(super) fn hosts(run: &Run, cells: &[&CellRecord]) -> Option<String> {
    let mut rows = Vec::new();
    for cell in cells {
        for host in &cell.hosts {
            for (work, count) in host.skipped.iter().filter(|(_, count)| **count > 0) {
                let [n, topology, seed] = of_cell(cell);
                let (host, device) = (host.name.clone(), host.device.clone());
                let left_out = format!("{count} x {work}");
                rows.push([n, topology, seed, host, device, left_out]);
            }
        }
    }
    let [n, topology, seed] = cell_columns(run);
    let columns = [
        n,
        topology,
        seed,
        Column::text("overloaded"),
        Column::text("device"),
        Column::figure("left out"),
    ];
    listed(columns, rows, "hosts")
}

/// The first of the rows and how many `things` more there are; `None` without any.
pub(super) fn listed<const N: usize>(
    columns: [Column; N],
    mut rows: Vec<[String; N]>,
    things: &str,
) -> Option<String> {
    if rows.is_empty() {
        return None;
    }
    let more = rows.len().saturating_sub(SHOWN);
    rows.truncate(SHOWN);
    let mut text = layout::table(columns, rows);
    if more > 0 {
        let _ = writeln!(text, "... and {more} more {things}, in run.json");
    }
    Some(text)
}

/// What the stack warned of; `None` if nothing. What a cell was warned of several times is one line.
pub(super) fn warnings(cells: &[&CellRecord]) -> Option<String> {
    let count: usize = cells.iter().map(|cell| cell.warnings.len()).sum();
    let of_cell = |cell: &&CellRecord| {
        let (topology, number, seed) = (&cell.topology, cell.participants, cell.seed);
        let line = move |warned: Warned| format!("  {topology} {number} seed {seed}: {warned}\n");
        Warned::all(&cell.warnings)
            .into_iter()
            .map(line)
            .collect::<Vec<_>>()
    };
    let all: Vec<String> = cells.iter().flat_map(of_cell).collect();
    let shown: String = all.iter().take(SHOWN).map(String::as_str).collect();
    let mut text = format!("warnings ({count}): these results need a look\n{shown}");
    if all.len() > SHOWN {
        let _ = writeln!(text, "  ... and {} more, in run.json", all.len() - SHOWN);
    }
    (count > 0).then_some(text)
}

/// A warning, and how often it came.
struct Warned<'a> {
    first: &'a str,
    last: &'a str,
    times: usize,
}

impl<'a> Warned<'a> {
    /// Each kind of warning in the order of its first one.
    fn all(warnings: &'a [String]) -> Vec<Self> {
        let mut kinds: Vec<Self> = Vec::new();
        for warning in warnings {
            let known = kinds
                .iter_mut()
                .find(|kind| split(kind.first).1 == split(warning).1);
            match known {
                Some(kind) => (kind.last, kind.times) = (warning, kind.times + 1),
                None => kinds.push(Warned {
                    first: warning,
                    last: warning,
                    times: 1,
                }),
            }
        }
        kinds
    }
}

impl fmt::Display for Warned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.first)?;
        match (self.times, split(self.last).0) {
            (1, _) => Ok(()),
            (times, None) => write!(f, " ({times} times)"),
            (times, Some(last)) => write!(f, " ({times} times, up to {last})"),
        }
    }
}

/// When it came, such as `1800.431432s`, and what it says.
fn split(warning: &str) -> (Option<&str>, &str) {
    let is_time = |word: &str| {
        let seconds = word.strip_suffix('s').map(str::parse::<f64>);
        seconds.is_some_and(|seconds| seconds.is_ok())
    };
    match warning.split_once(' ') {
        Some((time, what)) if is_time(time) => (Some(time), what),
        _ => (None, warning),
    }
}
