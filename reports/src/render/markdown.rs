//! A run as Markdown, for a pull request or a design document: the comparison and the sentences.

use std::fmt::Write;

use super::chart::Chart;
use super::{decisions, text};
use crate::recommend;
use crate::run::Run;

/// The text, with these charts, which are those of [`all`](super::chart::all).
pub fn render(run: &Run, charts: &[Chart]) -> String {
    let mut text = format!("## {}\n\n", escaped(&run.scenario.name));
    let _ = writeln!(text, "{}\n", escaped(text::heading(run).trim_end()));
    let (headers, rows) = text::comparison(run, &text::in_order(run));
    text += &table(&headers, &rows);
    text += &recommendation(run);
    text.push('\n');
    if let Some((headers, rows)) = text::receivers(run, &text::in_order(run)) {
        text += &format!("### What receivers see\n\n{}\n", table(&headers, &rows));
    }
    if let Some((headers, rows)) = text::repair(run, &text::in_order(run)) {
        text += &format!("### Losses and repairs\n\n{}\n", table(&headers, &rows));
    }
    if let Some((headers, rows)) = text::data(run, &text::in_order(run)) {
        text += &table(&headers, &rows);
        text.push('\n');
    }
    for chart in charts {
        let (title, sentence) = (escaped(&chart.title), escaped(&chart.sentence));
        let _ = writeln!(text, "- **{title}.** {sentence}");
    }
    for remark in text::remarks(run) {
        let _ = write!(text, "\n{}", fenced(remark.trim_end()));
    }
    let _ = write!(text, "\nReplay:\n\n{}", fenced(&run.replay));
    text
}

fn table(headers: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = row(headers.iter().copied());
    text += &row(headers.iter().map(|_| "---:"));
    text.extend(
        rows.iter()
            .map(|fields| row(fields.iter().map(String::as_str))),
    );
    text
}

/// Which topology to build, for each size, if that is asked.
fn recommendation(run: &Run) -> String {
    if !decisions::is_asked(run) {
        return String::new();
    }
    let decisions = recommend::all(run);
    let mut text = "\n### Which topology to build\n\n".to_owned();
    text += &row(decisions::HEADERS.into_iter());
    text += &row(decisions::HEADERS.iter().map(|_| "---"));
    let rows = decisions::rows(run, &decisions);
    text.extend(
        rows.iter()
            .map(|fields| row(fields.iter().map(String::as_str))),
    );
    text.push('\n');
    for decision in &decisions {
        let _ = writeln!(text, "- {}", escaped(&decisions::sentence(run, decision)));
    }
    let _ = writeln!(text, "\nRecommended {}.", decisions::note(&decisions));
    text
}

/// A row of a table.
pub(super) fn row<'a>(fields: impl Iterator<Item = &'a str>) -> String {
    let fields: Vec<String> = fields.map(escaped).collect();
    format!("| {} |\n", fields.join(" | "))
}

/// Text that means itself, in one line.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' => escaped.push(' '),
            '|' | '*' | '_' | '`' | '<' | '>' | '[' | ']' | '\\' => {
                escaped.push('\\');
                escaped.push(character);
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

/// A block of code whose fence is longer than any within.
pub(crate) fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{text}\n{fence}\n")
}
