//! The matrix as Markdown, for a pull request.

use std::fmt::Write;

use super::record::{Matrix, Outcome};
use super::summary::Counts;
use super::table;
use crate::render::markdown::{escaped, fenced};

/// Regressions first, then the counts of each group.
pub fn render(matrix: &Matrix) -> String {
    let counts = matrix.counts();
    let verdict = match counts.unexpected {
        0 => "as expected",
        _ => "not as expected",
    };
    let mut text = format!(
        "## NAT traversal of {}: {verdict}\n\n{}, {} stack, seed {}.\n\n",
        escaped(&matrix.scenario),
        table::sentence(&counts),
        matrix.stack,
        matrix.seed
    );
    if let Some(regression) = matrix.regression() {
        text += &fenced(&regression);
        text.push('\n');
    }
    text += "| cells | direct | relay | failed | accepted | not as expected |\n\
             | --- | ---: | ---: | ---: | ---: | ---: |\n";
    for (group, cells) in matrix.groups() {
        text += &row(&group.title(), &Counts::of(cells));
    }
    let _ = write!(text, "\nReplay:\n\n{}", fenced(&matrix.replay));
    text
}

fn row(title: &str, counts: &Counts) -> String {
    let outcomes = Outcome::ALL.map(|outcome| counts.ended(outcome).to_string());
    format!(
        "| {} | {} | {} | {} |\n",
        escaped(title),
        outcomes.join(" | "),
        counts.allowed,
        counts.unexpected
    )
}
