//! The table of what receivers see: a row per group and cell, the cells of a group together.

use super::exceptions::listed;
use super::layout::{self, Column, Comparison};
use super::one;
use crate::metrics::ReceiverFigures;
use crate::record::CellRecord;
use crate::render::format::fixed;
use crate::run::Run;

/// How many columns there may be.
const COLUMNS: usize = 11;

/// A row per group of receivers and cell, up to a limit; `None` if no call has several groups.
pub(super) fn table(run: &Run, cells: &[&CellRecord]) -> Option<String> {
    listed(columns(run), rows(cells), "groups of receivers")
}

/// The header of every column that says something, and all rows, if there are any.
pub(in crate::render) fn comparison(run: &Run, cells: &[&CellRecord]) -> Option<Comparison> {
    let rows = rows(cells);
    (!rows.is_empty()).then(|| layout::comparison(&columns(run), &rows))
}

fn columns(run: &Run) -> [Column; COLUMNS] {
    [
        Column::figure("N"),
        Column::text("receivers"),
        Column::figure("n"),
        Column::text("topology"),
        Column::figure("seed").only_if(!one(run, |cell| cell.seed)),
        Column::figure("width\npx"),
        Column::figure("fps"),
        Column::figure("frozen\n%"),
        Column::figure("PSNR\ndB"),
        Column::figure("SSIM"),
        Column::figure("down\nkbps"),
    ]
    .map(Column::hidden_if_empty)
}

/// By size, then by group, so that what a group sees in each topology stands together.
fn rows(cells: &[&CellRecord]) -> Vec<[String; COLUMNS]> {
    let same_size = |a: &&CellRecord, b: &&CellRecord| a.participants == b.participants;
    cells.chunk_by(same_size).flat_map(of_size).collect()
}

fn of_size(cells: &[&CellRecord]) -> Vec<[String; COLUMNS]> {
    let seen = |cell: &&CellRecord| ReceiverFigures::all(cell);
    let seen: Vec<_> = cells.iter().map(seen).collect();
    if seen.iter().all(|groups| groups.len() < 2) {
        return Vec::new();
    }
    let mut names: Vec<&str> = Vec::new();
    for group in seen.iter().flatten() {
        if !names.contains(&group.group.as_str()) {
            names.push(&group.group);
        }
    }
    let mut rows = Vec::new();
    for name in names {
        for (cell, groups) in cells.iter().zip(&seen) {
            let own = groups.iter().filter(|group| group.group == name);
            rows.extend(own.map(|group| fields(cell, group)));
        }
    }
    rows
}

fn fields(cell: &CellRecord, group: &ReceiverFigures) -> [String; COLUMNS] {
    [
        cell.participants.to_string(),
        group.group.clone(),
        group.receivers.to_string(),
        cell.topology.clone(),
        cell.seed.to_string(),
        fixed(group.width_px_mean, 0),
        fixed(group.fps_mean, 1),
        fixed(group.freeze_ratio.map(|ratio| 100.0 * ratio), 1),
        fixed(group.psnr_db_mean, 1),
        fixed(group.ssim_mean, 3),
        fixed(group.down_kbps_mean, 0),
    ]
}
