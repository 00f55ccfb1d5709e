//! What `rtclab check` says, in four forms, of one value.

mod fields;
mod json;
mod junit;
mod markdown;
mod text;

pub use json::render as json;
pub use junit::render as junit;
pub use markdown::{MOST_BYTES, render as markdown};
pub use text::{broken, render as text};

use crate::compare::Comparison;
use crate::gates::{Outcome, Verdict};

/// What there is to say about a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Findings {
    /// The scenario's name.
    pub scenario: String,
    /// What became of its limits.
    pub verdicts: Vec<Verdict>,
    /// What became of it since its baseline, if there is one.
    pub comparison: Option<Comparison>,
}

impl Findings {
    /// Whether every gate holds.
    pub fn is_good(&self) -> bool {
        let limits = self
            .verdicts
            .iter()
            .all(|verdict| verdict.outcome.is_good());
        limits && self.comparison.as_ref().is_none_or(Comparison::is_good)
    }
}

/// The limits that apply.
fn applied(verdicts: &[Verdict]) -> Vec<&Verdict> {
    let applies = |verdict: &&Verdict| verdict.outcome != Outcome::NotApplicable;
    verdicts.iter().filter(applies).collect()
}

/// How many of these are kept.
fn count_kept(applied: &[&Verdict]) -> usize {
    let is_kept = |verdict: &&&Verdict| verdict.outcome.is_good();
    applied.iter().filter(is_kept).count()
}

#[cfg(test)]
pub(crate) use json::Document;
#[cfg(test)]
pub(crate) mod tests;
