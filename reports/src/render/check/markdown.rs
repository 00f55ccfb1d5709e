//! For a pull request: what failed first, then the rest, cut to what services take.

use std::fmt::Write;

use super::{Findings, applied, count_kept, fields, text};
use crate::compare::{Change, Comparison, Direction};
use crate::gates::Verdict;
use crate::render::markdown::{escaped, row};

/// The longest text: GitHub refuses a comment of more than 65,536 characters, and no common service
/// takes less; bytes are no fewer than characters.
pub const MOST_BYTES: usize = 65_536;

/// Kept free for saying what was left out.
const RESERVE: usize = 200;

/// The text, at most [`MOST_BYTES`] long; what does not fit is counted.
pub fn render(findings: &Findings) -> String {
    let mut page = Page::default();
    let verdict = if findings.is_good() { "good" } else { "failed" };
    page.add(format!("## {}: {verdict}\n\n", escaped(&findings.scenario)));
    limits(&mut page, &findings.verdicts);
    if let Some(comparison) = &findings.comparison {
        changes(&mut page, comparison);
    }
    page.finish()
}

fn limits(page: &mut Page, verdicts: &[Verdict]) {
    let mut applied = applied(verdicts);
    if applied.is_empty() {
        return page.add("No limit applies.\n\n".to_owned());
    }
    let kept = count_kept(&applied);
    page.add(format!("{kept} of {} limits kept.\n\n", applied.len()));
    applied.sort_by_key(|verdict| verdict.outcome.is_good());
    page.table(
        &[
            "N",
            "topology",
            "group",
            "metric",
            "value (95 %)",
            "limit",
            "margin",
            "verdict",
        ],
        applied
            .into_iter()
            .map(|verdict| fields::limit(verdict).to_vec()),
    );
}

fn changes(page: &mut Page, comparison: &Comparison) {
    page.add(format!("{}.\n\n", text::summary(comparison)));
    for loss in &comparison.losses {
        let (topology, n) = (&loss.topology, loss.participants);
        page.add(format!(
            "- **lost**, {topology} of {n}: {}\n",
            escaped(&fields::loss(loss))
        ));
    }
    if !comparison.losses.is_empty() {
        page.add("\n".to_owned());
    }
    for direction in [Direction::Worse, Direction::Missing, Direction::Better] {
        let all: Vec<_> = comparison.all(direction).map(change_row).collect();
        if all.is_empty() {
            continue;
        }
        page.add(format!(
            "### {}\n\n",
            fields::direction(direction).to_lowercase()
        ));
        let headers = [
            "N",
            "topology",
            "group",
            "metric",
            "baseline",
            "now",
            "difference",
            "why",
        ];
        page.table(&headers, all.into_iter());
    }
}

fn change_row(change: &Change) -> Vec<String> {
    vec![
        change.participants.to_string(),
        change.topology.clone(),
        fields::group(change.group.as_deref()),
        change.metric.to_owned(),
        fields::estimate(change.baseline),
        fields::estimate(change.current),
        fields::difference(change),
        fields::evidence(change),
    ]
}

/// A text that stops growing before it is too long, and counts what did not fit.
#[derive(Default)]
struct Page {
    text: String,
    left_out: usize,
}

impl Page {
    /// Adds a piece as a whole, or counts it. After the first that did not fit, none does: a page
    /// with holes would pass for whole.
    fn add(&mut self, piece: String) {
        let fits = self.text.len() + piece.len() <= MOST_BYTES - RESERVE;
        match fits && self.left_out == 0 {
            true => self.text += &piece,
            false => self.left_out += 1,
        }
    }

    fn table(&mut self, headers: &[&str], rows: impl Iterator<Item = Vec<String>>) {
        let rule = row(headers.iter().map(|_| "---"));
        self.add(row(headers.iter().copied()) + &rule);
        for fields in rows {
            self.add(row(fields.iter().map(String::as_str)));
        }
        self.add("\n".to_owned());
    }

    fn finish(mut self) -> String {
        if self.left_out > 0 {
            let _ = writeln!(
                self.text,
                "\n**Cut here**: {} more lines do not fit into {MOST_BYTES} bytes. `rtclab check` \
                 with `--format table` or `json` has them all.",
                self.left_out
            );
        }
        self.text
    }
}
