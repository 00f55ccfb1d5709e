//! Rows as CSV (RFC 4180 with line feeds): figures in full, missing ones empty, a header always.

use std::collections::BTreeSet;

use ::csv::WriterBuilder;
use serde::Serialize;

use crate::metrics::{MeasuredRow, PeerRow, Row, StreamRow, SummaryRow, TimelineRow};
use crate::record::{CellRecord, Measured};

/// `summary.csv`: a row per cell.
pub fn summary(cells: &[CellRecord]) -> String {
    rows(cells.iter().map(SummaryRow::of))
}

/// `peers.csv`: a row per cell and host.
pub fn peers(cells: &[CellRecord]) -> String {
    rows(cells.iter().flat_map(PeerRow::all))
}

/// `streams.csv`: a row per cell, sender, receiver and kind.
///
/// After the columns of [`StreamRow`] there is one, `latency_NAME_ms_mean`, for each named part of
/// the latency; where a stream has them, they add up to its `latency_ms_mean`.
pub fn streams(cells: &[CellRecord]) -> String {
    let all = || {
        cells
            .iter()
            .flat_map(|cell| cell.streams.iter().map(move |s| (cell, s)))
    };
    let parts: BTreeSet<&String> = all().flat_map(|(_, s)| s.latency_parts_ms.keys()).collect();
    let header = StreamRow::HEADER
        .iter()
        .map(|column| column.to_string())
        .chain(parts.iter().map(|part| format!("latency_{part}_ms_mean")));
    table(
        header,
        all().map(|(cell, stream)| {
            let of_parts = parts.iter().map(|&part| stream.latency_parts_ms.get(part));
            (StreamRow::of(cell, stream), of_parts.collect::<Vec<_>>())
        }),
    )
}

/// `timeline.csv`: a row per cell, host and second.
pub fn timeline(cells: &[CellRecord]) -> String {
    rows(cells.iter().flat_map(TimelineRow::all))
}

/// `measured.csv`: a row per cell and measured figure.
pub fn measured(cells: &[CellRecord], measured: &[Measured]) -> String {
    rows(
        cells
            .iter()
            .zip(measured)
            .flat_map(|(cell, spent)| MeasuredRow::all(cell, spent)),
    )
}

fn rows<R: Row>(rows: impl Iterator<Item = R>) -> String {
    table(R::HEADER, rows)
}

fn table<H, R>(header: H, rows: impl Iterator<Item = R>) -> String
where
    H: IntoIterator<Item: AsRef<[u8]>>,
    R: Serialize,
{
    let mut writer = WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    writer
        .write_record(header)
        .expect("memory takes every byte");
    for row in rows {
        writer
            .serialize(row)
            .expect("rows are flat and as long as the header");
    }
    let bytes = writer.into_inner().expect("memory takes every byte");
    String::from_utf8(bytes).expect("every field is text")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::cell;

    #[test]
    fn summary_has_a_header_and_a_row_with_empty_fields_for_missing_figures() {
        let text = summary(&[cell()]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], SummaryRow::HEADER.join(","));
        // The figures that `metrics::summary` derives, up to the rates of the mesh's absent
        // server; the end has no cores for server and TURN.
        let start =
            "trio,mesh,3,7,codec,3,2,1,420.0,1000.0,520.0,1300.0,9.0,15.0,16.0,5.0,7.0,17.0,";
        assert!(lines[1].starts_with(start), "{}", lines[1]);
        let end = ",1000.0,200.0,,,500.0,490.0,1.0,1.5,,,4321";
        assert!(lines[1].ends_with(end), "{}", lines[1]);
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn every_table_has_its_header_without_rows() {
        for text in [
            summary(&[]),
            peers(&[]),
            streams(&[]),
            timeline(&[]),
            measured(&[], &[]),
        ] {
            assert!(
                text.starts_with("scenario,topology,participants,seed,"),
                "{text}"
            );
            assert_eq!(text.lines().count(), 1);
        }
    }

    #[test]
    fn latency_parts_are_columns_in_alphabetical_order() {
        let text = streams(&[cell()]);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].ends_with(",keyframes,latency_decode_ms_mean,latency_network_ms_mean"));
        // The fixture's first stream has the parts, the second none.
        assert!(lines[1].ends_with(",1,1.5,6.5"), "{}", lines[1]);
        assert!(lines[2].ends_with(",1,,"), "{}", lines[2]);
        // 300 frames of 1000 B in 10 s: 240 kbps, 30 frames per second.
        assert!(
            lines[1].contains(",300000,240.0,30.0,500.0,8.0,8.0,8.0,8.0,"),
            "{}",
            lines[1]
        );
        assert_eq!(lines.len(), 8);
    }

    #[test]
    fn a_row_has_as_many_fields_as_its_header() {
        let cells = [cell()];
        let spent = [Measured {
            host_cpu_s: [("a".to_owned(), 0.25)].into(),
            host_work_cpu_s: [("a".to_owned(), [("encode".to_owned(), 0.125)].into())].into(),
            wall_s: 1.5,
            ..Measured::default()
        }];
        let measured = measured(&cells, &spent);
        for text in [
            peers(&cells),
            streams(&cells),
            timeline(&cells),
            measured.clone(),
        ] {
            let widths: BTreeSet<_> = text.lines().map(|line| line.split(',').count()).collect();
            assert_eq!(widths.len(), 1, "{text}");
        }
        assert!(
            measured.contains("trio,mesh,3,7,wall,,,1.5,s\n"),
            "{measured}"
        );
        assert!(
            measured.contains("trio,mesh,3,7,peak_rss,,,,bytes\n"),
            "{measured}"
        );
        assert!(
            measured.contains("trio,mesh,3,7,cpu_host,a,,0.25,s\n"),
            "{measured}"
        );
        assert!(
            measured.contains("trio,mesh,3,7,cpu_work,a,encode,0.125,s\n"),
            "{measured}"
        );
        assert!(timeline(&cells).ends_with("trio,mesh,3,7,3,a,1000.5,100.0,60,\n"));
    }
}
