//! The table of the cells: the columns that decide.

use super::layout::{self, Column, Comparison};
use super::one;
use crate::metrics::SummaryRow;
use crate::record::CellRecord;
use crate::render::format::{fixed, joined, ms};
use crate::run::Run;

/// How many columns there may be.
const COLUMNS: usize = 16;

/// A row per cell.
pub(super) fn table(run: &Run, cells: &[&CellRecord]) -> String {
    layout::table(columns(run), rows(run, cells))
}

/// The header of every column that says something, and the rows below, in the same order.
pub(in crate::render) fn comparison(run: &Run, cells: &[&CellRecord]) -> Comparison {
    layout::comparison(&columns(run), &rows(run, cells))
}

fn columns(run: &Run) -> [Column; COLUMNS] {
    [
        Column::figure("N"),
        Column::text("topology"),
        Column::figure("seed").only_if(!one(run, |cell| cell.seed)),
        Column::figure("pairs\n(relayed)"),
        Column::figure("set-up\np50/p95\nms"),
        Column::figure("first\nframe\nms"),
        Column::figure("video\np50/p95\nms"),
        Column::figure("audio\np50\nms"),
        Column::figure("fps"),
        Column::figure("frozen\n%"),
        Column::figure("PSNR\ndB"),
        Column::figure("client\nup/down\nkbps"),
        Column::figure("client\ncores\nmean/max"),
        Column::figure("server\nin/out\nkbps"),
        Column::figure("server\ncores"),
        Column::figure("TURN\nkbps"),
    ]
    .map(Column::hidden_if_empty)
}

fn rows(run: &Run, cells: &[&CellRecord]) -> Vec<[String; COLUMNS]> {
    let mixed = !one(run, |cell| &cell.fidelity);
    let rows = cells
        .iter()
        .map(|cell| fields(&SummaryRow::of(cell), mixed));
    rows.collect()
}

/// The fields of a row, which says its fidelity only if those of the run are `mixed`.
fn fields(row: &SummaryRow, mixed: bool) -> [String; COLUMNS] {
    let whole = |value| fixed(value, 0);
    let cores = |value| fixed(value, 2);
    let expected = row.expected_pairs.map(|pairs| pairs as f64);
    [
        row.participants.to_string(),
        match mixed {
            true => format!("{} {}", row.topology, row.fidelity),
            false => row.topology.clone(),
        },
        row.seed.to_string(),
        format!(
            "{}/{} ({})",
            row.connected_pairs,
            whole(expected),
            row.relayed_pairs
        ),
        joined([row.setup_ms_p50, row.setup_ms_p95], whole),
        whole(row.first_frame_ms_p50),
        joined([row.video_latency_ms_p50, row.video_latency_ms_p95], ms),
        ms(row.audio_latency_ms_p50),
        fixed(row.fps_mean, 1),
        fixed(row.freeze_ratio.map(|ratio| 100.0 * ratio), 1),
        fixed(row.psnr_db_mean, 1),
        joined([row.client_up_kbps_mean, row.client_down_kbps_mean], whole),
        joined([row.client_cpu_cores_mean, row.client_cpu_cores_max], cores),
        joined([row.server_in_kbps, row.server_out_kbps], whole),
        cores(row.server_cpu_cores),
        whole(row.turn_in_kbps),
    ]
}
