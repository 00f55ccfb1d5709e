//! A run as readable text: what a person sees when it ends.

mod data;
mod exceptions;
mod flows;
mod interruptions;
pub(super) mod layout;
mod receivers;
mod repair;
mod summary;

use std::collections::BTreeSet;
use std::fmt::Write;

use super::decisions;
use crate::recommend;
use crate::record::CellRecord;
use crate::run::Run;
pub(super) use data::comparison as data;
pub(super) use receivers::comparison as receivers;
pub(super) use repair::comparison as repair;
pub(super) use summary::comparison;

/// The table of the cells, the topologies to build, what the groups of receivers see if there are
/// several, losses and repairs, data channels and shared links if there are any, what happenings did to streams, the pairs that were relayed or not connected, the
/// hosts that could not keep up, the warnings, and `replay`, the command that gives the run again
/// from where the reader is. Fits 120 columns in calls of up to
/// 100 participants, if not every figure of a row is extreme.
pub fn render(run: &Run, replay: &str) -> String {
    let cells = in_order(run);
    let mut sections = vec![heading(run), summary::table(run, &cells)];
    sections.extend(decisions::table(run, &recommend::all(run)));
    sections.extend(receivers::table(run, &cells));
    sections.extend(repair::table(run, &cells));
    sections.extend(data::table(run, &cells));
    sections.extend(flows::table(run, &cells));
    sections.extend(remarks(run));
    sections.push(format!("replay: {replay}\n"));
    sections.join("\n")
}

/// The cells by size, topologies beside each other, both in the order of the grid.
pub(super) fn in_order(run: &Run) -> Vec<&CellRecord> {
    let place = |cell: &&CellRecord| {
        let size = |number: &u32| *number == cell.participants;
        let topology = |name: &String| *name == cell.topology;
        let seed = |seed: &u64| *seed == cell.seed;
        let grid = &run.grid;
        (
            grid.participants.iter().position(size),
            grid.topologies.iter().position(topology),
            grid.seeds.iter().position(seed),
        )
    };
    let mut cells: Vec<_> = run.cells.iter().collect();
    cells.sort_by_key(place);
    cells
}

/// What deserves a look: what happenings did to streams, the pairs that were relayed or not
/// connected, the hosts that could not keep up, and the warnings; empty if nothing does.
pub(super) fn remarks(run: &Run) -> Vec<String> {
    let cells = in_order(run);
    let all = [
        interruptions::table(run, &cells),
        exceptions::pairs(run, &cells),
        exceptions::hosts(run, &cells),
        exceptions::warnings(&cells),
    ];
    all.into_iter().flatten().collect()
}

/// Which scenario this is, and what all of its cells have in common.
pub(super) fn heading(run: &Run) -> String {
    let common = |of: fn(&CellRecord) -> String| {
        let values: BTreeSet<String> = run.cells.iter().map(of).collect();
        Vec::from_iter(values).join(" and ")
    };
    let mut line = format!("{}: ", run.scenario.name);
    if one(run, |cell| cell.seed) {
        let _ = write!(line, "seed {}, ", common(|cell| cell.seed.to_string()));
    }
    let window = common(|cell| format!("{}", (cell.window_to_ms - cell.window_from_ms) / 1_000.0));
    let fidelity = common(|cell| cell.fidelity.clone());
    let cpu = common(|cell| match &cell.cost_profile {
        Some(profile) => format!("CPU modelled ({profile})"),
        None => "CPU free".to_owned(),
    });
    let stack = common(|cell| cell.stack.clone());
    let _ = writeln!(
        line,
        "{window} s measured, fidelity {fidelity}, {cpu}, {stack} stack"
    );
    line
}

/// Whether all cells have the same value.
fn one<'a, T: PartialEq>(run: &'a Run, of: impl Fn(&'a CellRecord) -> T) -> bool {
    run.cells.windows(2).all(|two| of(&two[0]) == of(&two[1]))
}

#[cfg(test)]
mod tests;
