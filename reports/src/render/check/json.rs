//! For other programs. Its JSON Schema is `schema/check-1.schema.json`.

use serde::Serialize;

use super::Findings;
use crate::compare::Comparison;
use crate::gates::Verdict;

/// The version of the form of this document.
const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Document<'a> {
    /// Version of this schema.
    schema: u32,
    /// The scenario's name.
    scenario: &'a str,
    /// Whether every gate holds.
    good: bool,
    /// What became of the limits.
    verdicts: &'a [Verdict],
    /// What became of the run since its baseline; null without one.
    comparison: Option<&'a Comparison>,
}

/// The document.
pub fn render(findings: &Findings) -> String {
    let document = Document {
        schema: SCHEMA_VERSION,
        scenario: &findings.scenario,
        good: findings.is_good(),
        verdicts: &findings.verdicts,
        comparison: findings.comparison.as_ref(),
    };
    let text = serde_json::to_string_pretty(&document).expect("text keys and finite floats");
    text + "\n"
}
