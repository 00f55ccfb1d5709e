//! A run as readable text: what a person sees when it ends.

use std::collections::BTreeSet;
use std::fmt::Write;

use comfy_table::{CellAlignment, ColumnConstraint, LineStyle, Table, TableStyle};

use super::format::{fixed, joined, ms, or_missing};
use crate::metrics::{Pair, SummaryRow, pairs};
use crate::record::CellRecord;
use crate::run::Run;

/// How many pairs and how many warnings are shown; a large call may have thousands.
const SHOWN: usize = 20;

/// The table of the cells, the pairs that were relayed or not connected, the warnings, and
/// `replay`, the command that gives the run again from where the reader is. Fits 120 columns in
/// calls of up to 100 participants, if not every figure of a row is extreme.
pub fn render(run: &Run, replay: &str) -> String {
    let sections = [
        heading(run),
        summary(run),
        exceptions(run).unwrap_or_default(),
        warnings(run).unwrap_or_default(),
        format!("replay: {replay}\n"),
    ];
    sections
        .into_iter()
        .filter(|section| !section.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Which scenario this is, and what all of its cells have in common.
fn heading(run: &Run) -> String {
    let common = |of: fn(&CellRecord) -> String| {
        let values: BTreeSet<String> = run.cells.iter().map(of).collect();
        Vec::from_iter(values).join(" and ")
    };
    let mut line = format!("{}: ", run.scenario.name);
    if one_seed(run) {
        let _ = write!(line, "seed {}, ", common(|cell| cell.seed.to_string()));
    }
    let window = common(|cell| format!("{}", (cell.window_to_ms - cell.window_from_ms) / 1_000.0));
    let fidelity = common(|cell| cell.fidelity.clone());
    let stack = common(|cell| cell.stack.clone());
    let _ = writeln!(
        line,
        "{window} s measured, fidelity {fidelity}, {stack} stack"
    );
    line
}

/// A row per cell.
fn summary(run: &Run) -> String {
    let columns = [
        "topo-\nlogy",
        "N",
        "seed",
        "pairs\n(relayed)",
        "set-up\np50/p95\nms",
        "first\nframe\np50 ms",
        "video\np50/p95/p99\nms",
        "audio\np50/p95\nms",
        "fps",
        "frozen\n%",
        "PSNR\ndB",
        "SSIM",
        "client\nup/down\nkbps",
        "TURN\nin/out\nkbps",
    ];
    let cells = run
        .cells
        .iter()
        .map(|cell| summary_fields(&SummaryRow::of(cell)));
    table(columns, &[0], one_seed(run), cells)
}

fn summary_fields(row: &SummaryRow) -> [String; 14] {
    let whole = |value| fixed(value, 0);
    let expected = row.expected_pairs.map(|pairs| pairs as f64);
    [
        row.topology.clone(),
        row.participants.to_string(),
        row.seed.to_string(),
        format!(
            "{}/{} ({})",
            row.connected_pairs,
            whole(expected),
            row.relayed_pairs
        ),
        joined([row.setup_ms_p50, row.setup_ms_p95], whole),
        whole(row.first_frame_ms_p50),
        joined(
            [
                row.video_latency_ms_p50,
                row.video_latency_ms_p95,
                row.video_latency_ms_p99,
            ],
            ms,
        ),
        joined([row.audio_latency_ms_p50, row.audio_latency_ms_p95], ms),
        fixed(row.fps_mean, 1),
        fixed(row.freeze_ratio.map(|ratio| 100.0 * ratio), 2),
        fixed(row.psnr_db_mean, 1),
        fixed(row.ssim_mean, 3),
        joined([row.client_up_kbps_mean, row.client_down_kbps_mean], whole),
        joined([row.turn_in_kbps, row.turn_out_kbps], whole),
    ]
}

/// The pairs that were relayed or not connected; `None` if every pair is connected directly.
fn exceptions(run: &Run) -> Option<String> {
    let mut rows = Vec::new();
    for cell in &run.cells {
        for pair in pairs(cell)
            .iter()
            .filter(|pair| pair.relayed || !pair.connected)
        {
            rows.push([
                cell.topology.clone(),
                cell.participants.to_string(),
                cell.seed.to_string(),
                if pair.relayed {
                    "relayed".to_owned()
                } else {
                    "not connected".to_owned()
                },
                format!("{} - {}", pair.local, pair.remote),
                candidates(pair),
            ]);
        }
    }
    if rows.is_empty() {
        return None;
    }
    let more = rows.len().saturating_sub(SHOWN);
    let columns = ["topo-\nlogy", "N", "seed", "outcome", "pair", "candidates"];
    let rows = rows.into_iter().take(SHOWN);
    let mut text = table(columns, &[0, 3, 4, 5], one_seed(run), rows);
    if more > 0 {
        let _ = writeln!(text, "... and {more} more pairs, in run.json");
    }
    Some(text)
}

/// The types that the ends of a pair selected, in the order of their names.
fn candidates(pair: &Pair) -> String {
    match (pair.local_candidate, pair.remote_candidate) {
        (None, None) => or_missing(None).to_owned(),
        (local, remote) => format!("{} - {}", or_missing(local), or_missing(remote)),
    }
}

/// What the stack warned of; `None` if nothing.
fn warnings(run: &Run) -> Option<String> {
    let of_cell = |cell: &CellRecord, warning| {
        format!(
            "  {} {} seed {}: {warning}\n",
            cell.topology, cell.participants, cell.seed
        )
    };
    let all: Vec<String> = run
        .cells
        .iter()
        .flat_map(|cell| {
            cell.warnings
                .iter()
                .map(move |warning| of_cell(cell, warning))
        })
        .collect();
    let shown: String = all.iter().take(SHOWN).map(String::as_str).collect();
    let mut text = format!(
        "warnings ({}): these results need a look\n{shown}",
        all.len()
    );
    if all.len() > SHOWN {
        let _ = writeln!(text, "  ... and {} more, in run.json", all.len() - SHOWN);
    }
    (!all.is_empty()).then_some(text)
}

fn one_seed(run: &Run) -> bool {
    run.cells.windows(2).all(|two| two[0].seed == two[1].seed)
}

/// Where both tables have the seed.
const SEED_COLUMN: usize = 2;

/// Lays out rows below their header; the columns in `left` are text, the others figures.
fn table<const N: usize>(
    header: [&str; N],
    left: &[usize],
    hide_seed: bool,
    rows: impl Iterator<Item = [String; N]>,
) -> String {
    const RULE: TableStyle =
        TableStyle::new().header_separator(LineStyle::none().fill('-').junction('-'));
    let mut table = Table::new();
    table.load_style(RULE).set_header(header).add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        // A space of its own, and one that the style puts where others have a line.
        column.set_padding((0, 1));
        if !left.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        if hide_seed && index == SEED_COLUMN {
            column.set_constraint(ColumnConstraint::Hidden);
        }
    }
    table.trim_fmt() + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{cell, run};

    fn shown(cells: Vec<CellRecord>) -> String {
        render(&run(cells), "rtclab run trio --seed 7")
    }

    #[test]
    fn a_small_run_reads_like_this() {
        // The figures are those that the tests of `metrics` derive: 1020 frames of 38220 dB in
        // all are 37.5 dB, of 979.5 SSIM 0.960; 5 % frozen.
        let text = shown(vec![cell()]);
        let expected = "\
trio: seed 7, 10 s measured, fidelity codec, tuned stack

topo-  N      pairs    set-up   first          video    audio   fps  frozen  PSNR   SSIM    client     TURN
logy      (relayed)   p50/p95   frame    p50/p95/p99  p50/p95             %    dB          up/down   in/out
                           ms  p50 ms             ms       ms                                 kbps     kbps
------------------------------------------------------------------------------------------------------------
mesh   3    2/3 (1)  420/1000     520  9.0/15.0/16.0  5.0/7.0  17.0    5.00  37.5  0.960  1000/200  500/490

topo-  N  outcome        pair   candidates
logy
----------------------------------------------
mesh   3  relayed        a - c  srflx - relay
mesh   3  not connected  b - c  -

warnings (1): these results need a look
  mesh 3 seed 7: 3.2 s: b: ICE failed

replay: rtclab run trio --seed 7
";
        assert_eq!(text, expected, "\n{text}");
    }

    #[test]
    fn a_large_call_fits_120_columns() {
        let mut large = cell();
        large.participants = 100;
        large.window_to_ms = large.window_from_ms + 1_000.0;
        let text = shown(vec![large]);
        assert!(
            text.lines().all(|line| line.chars().count() <= 120),
            "{text}"
        );
    }

    #[test]
    fn seeds_get_a_column_only_if_they_differ() {
        let other = CellRecord { seed: 8, ..cell() };
        assert!(!shown(vec![cell(), cell()]).contains("seed  "));
        assert!(shown(vec![cell(), other]).contains("  seed  "));
    }

    #[test]
    fn a_run_without_exceptions_has_no_tables_of_them() {
        let mut good = cell();
        good.connections.truncate(2);
        good.warnings.clear();
        let text = shown(vec![good]);
        assert!(
            !text.contains("candidates") && !text.contains("warnings"),
            "{text}"
        );
    }

    #[test]
    fn long_lists_are_cut_and_say_so() {
        // 30 warnings and 25 cells with 2 exceptional pairs each, of which 20 are shown.
        let mut noisy = cell();
        noisy.warnings = (0..30).map(|n| format!("warning {n}")).collect();
        let text = shown(vec![noisy]);
        assert!(
            text.contains("warning 19\n  ... and 10 more, in run.json\n"),
            "{text}"
        );
        let text = shown(vec![cell(); 25]);
        assert!(
            text.contains("... and 30 more pairs, in run.json\n"),
            "{text}"
        );
    }
}
