//! The table of data channels: a row per cell and workload.

use super::layout::{self, Column, Comparison};
use super::one;
use crate::metrics::DataFigures;
use crate::record::CellRecord;
use crate::render::format::{MISSING, fixed, joined, ms};
use crate::run::Run;

/// How many columns there may be.
const COLUMNS: usize = 11;

/// A row per cell and workload; `None` if there are no workloads.
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
        Column::text("data"),
        Column::text("kind"),
        Column::figure("intact"),
        Column::figure("completion\nms"),
        Column::figure("goodput\nkbps"),
        Column::figure("latency\np50/p95/p99\nms"),
        Column::figure("lost\n%"),
        Column::figure("age\nms"),
    ]
    .map(Column::hidden_if_empty)
}

fn rows(cells: &[&CellRecord]) -> Vec<[String; COLUMNS]> {
    let of_cell = |cell: &&CellRecord| {
        let cell = *cell;
        let all = DataFigures::all(cell).into_iter();
        all.map(move |data| fields(cell, &data)).collect::<Vec<_>>()
    };
    cells.iter().flat_map(of_cell).collect()
}

fn fields(cell: &CellRecord, data: &DataFigures) -> [String; COLUMNS] {
    let intact = data.intact.map(|intact| format!("{intact}/{}", data.pairs));
    [
        cell.participants.to_string(),
        cell.topology.clone(),
        cell.seed.to_string(),
        data.workload.clone(),
        data.kind.to_owned(),
        intact.unwrap_or_else(|| MISSING.to_owned()),
        fixed(data.completion_ms_max, 0),
        fixed(data.goodput_kbps_mean, 0),
        joined(
            [
                data.latency_ms_p50,
                data.latency_ms_p95,
                data.latency_ms_p99,
            ],
            ms,
        ),
        fixed(data.loss_ratio.map(|ratio| 100.0 * ratio), 2),
        ms(data.age_ms_mean),
    ]
}
