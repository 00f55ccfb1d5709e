//! `nat.html`: the matrix as heat maps on one page, with nothing beside it.

use std::fmt::Write;

use super::grid::{self, Grid};
use super::record::{Cell, Matrix, Side};
use super::summary::Counts;
use super::table::{letters, sentence};
use crate::render::html::{escaped, page, pre, words};

/// Colours that differ in lightness, too, with dark text on them.
const STYLE: &str = "\
.map td { text-align: center; color: #111; border: 1px solid var(--line); }
.map th { text-align: left; }
.direct { background: #bfe3c6; } .relay { background: #f2d98d; } .failed { background: #e58a7b; }
.mixed { background: #d0d0d0; }
.map td.unexpected { outline: 3px solid #c00; outline-offset: -3px; font-weight: 700; }
";

/// The page: a pure function of the records.
pub fn render(matrix: &Matrix) -> String {
    let counts = matrix.counts();
    let subtitle = format!(
        "{}; seed {}, {} stack",
        sentence(&counts),
        matrix.seed,
        matrix.stack
    );
    let mut body = String::new();
    match matrix.regression() {
        Some(regression) => {
            body += "<h2>Regressions</h2>\n";
            body += &pre(&regression);
        }
        None => body += "<p>Every cell is as expected or accepted.</p>\n",
    }
    body += "<p>Rows are what the first participant is behind, columns what the second is; a letter \
             for each role, of who offers: d direct, r relay, F failed. A cell says more under the \
             pointer.</p>\n";
    body.extend(grid::all(matrix).iter().map(section));
    body += &deviations(matrix);
    body += "<h2>Settings</h2>\n";
    let settings = matrix.settings.iter();
    let settings = settings.map(|(name, value)| [name.clone(), value.clone()]);
    body += &words(["setting", "value"], settings);
    body += "<h2>Replay</h2>\n";
    body += &pre(&matrix.replay);
    let title = format!("NAT traversal of {}", matrix.scenario);
    page(&title, &subtitle, STYLE, &body)
}

fn section(grid: &Grid<'_>) -> String {
    let counts = Counts::of(grid.cells().iter().copied());
    let mut html = format!(
        "<h2>{}</h2>\n<p class=\"muted\">{}</p>\n<div class=\"wide\"><table class=\"map\">\n",
        escaped(&grid.group.title()),
        sentence(&counts)
    );
    let columns = grid.shown_columns();
    if !grid.columns.is_empty() {
        html += "<thead><tr><th></th>";
        for side in &grid.columns {
            let _ = write!(html, "<th>{}</th>", escaped(&side.name));
        }
        html += "</tr></thead>\n";
    }
    html += "<tbody>\n";
    for row in &grid.rows {
        let _ = write!(html, "<tr><th>{}</th>", escaped(&row.name));
        html.extend(columns.iter().map(|side| field(grid, row, *side)));
        html += "</tr>\n";
    }
    html + "</tbody>\n</table></div>\n"
}

fn field(grid: &Grid<'_>, row: &Side, column: Option<&Side>) -> String {
    let cells = grid.at(row, column);
    let Some(first) = cells.first() else {
        return "<td></td>".to_owned();
    };
    let alike = cells.iter().all(|cell| cell.outcome == first.outcome);
    let mut class = if alike { first.outcome.name() } else { "mixed" }.to_owned();
    if cells.iter().any(|cell| cell.is_unexpected()) {
        class += " unexpected";
    }
    let details: Vec<String> = cells.iter().map(|cell| detail(cell)).collect();
    format!(
        "<td class=\"{class}\" title=\"{}\">{}</td>",
        escaped(&details.join("\n")),
        letters(&cells)
    )
}

/// What there is to tell of a cell in a line.
fn detail(cell: &Cell) -> String {
    let mut text = format!("{} offers: {}", cell.offerer, cell.outcome.name());
    if let Some(ms) = cell.connect_ms {
        let _ = write!(text, " after {ms:.0} ms");
    }
    match &cell.deviation {
        Some(deviation) => text += &format!("; {}", deviation.what),
        None => text += &format!(", because {}", cell.because),
    }
    text
}

fn deviations(matrix: &Matrix) -> String {
    let row = |cell: &Cell| {
        let deviation = cell.deviation.as_ref()?;
        let accepted = deviation.allowed.as_deref();
        let accepted = accepted.map_or(String::new(), |reason| format!(" (accepted: {reason})"));
        Some([cell.name(), format!("{}{accepted}", deviation.what)])
    };
    let rows: Vec<_> = matrix.cells.iter().filter_map(row).collect();
    match rows.is_empty() {
        true => String::new(),
        false => format!(
            "<h2>Deviations</h2>\n{}",
            words(["cell", "what differs"], rows.into_iter())
        ),
    }
}
