//! The table of what happened in calls: a row per cell and happening.

use super::exceptions::{cell_columns, listed, of_cell};
use super::layout::Column;
use crate::record::{CellRecord, Interruption, Kind};
use crate::render::format::MISSING;
use crate::run::Run;

/// A row per cell and happening; `None` if nothing happened.
pub(super) fn table(run: &Run, cells: &[&CellRecord]) -> Option<String> {
    let [n, topology, seed] = cell_columns(run);
    let columns = [
        n,
        topology,
        seed,
        Column::figure("at\ns"),
        Column::text("happened"),
        Column::text("to"),
        Column::figure("longest gap\npicture/sound\nms"),
        Column::figure("streams\ncut off"),
    ];
    let rows = cells.iter().flat_map(|cell| rows(cell)).collect();
    listed(columns, rows, "happenings")
}

fn rows(cell: &CellRecord) -> Vec<[String; 8]> {
    let mut all = happenings(cell);
    all.sort_by(|a, b| a.at_ms.total_cmp(&b.at_ms));
    all.into_iter().map(|what| row(cell, what)).collect()
}

/// One interruption for each happening: streams that began later know fewer of them.
fn happenings(cell: &CellRecord) -> Vec<&Interruption> {
    let mut all: Vec<&Interruption> = Vec::new();
    for interruption in cell.streams.iter().flat_map(|stream| &stream.interruptions) {
        if !all.iter().any(|known| is_same(known, interruption)) {
            all.push(interruption);
        }
    }
    all
}

fn is_same(a: &Interruption, b: &Interruption) -> bool {
    (a.at_ms, &a.what, &a.host) == (b.at_ms, &b.what, &b.host)
}

fn row(cell: &CellRecord, what: &Interruption) -> [String; 8] {
    let of = |kind: Option<Kind>| {
        let streams = cell.streams.iter();
        let streams = streams.filter(move |stream| kind.is_none_or(|kind| stream.kind == kind));
        let all = streams.flat_map(|stream| &stream.interruptions);
        all.filter(|one| is_same(one, what))
    };
    let longest = |kind| {
        let gaps = of(Some(kind)).map(|one| one.gap_ms);
        let longest = gaps.max_by(f64::total_cmp);
        longest.map_or(MISSING.to_owned(), |gap| format!("{gap:.0}"))
    };
    let cut_off = of(None).filter(|one| !one.recovered).count();
    let [n, topology, seed] = of_cell(cell);
    [
        n,
        topology,
        seed,
        format!("{:.1}", what.at_ms / 1e3),
        what.what.clone(),
        what.host.clone(),
        format!("{}/{}", longest(Kind::Video), longest(Kind::Audio)),
        format!("{cut_off}/{}", of(None).count()),
    ]
}
