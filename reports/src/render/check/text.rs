//! For a terminal.

use std::fmt::Write;

use super::{Findings, applied, count_kept, fields};
use crate::compare::{Change, Comparison, Direction};
use crate::gates::{Outcome, Verdict};
use crate::render::text::layout::{Column, table};

/// Every limit with its verdict, every change that counts, and one line for all.
pub fn render(findings: &Findings) -> String {
    let mut text = verdicts(&findings.verdicts);
    if let Some(comparison) = &findings.comparison {
        let _ = write!(text, "\n{}", changes(comparison));
    }
    let verdict = if findings.is_good() { "good" } else { "FAILED" };
    let _ = writeln!(text, "\n{}: {verdict}", findings.scenario);
    text
}

/// The limits of a run, those that apply; how many are kept.
pub fn verdicts(verdicts: &[Verdict]) -> String {
    listed(verdicts, |verdict| {
        verdict.outcome != Outcome::NotApplicable
    })
}

/// The limits that are not kept, and how many are.
pub fn broken(verdicts: &[Verdict]) -> String {
    listed(verdicts, |verdict| !verdict.outcome.is_good())
}

fn listed(verdicts: &[Verdict], is_shown: impl Fn(&Verdict) -> bool) -> String {
    let rows = verdicts.iter().filter(|verdict| is_shown(verdict));
    let rows: Vec<_> = rows.map(fields::limit).collect();
    let columns = [
        Column::figure("N"),
        Column::text("topology"),
        Column::text("group"),
        Column::text("metric"),
        Column::figure("value (95 %)"),
        Column::figure("limit"),
        Column::figure("margin"),
        Column::text("verdict"),
    ];
    match rows.is_empty() {
        true => kept(verdicts),
        false => table(columns, rows) + "\n" + &kept(verdicts),
    }
}

/// How many of the limits that apply are kept, in a line.
fn kept(verdicts: &[Verdict]) -> String {
    match applied(verdicts).as_slice() {
        [] => "limits: none apply\n".to_owned(),
        all => format!("limits: {} of {} kept\n", count_kept(all), all.len()),
    }
}

fn changes(comparison: &Comparison) -> String {
    let shown = [
        Direction::Worse,
        Direction::Missing,
        Direction::Better,
        Direction::New,
        Direction::Noise,
    ];
    let rows: Vec<_> = shown
        .into_iter()
        .flat_map(|direction| comparison.all(direction))
        .map(change_row)
        .collect();
    let columns = [
        Column::figure("N"),
        Column::text("topology"),
        Column::text("group"),
        Column::text("metric"),
        Column::figure("baseline"),
        Column::figure("now"),
        Column::figure("difference"),
        Column::text("evidence"),
        Column::text("verdict"),
    ];
    let mut text = String::new();
    if !rows.is_empty() {
        text += &table(columns, rows);
        text.push('\n');
    }
    for loss in &comparison.losses {
        let (topology, n) = (&loss.topology, loss.participants);
        let _ = writeln!(text, "LOST  {topology} of {n}: {}", fields::loss(loss));
    }
    text + &summary(comparison) + "\n"
}

/// How many figures went which way.
pub(super) fn summary(comparison: &Comparison) -> String {
    let count = |direction| comparison.all(direction).count();
    format!(
        "baseline: {} compared, {} worse, {} better, {} within noise, {} missing; {} lost",
        fields::counted(comparison.changes.len(), "figure"),
        count(Direction::Worse),
        count(Direction::Better),
        count(Direction::Noise),
        count(Direction::Missing),
        comparison.losses.len(),
    )
}

fn change_row(change: &Change) -> [String; 9] {
    let value = |estimate: Option<crate::stats::Estimate>| {
        estimate.map_or_else(|| "-".to_owned(), |estimate| fields::short(estimate.value))
    };
    [
        change.participants.to_string(),
        change.topology.clone(),
        fields::group(change.group.as_deref()),
        change.metric.to_owned(),
        value(change.baseline),
        value(change.current),
        fields::difference(change),
        fields::evidence(change),
        fields::direction(change.direction).to_owned(),
    ]
}
