//! Rows as CSV (RFC 4180 with line feeds): figures in full, missing ones empty, a header always.

use std::collections::BTreeSet;

use ::csv::WriterBuilder;
use serde::Serialize;

use super::chart::Chart;
use crate::metrics::{
    DataRow, FlowRow, MeasuredRow, PeerRow, Row, StreamRow, SummaryRow, TimelineRow,
};
use crate::recommend::{Decision, DecisionRow};
use crate::record::{CellRecord, Measured};

/// `summary.csv`: a row per cell.
pub fn summary(cells: &[CellRecord]) -> String {
    rows(cells.iter().map(SummaryRow::of))
}

/// `peers.csv`: a row per cell and host.
///
/// After the columns of [`PeerRow`] there is one, `cpu_WORK_cores_mean`, for each kind of work that
/// any host did; where a host has them, they add up to its `cpu_cores_mean`. Then there is one,
/// `skipped_WORK`, for each kind of work that any host left out.
pub fn peers(cells: &[CellRecord]) -> String {
    let all = || {
        cells
            .iter()
            .flat_map(|cell| cell.hosts.iter().map(move |host| (cell, host)))
    };
    let works: BTreeSet<&String> = all()
        .flat_map(|(_, h)| h.cpu_cores_by_work.keys())
        .collect();
    let skips: BTreeSet<&String> = all().flat_map(|(_, h)| h.skipped.keys()).collect();
    let header = (PeerRow::HEADER.iter().map(|column| column.to_string()))
        .chain(works.iter().map(|work| format!("cpu_{work}_cores_mean")))
        .chain(skips.iter().map(|work| format!("skipped_{work}")));
    table(
        header,
        all().map(|(cell, host)| {
            let of_works = works.iter().map(|&work| host.cpu_cores_by_work.get(work));
            let of_skips = skips.iter().map(|&work| host.skipped.get(work));
            let (of_works, of_skips): (Vec<_>, Vec<_>) = (of_works.collect(), of_skips.collect());
            (PeerRow::of(cell, host), of_works, of_skips)
        }),
    )
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

/// `data.csv`: a row per cell, workload, sender and receiver.
pub fn data(cells: &[CellRecord]) -> String {
    rows(
        cells
            .iter()
            .flat_map(|cell| cell.data.iter().map(move |data| DataRow::of(cell, data))),
    )
}

/// `timeline.csv`: a row per cell, host and second.
pub fn timeline(cells: &[CellRecord]) -> String {
    rows(cells.iter().flat_map(TimelineRow::all))
}

/// `flows.csv`: a row per cell, access link in a call that adapts, way, and phase of it.
pub fn flows(cells: &[CellRecord]) -> String {
    rows(cells.iter().flat_map(FlowRow::all))
}

/// `charts.csv`: a row per figure of a chart.
pub fn charts(charts: &[Chart]) -> String {
    rows(charts.iter().flat_map(|chart| chart.data.iter().cloned()))
}

/// `decisions.csv`: a row per limit of every topology and size.
pub fn decisions(decisions: &[Decision]) -> String {
    rows(DecisionRow::all(decisions))
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
        let end = ",1000.0,200.0,,,500.0,490.0,1.0,1.5,,,4321,1,2,2,0,0.2,0.003,0.375,,,EUR";
        assert!(lines[1].ends_with(end), "{}", lines[1]);
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn every_table_has_its_header_without_rows() {
        for text in [
            summary(&[]),
            peers(&[]),
            streams(&[]),
            data(&[]),
            timeline(&[]),
            flows(&[]),
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
        let last = [
            "transport",
            "interruption_ms_max",
            "retransmitted_packets",
            "retransmitted_bytes",
            "fec_packets",
            "fec_bytes",
            "rebuilt_packets",
            "redundant_frames",
            "concealed_frames",
            "latency_decode_ms_mean",
            "latency_network_ms_mean",
        ];
        assert!(lines[0].ends_with(&last.join(",")), "{}", lines[0]);
        // The fixture's first stream has the parts, the second none; nothing was repaired.
        assert!(lines[1].ends_with(",1,udp,,,,,,,,,1.5,6.5"), "{}", lines[1]);
        assert!(lines[2].ends_with(",1,udp,,,,,,,,,,"), "{}", lines[2]);
        // 300 frames of 1000 B in 10 s: 240 kbps, 30 frames per second.
        assert!(
            lines[1].contains(",300000,240.0,30.0,500.0,8.0,8.0,8.0,8.0,"),
            "{}",
            lines[1]
        );
        // Pictures did not freeze: 0 times, 0 ms. Sound, the last row, cannot, nor does it have
        // intervals, PSNR, SSIM, width, PLIs, keyframes or, here, interruptions and parts; its mean
        // is (18 x 5 + 2 x 7) / 20.
        assert!(lines[1].contains(",,,0,0.0,40.0,0.98,"), "{}", lines[1]);
        let end = ",5.2,,,,,,,,,,udp,,,,,,,,,,";
        assert!(lines[7].ends_with(end), "{}", lines[7]);
        assert_eq!(lines.len(), 8);
    }

    #[test]
    fn a_workload_has_a_row_for_each_receiver() {
        let text = data(&[cell()]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        // The file that arrived whole, the one of which half is missing, and the state.
        let whole = "trio,mesh,3,7,slides,file,a,b,true,,,100,1600000,0,0,100,1600000,0,0.0,3200.0,\
                     4000.0,true,12.0,12.0,12.0,12.0,,,262144";
        assert_eq!(lines[1], whole);
        let half =
            ",a,c,true,,,100,1600000,0,0,50,800000,50,0.5,1600.0,,,16.0,16.0,16.0,16.0,,,262144";
        assert!(lines[2].ends_with(half), "{}", lines[2]);
        let state =
            ",b,a,false,0,,100,10000,0,0,90,9000,10,0.1,6.0,,,8.0,8.0,8.0,8.0,10.5,13.0,200";
        assert!(lines[3].ends_with(state), "{}", lines[3]);
    }

    #[test]
    fn work_is_in_columns_after_those_of_every_host() {
        let mut busy = cell();
        busy.hosts[0].cpu_cores_by_work =
            [("decode".to_owned(), 0.125), ("encode".to_owned(), 0.375)].into();
        busy.hosts[0].skipped = [("encode".to_owned(), 7), ("decode".to_owned(), 2)].into();
        busy.hosts[0].codecs.video_encoders = 2;
        busy.hosts[0].codecs.audio_decoders = 1;
        let text = peers(&[busy]);
        let lines: Vec<_> = text.lines().collect();
        let header = ",setup_ms_max,device,video_encoders,video_decoders,audio_encoders,\
            audio_decoders,skipped,cpu_decode_cores_mean,cpu_encode_cores_mean,skipped_decode,\
            skipped_encode";
        assert!(lines[0].ends_with(header), "{}", lines[0]);
        // 2 + 7 pieces were skipped by a, none by b, whose 1.5 cores encoded; the CPU of c is free.
        assert!(
            lines[1].ends_with(",laptop,2,0,0,1,9,0.125,0.375,2,7"),
            "{}",
            lines[1]
        );
        assert!(
            lines[2].ends_with(",laptop,0,0,0,0,0,,1.5,,"),
            "{}",
            lines[2]
        );
        assert!(lines[3].ends_with(",laptop,0,0,0,0,,,,,"), "{}", lines[3]);
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
            data(&cells),
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
            measured.ends_with(
                "trio,mesh,3,7,cpu_host,a,,0.25,s\ntrio,mesh,3,7,cpu_work,a,encode,0.125,s\n"
            ),
            "{measured}"
        );
        assert!(
            timeline(&cells)
                .ends_with("trio,mesh,3,7,3,a,1000.5,100.0,1200.0,910.5,800.0,60,,250.0,6000.0\n")
        );
    }
}
