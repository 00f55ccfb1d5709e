//! The table of uplinks that connections share: a row per cell, sender and phase.

use super::layout::{self, Column};
use super::one;
use crate::metrics::FlowRow;
use crate::record::CellRecord;
use crate::render::format::{MISSING, fixed, joined};
use crate::run::Run;

/// How many columns there may be.
const COLUMNS: usize = 14;

/// A row per cell, sender and phase; `None` if nobody adapts.
pub(super) fn table(run: &Run, cells: &[&CellRecord]) -> Option<String> {
    let rows: Vec<_> = cells.iter().flat_map(|cell| FlowRow::all(cell)).collect();
    let marks = rows.iter().any(|row| row.mark_ratio > Some(0.0));
    let rows: Vec<_> = rows.iter().map(fields).collect();
    (!rows.is_empty()).then(|| layout::table(columns(run, marks), rows))
}

/// Shares of marks are shown if there were any.
fn columns(run: &Run, marks: bool) -> [Column; COLUMNS] {
    [
        Column::figure("N"),
        Column::text("topology"),
        Column::figure("seed").only_if(!one(run, |cell| cell.seed)),
        Column::text("uplink of"),
        Column::figure("from\ns"),
        Column::figure("to\ns"),
        Column::figure("flows"),
        Column::figure("capacity\nkbps"),
        Column::figure("used\n%"),
        Column::figure("fairness\n(Jain)"),
        Column::figure("queue\np50/p95\nms"),
        Column::figure("lost\n%"),
        Column::figure("marked\n%").only_if(marks),
        Column::figure("settled\nafter s"),
    ]
    .map(Column::hidden_if_empty)
}

fn fields(row: &FlowRow) -> [String; COLUMNS] {
    let percent = |ratio: Option<f64>| ratio.map(|ratio| 100.0 * ratio);
    let settled = row.settled_s.map(|second| second.to_string());
    [
        row.participants.to_string(),
        row.topology.clone(),
        row.seed.to_string(),
        row.sender.clone(),
        row.from_s.to_string(),
        row.to_s.to_string(),
        row.flows.to_string(),
        fixed(Some(row.capacity_kbps), 0),
        fixed(percent(row.use_ratio), 0),
        fixed(row.fairness, 2),
        joined([row.queue_ms_p50, row.queue_ms_p95], |ms| fixed(ms, 0)),
        fixed(percent(row.loss_ratio), 2),
        fixed(percent(row.mark_ratio), 2),
        settled.unwrap_or_else(|| MISSING.to_owned()),
    ]
}
