//! The matrix on a terminal: a letter per role, a grid per group, and counts.

use std::fmt::Write;

use super::grid::{self, Grid};
use super::record::{Cell, Matrix, Outcome, Side};
use super::summary::Counts;

/// The text; `wall_s` is how long the run took, in seconds.
pub fn render(matrix: &Matrix, wall_s: f64) -> String {
    let mut text = heading(matrix);
    for grid in grid::all(matrix) {
        text += &block(&grid);
    }
    let counts = matrix.counts();
    let _ = writeln!(text, "\n{} in {wall_s:.1} s", sentence(&counts));
    text
}

/// What was run, and how to read the letters.
fn heading(matrix: &Matrix) -> String {
    format!(
        "NAT traversal of {}, seed {}, {} stack\n\
         a letter for each of the roles (A offers, B offers): d direct, r relay, F failed;\n\
         ! not as expected, ~ accepted\n",
        matrix.scenario, matrix.seed, matrix.stack
    )
}

/// The counts in words.
pub(super) fn sentence(counts: &Counts) -> String {
    let mut text = format!("{} cells:", counts.total());
    for outcome in Outcome::ALL {
        let _ = write!(text, " {} {},", counts.ended(outcome), outcome.name());
    }
    if counts.allowed > 0 {
        let _ = write!(text, " {} accepted deviations,", counts.allowed);
    }
    let _ = write!(text, " {} not as expected", counts.unexpected);
    text
}

fn block(grid: &Grid<'_>) -> String {
    let counts = Counts::of(grid.cells().iter().copied());
    let mut text = format!("\n{} - {}\n", grid.group.title(), sentence(&counts));
    let name = |side: &Option<&Side>| side.map_or("", |side| side.name.as_str()).to_owned();
    let columns = grid.shown_columns();
    let widths: Vec<usize> = columns.iter().map(|side| name(side).len().max(4)).collect();
    let margin = grid.rows.iter().map(|side| side.name.len()).max();
    let margin = margin.unwrap_or(0);
    if !grid.columns.is_empty() {
        let mut line = format!("{:margin$}", "");
        for (side, width) in columns.iter().zip(&widths) {
            let _ = write!(line, "  {:width$}", name(side));
        }
        text += line.trim_end();
        text.push('\n');
    }
    for row in &grid.rows {
        let mut line = format!("{:margin$}", row.name);
        for (side, width) in columns.iter().zip(&widths) {
            let _ = write!(line, "  {:width$}", letters(&grid.at(row, *side)));
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// A letter for each role, and a mark if one of them is not as expected.
pub(super) fn letters(cells: &[&Cell]) -> String {
    let letter = |cell: &&Cell| match cell.outcome {
        Outcome::Direct => 'd',
        Outcome::Relay => 'r',
        Outcome::Failed => 'F',
    };
    let mut text: String = cells.iter().map(letter).collect();
    if cells.iter().any(|cell| cell.is_unexpected()) {
        text.push('!');
    } else if cells.iter().any(|cell| cell.deviation.is_some()) {
        text.push('~');
    }
    text
}
