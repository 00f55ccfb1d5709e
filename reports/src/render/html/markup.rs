//! Pieces of a page, well-formed as XML too.

use std::fmt::Write;

use crate::render::chart::Chart;

/// Text between tags or in quotes. Control characters, which no page may have, become `U+FFFD`.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\n' | '\t' => escaped.push(character),
            '\u{FFFE}' | '\u{FFFF}' => escaped.push(char::REPLACEMENT_CHARACTER),
            _ if character.is_control() => escaped.push(char::REPLACEMENT_CHARACTER),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Text as it is, in one width.
pub(crate) fn pre(text: &str) -> String {
    format!("<pre>{}</pre>\n", escaped(text))
}

/// A table of figures.
pub(super) fn table(headers: &[&str], rows: &[Vec<String>]) -> String {
    let mut html = "<div class=\"wide\"><table>\n<thead>".to_owned();
    html += &row("th", headers.iter().copied());
    html += "</thead>\n<tbody>\n";
    html.extend(
        rows.iter()
            .map(|fields| row("td", fields.iter().map(String::as_str))),
    );
    html + "</tbody>\n</table></div>\n"
}

/// A table of names and what they stand for.
pub(crate) fn words(headers: [&str; 2], rows: impl Iterator<Item = [String; 2]>) -> String {
    let mut html = "<table class=\"words\">\n<thead>".to_owned();
    html += &row("th", headers.into_iter());
    html += "</thead>\n<tbody>\n";
    html.extend(rows.map(|fields| row("td", fields.iter().map(String::as_str))));
    html + "</tbody>\n</table>\n"
}

fn row<'a>(tag: &str, fields: impl Iterator<Item = &'a str>) -> String {
    let mut html = "<tr>".to_owned();
    for field in fields {
        let _ = write!(html, "<{tag}>{}</{tag}>", escaped(field));
    }
    html + "</tr>\n"
}

/// A chart with its sentence.
pub(super) fn figure(chart: &Chart) -> String {
    let sentence = escaped(&chart.sentence);
    format!(
        "<figure id=\"{}\">\n<div class=\"wide\">{}</div>\n<figcaption>{sentence}</figcaption>\n\
         </figure>\n",
        chart.name,
        chart.svg.trim_end()
    )
}
