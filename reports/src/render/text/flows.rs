//! The table of access links that connections share: a row per cell, link, way and phase.

use super::layout::{self, Column};
use super::one;
use crate::metrics::FlowRow;
use crate::record::CellRecord;
use crate::render::format::{MISSING, fixed, joined};
use crate::run::Run;

/// How many columns there may be.
const COLUMNS: usize = 15;

/// A downlink is shown if so much of it was used in any phase, or packets waited for so long (95th
/// percentile): elsewhere the bottleneck is not there.
const USED: f64 = 0.5;
const QUEUED_MS: f64 = 50.0;

/// A row per cell, link, way and phase; `None` if nobody adapts.
pub(super) fn table(run: &Run, cells: &[&CellRecord]) -> Option<String> {
    let rows: Vec<_> = cells.iter().flat_map(|cell| shown(cell)).collect();
    let marks = rows.iter().any(|row| row.mark_ratio > Some(0.0));
    let rows: Vec<_> = rows.iter().map(fields).collect();
    (!rows.is_empty()).then(|| layout::table(columns(run, marks), rows))
}

/// All uplinks, and the downlinks that are full or in which packets wait.
fn shown(cell: &CellRecord) -> Vec<FlowRow> {
    let rows = FlowRow::all(cell);
    let is_full =
        |row: &FlowRow| row.use_ratio >= Some(USED) || row.queue_ms_p95 >= Some(QUEUED_MS);
    let same = |a: &FlowRow, b: &FlowRow| (&a.host, a.way) == (&b.host, b.way);
    let links = rows.chunk_by(same);
    let shown = links.filter(|phases| phases[0].way == "up" || phases.iter().any(is_full));
    shown.flatten().cloned().collect()
}

/// Shares of marks are shown if there were any.
fn columns(run: &Run, marks: bool) -> [Column; COLUMNS] {
    [
        Column::figure("N"),
        Column::text("topology"),
        Column::figure("seed").only_if(!one(run, |cell| cell.seed)),
        Column::text("link of"),
        Column::text("way"),
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
        row.host.clone(),
        row.way.to_owned(),
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
