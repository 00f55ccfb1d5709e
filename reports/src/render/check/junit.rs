//! For CI services: a suite of limits, and a suite of what was compared.

use super::{Findings, fields};
use crate::compare::{Change, Comparison, Direction};
use crate::gates::{Outcome, Verdict};
use crate::render::junit::{self, Case, Suite, Verdict as Result};

/// The document.
pub fn render(findings: &Findings) -> String {
    let scenario = &findings.scenario;
    let mut suites = vec![Suite {
        name: format!("{scenario}: limits"),
        cases: findings.verdicts.iter().map(limit).collect(),
    }];
    suites.extend(findings.comparison.as_ref().map(|comparison| Suite {
        name: format!("{scenario}: baseline"),
        cases: compared(comparison),
    }));
    junit::render(scenario, &suites)
}

fn place(topology: &str, participants: u32, group: Option<&str>) -> String {
    match group {
        Some(group) => format!("{topology}.{participants}.{group}"),
        None => format!("{topology}.{participants}"),
    }
}

fn limit(verdict: &Verdict) -> Case {
    let said = format!(
        "{} {}, limit {}, margin {}",
        fields::estimate(verdict.estimate),
        verdict.unit,
        fields::bounds(verdict),
        fields::margin(verdict)
    );
    Case {
        class: place(
            &verdict.topology,
            verdict.participants,
            verdict.group.as_deref(),
        ),
        name: format!("{} {}", verdict.metric, fields::bounds(verdict)),
        verdict: match verdict.outcome {
            Outcome::Pass => Result::Passed,
            Outcome::Fail => Result::Failed(said),
            Outcome::Missing => Result::Failed("there is no figure".to_owned()),
            Outcome::NotApplicable => Result::Skipped("does not apply".to_owned()),
        },
    }
}

fn compared(comparison: &Comparison) -> Vec<Case> {
    let changes = comparison.changes.iter().map(change);
    let losses = comparison.losses.iter().map(|loss| Case {
        class: place(&loss.topology, loss.participants, None),
        name: fields::loss(loss),
        verdict: Result::Failed("the baseline has it".to_owned()),
    });
    changes.chain(losses).collect()
}

fn change(change: &Change) -> Case {
    let said = format!(
        "{} {} in the baseline, {} now: {}, {}",
        fields::estimate(change.baseline),
        change.unit,
        fields::estimate(change.current),
        fields::difference(change),
        fields::evidence(change)
    );
    Case {
        class: place(
            &change.topology,
            change.participants,
            change.group.as_deref(),
        ),
        name: change.metric.to_owned(),
        verdict: match change.direction {
            Direction::Worse | Direction::Missing => Result::Failed(said),
            Direction::New => Result::Skipped("the baseline has no such figure".to_owned()),
            Direction::Better | Direction::Same | Direction::Noise => Result::Passed,
        },
    }
}
