//! The table of losses and what was done about them: a row per cell.

use super::layout::{self, Column, Comparison};
use super::one;
use crate::metrics::RepairFigures;
use crate::record::CellRecord;
use crate::render::format::fixed;
use crate::run::Run;

/// How many columns there may be.
const COLUMNS: usize = 11;

/// A row per cell in which something was lost or repaired; `None` without any.
pub(super) fn table(run: &Run, cells: &[&CellRecord]) -> Option<String> {
    let rows = rows(cells);
    (!rows.is_empty()).then(|| layout::table(columns(run), rows))
}

/// The header of every column that says something, and the rows below, if there are any.
pub(in crate::render) fn comparison(run: &Run, cells: &[&CellRecord]) -> Option<Comparison> {
    let rows = rows(cells);
    (!rows.is_empty()).then(|| layout::comparison(&columns(run), &rows))
}

fn columns(run: &Run) -> [Column; COLUMNS] {
    [
        Column::figure("N"),
        Column::text("topology"),
        Column::figure("seed").only_if(!one(run, |cell| cell.seed)),
        Column::figure("video\nlost\n%"),
        Column::figure("came\nagain\n%"),
        Column::figure("rebuilt\n(FEC)\n%"),
        Column::figure("still\nmissing\n%"),
        Column::figure("overhead\n\n%"),
        Column::figure("audio\nlost\n%"),
        Column::figure("repeated\n(FEC)\n%"),
        Column::figure("filled\nin\n%"),
    ]
    .map(Column::hidden_if_empty)
}

fn rows(cells: &[&CellRecord]) -> Vec<[String; COLUMNS]> {
    let row = |cell: &&CellRecord| Some(fields(cell, &RepairFigures::of(cell)?));
    cells.iter().filter_map(row).collect()
}

fn fields(cell: &CellRecord, repair: &RepairFigures) -> [String; COLUMNS] {
    let percent = |share: Option<f64>| fixed(share.map(|share| 100.0 * share), 1);
    [
        cell.participants.to_string(),
        cell.topology.clone(),
        cell.seed.to_string(),
        percent(repair.video_lost),
        percent(repair.sent_again),
        percent(repair.rebuilt),
        percent(repair.missing),
        percent(repair.overhead),
        percent(repair.audio_lost),
        percent(repair.redundant),
        percent(repair.concealed),
    ]
}
