//! `report.html`: a run as one page, with nothing beside it: no scripts, no network.
//!
//! A pure function of `run.json`, so that the page of a replay is the same to the byte; what the
//! machine was is in `provenance.json` alone.

mod markup;

use std::collections::BTreeMap;
use std::fmt::Write;

use super::chart::Chart;
use super::{decisions, text};
use crate::recommend;
use crate::record::CellRecord;
use crate::run::Run;
pub(crate) use markup::{escaped, pre, words};
use markup::{figure, table};

/// The page, with these charts, which are those of [`all`](super::chart::all).
pub fn render(run: &Run, charts: &[Chart]) -> String {
    let mut body = comparison(run);
    body += &recommendation(run);
    body += &receivers(run);
    body += &repair(run);
    body += &data(run);
    body += "<h2>Charts</h2>\n";
    body.extend(charts.iter().map(figure));
    if charts.is_empty() {
        body += "<p>There are no figures to draw.</p>\n";
    }
    body += &settings(run);
    body += &remarks(run);
    body += "<h2>Replay</h2>\n<p>Where the scenario's file is, the same program gives the same \
             figures again by</p>\n";
    body += &pre(&run.replay);
    body += &provenance(run);
    page(&run.scenario.name, text::heading(run).trim_end(), "", &body)
}

/// A page of this look, with what `style` adds to it around `body`, which is HTML.
pub(crate) fn page(title: &str, subtitle: &str, style: &str, body: &str) -> String {
    let (name, subtitle) = (escaped(title), escaped(subtitle));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{name} - rtclab</title>\n<style>\n{}{style}</style>\n</head>\n<body>\n<main>\n\
         <h1>{name}</h1>\n<p class=\"muted\">{subtitle}</p>\n{body}</main>\n</body>\n</html>\n",
        include_str!("style.css")
    )
}

fn comparison(run: &Run) -> String {
    let (headers, rows) = text::comparison(run, &text::in_order(run));
    let note = "A dash is a figure that does not exist, never zero. Rates are of the IP layer, in \
                the measured window. The table in full is in <code>summary.csv</code>, what the \
                charts show in <code>charts.csv</code>.";
    format!(
        "<h2>Comparison</h2>\n{}<p class=\"muted\">{note}</p>\n",
        table(&headers, &rows)
    )
}

/// What each group of receivers sees, if there are several.
fn receivers(run: &Run) -> String {
    let Some((headers, rows)) = text::receivers(run, &text::in_order(run)) else {
        return String::new();
    };
    let note = "By group of receivers, over the pictures that they were shown; the width is that at \
                which pictures were decoded. Each stream is in <code>streams.csv</code>.";
    format!(
        "<h2>What receivers see</h2>\n{}<p class=\"muted\">{note}</p>\n",
        table(&headers, &rows)
    )
}

/// What was lost and what was done about it, if there was anything.
fn repair(run: &Run) -> String {
    let Some((headers, rows)) = text::repair(run, &text::in_order(run)) else {
        return String::new();
    };
    let note = "Shares of the packets of media, on all hops: what the network dropped came again, was \
                rebuilt or is missing. The overhead is the bytes of what was sent for that, by the \
                bytes that encoders made. Each stream is in <code>streams.csv</code>.";
    format!(
        "<h2>Losses and repairs</h2>\n{}<p class=\"muted\">{note}</p>\n",
        table(&headers, &rows)
    )
}

/// The workloads over data channels, if there are any.
fn data(run: &Run) -> String {
    let Some((headers, rows)) = text::data(run, &text::in_order(run)) else {
        return String::new();
    };
    let note = "Over all pairs of sender and receiver; each of them is in <code>data.csv</code>. The \
                age is how old what receivers know is, mean over time.";
    format!(
        "<h2>Data channels</h2>\n{}<p class=\"muted\">{note}</p>\n",
        table(&headers, &rows)
    )
}

/// Which topology to build, for each size, if that is asked.
fn recommendation(run: &Run) -> String {
    if !decisions::is_asked(run) {
        return String::new();
    }
    let decisions = recommend::all(run);
    let rows: Vec<Vec<String>> = decisions::rows(run, &decisions)
        .into_iter()
        .map(Vec::from)
        .collect();
    let mut section = "<h2>Which topology to build</h2>\n".to_owned();
    if decisions.is_empty() {
        return section + "<p>Nothing was run.</p>\n";
    }
    section += "<ul>\n";
    for decision in &decisions {
        let sentence = escaped(&decisions::sentence(run, decision));
        let _ = writeln!(section, "<li>{sentence}</li>");
    }
    section += "</ul>\n";
    section += &table(&decisions::HEADERS, &rows);
    let note = escaped(decisions::note(&decisions));
    section
        + &format!(
            "<p class=\"muted\">Recommended {note}. Room is what is left to a bound, as a share of it.</p>\n"
        )
}

/// The settings of the stack, those that all cells share once.
fn settings(run: &Run) -> String {
    let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in run.cells.iter().flat_map(|cell| &cell.stack_settings) {
        let known = values.entry(name).or_default();
        if !known.contains(&value.as_str()) {
            known.push(value);
        }
    }
    let rows = values
        .into_iter()
        .map(|(name, values)| [name.to_owned(), values.join(" or ")]);
    format!("<h2>Stack</h2>\n{}", words(["setting", "value"], rows))
}

fn remarks(run: &Run) -> String {
    let remarks = text::remarks(run);
    let mut section = "<h2>What deserves a look</h2>\n".to_owned();
    if remarks.is_empty() {
        section += "<p>Nothing: every pair is connected directly, every host kept up, and the \
                    stack warned of nothing.</p>\n";
    }
    section.extend(remarks.iter().map(|text| pre(text.trim_end())));
    section
}

fn provenance(run: &Run) -> String {
    let scenario = &run.scenario;
    let facts = [
        ("scenario", scenario.name.clone()),
        ("SHA-256 of the scenario", scenario.hash.clone()),
        ("schema of run.json", run.schema.to_string()),
    ];
    let facts = facts.map(|(name, value)| [name.to_owned(), value]);
    let digest = |cell: &CellRecord| {
        let name = format!("{} {} seed {}", cell.topology, cell.participants, cell.seed);
        [name, cell.digest.clone()]
    };
    let mut section = "<h2>Provenance</h2>\n".to_owned();
    section += &words(["what", "value"], facts.into_iter());
    section += "<p>Equal digests are equal runs. Program, machine and time are in \
                <code>provenance.json</code>.</p>\n";
    section += &words(["cell", "digest"], run.cells.iter().map(digest));
    let _ = write!(
        section,
        "<details>\n<summary>The scenario</summary>\n{}</details>\n",
        pre(&scenario.text)
    );
    section
}
