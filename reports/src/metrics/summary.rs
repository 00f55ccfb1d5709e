//! `summary.csv`: a row per topology, number of participants and seed.

use super::figures::{fps, hosts, kbps, latency_us, max, mean, quantile_ms, streams};
use super::figures::{weighted_mean, window_ms};
use super::money;
use super::pairs::{Pair, pairs};
use super::row::row;
use crate::rank::quantile;
use crate::record::{CellRecord, HostRecord, Kind, Role, kind_of};

row! {
    /// One cell in one row. Times in ms, rates in thousands of bits per second at the IP layer
    /// over the measured window.
    pub struct SummaryRow {
        /// The scenario's name.
        pub scenario: String,
        /// `mesh`, `sfu` or `mcu`.
        pub topology: String,
        /// How many participants the call has.
        pub participants: u32,
        /// The seed of the cell.
        pub seed: u64,
        /// `codec` or `trace`.
        pub fidelity: String,
        /// Pairs of hosts to connect: every two participants of a mesh who are there together,
        /// every participant with the server elsewhere.
        pub expected_pairs: Option<u64>,
        /// Pairs of which both ends connected.
        pub connected_pairs: u64,
        /// Connected pairs whose media crossed the TURN server.
        pub relayed_pairs: u64,
        /// From the later join to connected, over both ends of all connections.
        pub setup_ms_p50: Option<f64>,
        /// The same, 95th percentile.
        pub setup_ms_p95: Option<f64>,
        /// From the later join to the first picture, over video streams.
        pub first_frame_ms_p50: Option<f64>,
        /// The same, 95th percentile.
        pub first_frame_ms_p95: Option<f64>,
        /// Capture to render, over all frames of all video streams.
        pub video_latency_ms_p50: Option<f64>,
        /// The same, 95th percentile.
        pub video_latency_ms_p95: Option<f64>,
        /// The same, 99th percentile.
        pub video_latency_ms_p99: Option<f64>,
        /// Mouth to ear, over all probes of all audio streams.
        pub audio_latency_ms_p50: Option<f64>,
        /// The same, 95th percentile.
        pub audio_latency_ms_p95: Option<f64>,
        /// Rendered frames per second, mean over video streams.
        pub fps_mean: Option<f64>,
        /// Share of the time that video streams stood still, 0 to 1.
        pub freeze_ratio: Option<f64>,
        /// Luma PSNR in dB, mean over rendered frames.
        pub psnr_db_mean: Option<f64>,
        /// Luma SSIM, mean over rendered frames.
        pub ssim_mean: Option<f64>,
        /// What a participant put on its access link, mean over participants.
        pub client_up_kbps_mean: Option<f64>,
        /// What a participant's access link delivered, mean over participants.
        pub client_down_kbps_mean: Option<f64>,
        /// What arrived at the SFU or MCU.
        pub server_in_kbps: Option<f64>,
        /// What the SFU or MCU sent.
        pub server_out_kbps: Option<f64>,
        /// What arrived at the TURN server.
        pub turn_in_kbps: Option<f64>,
        /// What the TURN server sent.
        pub turn_out_kbps: Option<f64>,
        /// Modelled cores in use, mean over the participants whose CPU is modelled.
        pub client_cpu_cores_mean: Option<f64>,
        /// Modelled cores in use by the busiest of those.
        pub client_cpu_cores_max: Option<f64>,
        /// Modelled cores in use by the SFU or MCU.
        pub server_cpu_cores: Option<f64>,
        /// Modelled cores in use by the TURN server.
        pub turn_cpu_cores: Option<f64>,
        /// Bytes of signalling messages, whole run.
        pub signaling_bytes: u64,
        /// Expected pairs that are not connected.
        pub unconnected_pairs: Option<u64>,
        /// Streams of video and audio of which nothing was rendered.
        pub missing_streams: u64,
        /// How often video streams froze, as webrtc-stats defines `freezeCount`.
        pub freezes: u64,
        /// Pieces of work left out by participants and servers whose CPU is modelled.
        pub skipped_work: Option<u64>,
        /// What the busiest participant sends, as a share of what its link carries, 0 to 1.
        pub client_up_use_max: Option<f64>,
        /// What the busiest participant receives, likewise.
        pub client_down_use_max: Option<f64>,
        /// Modelled cores in use by the busiest participant, as a share of those it has, 0 to 1.
        pub client_cpu_use_max: Option<f64>,
        /// Modelled cores in use by the SFU or MCU, likewise.
        pub server_cpu_use: Option<f64>,
        /// What an hour of the call costs in servers.
        pub money_per_hour: Option<f64>,
        /// What the money is in.
        pub currency: Option<String>,
    }
}

impl SummaryRow {
    /// The row of one cell.
    pub fn of(record: &CellRecord) -> Self {
        let pairs = pairs(record);
        let clients = Group::of(record, &[Role::Client]);
        let server = Group::of(record, &[Role::Sfu, Role::Mcu]);
        let turn = Group::of(record, &[Role::Turn]);
        let video_us = latency_us(record, Kind::Video);
        let audio_us = latency_us(record, Kind::Audio);
        let expected = expected_pairs(record, &pairs);
        let connected = pairs.iter().filter(|pair| pair.connected).count() as u64;
        SummaryRow {
            scenario: record.scenario.clone(),
            topology: record.topology.clone(),
            participants: record.participants,
            seed: record.seed,
            fidelity: record.fidelity.clone(),
            expected_pairs: expected,
            connected_pairs: connected,
            relayed_pairs: pairs.iter().filter(|pair| pair.relayed).count() as u64,
            setup_ms_p50: setup_ms(record, 0.50),
            setup_ms_p95: setup_ms(record, 0.95),
            first_frame_ms_p50: first_frame_ms(record, 0.50),
            first_frame_ms_p95: first_frame_ms(record, 0.95),
            video_latency_ms_p50: quantile_ms(&video_us, 0.50),
            video_latency_ms_p95: quantile_ms(&video_us, 0.95),
            video_latency_ms_p99: quantile_ms(&video_us, 0.99),
            audio_latency_ms_p50: quantile_ms(&audio_us, 0.50),
            audio_latency_ms_p95: quantile_ms(&audio_us, 0.95),
            fps_mean: mean(streams(record, Kind::Video).filter_map(|video| fps(record, video))),
            freeze_ratio: freeze_ratio(record),
            psnr_db_mean: weighted_mean(
                streams(record, Kind::Video)
                    .filter_map(|video| Some((video.psnr_db_mean?, video.frames_rendered))),
            ),
            ssim_mean: weighted_mean(
                streams(record, Kind::Video)
                    .filter_map(|video| Some((video.ssim_mean?, video.frames_rendered))),
            ),
            client_up_kbps_mean: mean(clients.up_kbps()),
            client_down_kbps_mean: mean(clients.down_kbps()),
            server_in_kbps: total(server.down_kbps()),
            server_out_kbps: total(server.up_kbps()),
            turn_in_kbps: total(turn.down_kbps()),
            turn_out_kbps: total(turn.up_kbps()),
            client_cpu_cores_mean: mean(clients.cpu_cores()),
            client_cpu_cores_max: max(clients.cpu_cores()),
            server_cpu_cores: total(server.cpu_cores()),
            turn_cpu_cores: total(turn.cpu_cores()),
            signaling_bytes: record.signaling_bytes,
            unconnected_pairs: expected.map(|expected| expected.saturating_sub(connected)),
            missing_streams: missing_streams(record),
            freezes: streams(record, Kind::Video)
                .map(|video| video.freezes)
                .sum(),
            skipped_work: skipped_work(record),
            client_up_use_max: max(clients
                .use_of(|host| Some(kbps(record, host.window_up.bytes)? / host.link_up_kbps?))),
            client_down_use_max: max(clients
                .use_of(|host| Some(kbps(record, host.window_down.bytes)? / host.link_down_kbps?))),
            client_cpu_use_max: max(clients.use_of(cpu_use)),
            server_cpu_use: max(server.use_of(cpu_use)),
            money_per_hour: money::per_hour(record),
            currency: record.prices.as_ref().map(|prices| prices.currency.clone()),
        }
    }
}

/// The hosts of a cell with one role.
struct Group<'a> {
    record: &'a CellRecord,
    hosts: Vec<&'a HostRecord>,
}

impl<'a> Group<'a> {
    fn of(record: &'a CellRecord, roles: &'a [Role]) -> Self {
        Group {
            record,
            hosts: hosts(record, roles).collect(),
        }
    }

    fn up_kbps(&self) -> impl Iterator<Item = f64> {
        self.hosts
            .iter()
            .filter_map(|host| kbps(self.record, host.window_up.bytes))
    }

    fn down_kbps(&self) -> impl Iterator<Item = f64> {
        self.hosts
            .iter()
            .filter_map(|host| kbps(self.record, host.window_down.bytes))
    }

    /// What a host uses of what it has.
    fn use_of(&self, of: impl Fn(&HostRecord) -> Option<f64>) -> impl Iterator<Item = f64> {
        self.hosts.iter().filter_map(move |host| of(host))
    }

    fn cpu_cores(&self) -> impl Iterator<Item = f64> {
        self.hosts.iter().filter_map(|host| host.cpu_cores_mean)
    }
}

fn cpu_use(host: &HostRecord) -> Option<f64> {
    Some(host.cpu_cores_mean? / f64::from(host.cores?))
}

/// The sum; `None` of nothing.
fn total(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.reduce(|sum, x| sum + x)
}

/// A mesh records the connections that there should be, those of participants who are there
/// together; a server is there for everyone.
fn expected_pairs(record: &CellRecord, pairs: &[Pair]) -> Option<u64> {
    match kind_of(&record.topology) {
        "mesh" => Some(pairs.len() as u64),
        "sfu" | "mcu" => Some(u64::from(record.participants)),
        _ => None,
    }
}

fn setup_ms(record: &CellRecord, q: f64) -> Option<f64> {
    let connected = record
        .connections
        .iter()
        .filter(|connection| connection.connected);
    quantile(
        connected.filter_map(|connection| connection.phases.setup_ms),
        q,
    )
}

fn first_frame_ms(record: &CellRecord, q: f64) -> Option<f64> {
    quantile(
        streams(record, Kind::Video).filter_map(|video| video.first_frame_ms),
        q,
    )
}

fn freeze_ratio(record: &CellRecord) -> Option<f64> {
    let window = window_ms(record)?;
    mean(streams(record, Kind::Video).map(|video| video.freeze_ms / window))
}

fn missing_streams(record: &CellRecord) -> u64 {
    let silent = record
        .streams
        .iter()
        .filter(|stream| stream.frames_rendered == 0);
    silent.count() as u64
}

/// `None` where all CPUs are free.
fn skipped_work(record: &CellRecord) -> Option<u64> {
    let modelled = record
        .hosts
        .iter()
        .filter(|host| host.cpu_cores_mean.is_some());
    let skipped = modelled.map(|host| host.skipped.values().sum::<u64>());
    skipped.reduce(|sum, skipped| sum + skipped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::cell;
    use crate::metrics::Row;

    fn close(found: Option<f64>, expected: f64) {
        let found = found.expect("a figure");
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    #[test]
    fn the_columns_are_the_documented_ones() {
        let documented = "scenario,topology,participants,seed,fidelity,\
            expected_pairs,connected_pairs,relayed_pairs,setup_ms_p50,setup_ms_p95,\
            first_frame_ms_p50,first_frame_ms_p95,video_latency_ms_p50,video_latency_ms_p95,\
            video_latency_ms_p99,audio_latency_ms_p50,audio_latency_ms_p95,fps_mean,\
            freeze_ratio,psnr_db_mean,ssim_mean,client_up_kbps_mean,client_down_kbps_mean,\
            server_in_kbps,server_out_kbps,turn_in_kbps,turn_out_kbps,client_cpu_cores_mean,\
            client_cpu_cores_max,server_cpu_cores,turn_cpu_cores,signaling_bytes,\
            unconnected_pairs,missing_streams,freezes,skipped_work,client_up_use_max,\
            client_down_use_max,client_cpu_use_max,server_cpu_use,money_per_hour,currency";
        assert_eq!(SummaryRow::HEADER.join(","), documented);
    }

    #[test]
    fn pairs_and_set_up() {
        let row = SummaryRow::of(&cell());
        // 3 * 2 / 2 pairs; a-b and a-c connected, the latter by relay.
        assert_eq!(
            (row.expected_pairs, row.connected_pairs, row.relayed_pairs),
            (Some(3), 2, 1)
        );
        // Ends in order: 400, 420, 900, 1000. p50: ceil(2.0) = 2nd; p95: ceil(3.8) = 4th.
        assert_eq!(
            (row.setup_ms_p50, row.setup_ms_p95),
            (Some(420.0), Some(1_000.0))
        );
        // Video streams with a picture: 500, 520, 1200, 1300.
        assert_eq!(
            (row.first_frame_ms_p50, row.first_frame_ms_p95),
            (Some(520.0), Some(1_300.0))
        );
    }

    #[test]
    fn only_participants_who_are_there_together_are_to_connect() {
        // Four take part, and d leaves before the others join: of the 4 x 3 / 2 = 6 pairs the
        // records have those of a, b and c.
        let mut met = cell();
        met.participants = 4;
        assert_eq!(SummaryRow::of(&met).expected_pairs, Some(3));
        met.connections.truncate(4);
        assert_eq!(SummaryRow::of(&met).expected_pairs, Some(2));
    }

    #[test]
    fn latency_percentiles_pool_the_samples_of_all_streams() {
        let row = SummaryRow::of(&cell());
        // 40 frames: 10 x 8 ms, 10 x 9 ms, 17 x 12 ms, 2 x 15 ms, 1 x 16 ms. p50 is the 20th, the
        // last of 9 ms; p95 the 38th, the first of 15 ms; p99 the ceil(39.6) = 40th. (The mean of
        // the four p50s would be (8 + 9 + 12 + 15) / 4 = 11.)
        let video = (
            row.video_latency_ms_p50,
            row.video_latency_ms_p95,
            row.video_latency_ms_p99,
        );
        assert_eq!(video, (Some(9.0), Some(15.0), Some(16.0)));
        // 20 probes: 18 x 5 ms, 2 x 7 ms. p50 is the 10th, p95 the 19th.
        assert_eq!(
            (row.audio_latency_ms_p50, row.audio_latency_ms_p95),
            (Some(5.0), Some(7.0))
        );
    }

    #[test]
    fn what_is_not_there_is_counted() {
        let mut record = cell();
        record.hosts[0].skipped = [("encode".to_owned(), 3), ("transport".to_owned(), 4)].into();
        record.hosts[1].skipped = [("decode".to_owned(), 5)].into();
        let row = SummaryRow::of(&record);
        // Of 3 pairs 2 are connected; b and c exchange no video, which are 2 streams; c froze
        // twice for a.
        assert_eq!(row.unconnected_pairs, Some(1));
        assert_eq!((row.missing_streams, row.freezes), (2, 2));
        // 3 + 4 of a and 5 of b; where all CPUs are free nothing can be skipped.
        assert_eq!(row.skipped_work, Some(12));
        record
            .hosts
            .iter_mut()
            .for_each(|host| host.cpu_cores_mean = None);
        assert_eq!(SummaryRow::of(&record).skipped_work, None);
    }

    #[test]
    fn pictures() {
        let row = SummaryRow::of(&cell());
        // 300, 300, 270, 150, 0 and 0 frames in 10 s: (30 + 30 + 27 + 15) / 6 streams.
        close(row.fps_mean, 17.0);
        // 3 s of 6 x 10 s.
        close(row.freeze_ratio, 0.05);
        // Per frame: (300 * 40 + 300 * 40 + 270 * 36 + 150 * 30) / 1020 frames = 38220 / 1020.
        close(row.psnr_db_mean, 38_220.0 / 1_020.0);
        // (600 * 0.98 + 270 * 0.95 + 150 * 0.90) / 1020 = (588 + 256.5 + 135) / 1020.
        close(row.ssim_mean, 979.5 / 1_020.0);
    }

    #[test]
    fn rates_and_cpu() {
        let row = SummaryRow::of(&cell());
        // 1,250,000 B and 2,500,000 B and 0 B in 10 s: 1000, 2000 and 0 kbps, of 3 participants.
        close(row.client_up_kbps_mean, 1_000.0);
        // 125,000, 250,000 and 375,000 B: 100, 200 and 300 kbps.
        close(row.client_down_kbps_mean, 200.0);
        // 625,000 B arrive at the TURN server and 612,500 B leave it.
        close(row.turn_in_kbps, 500.0);
        close(row.turn_out_kbps, 490.0);
        // Cores of 0.5 and 1.5; that of c is free.
        close(row.client_cpu_cores_mean, 1.0);
        close(row.client_cpu_cores_max, 1.5);
        assert_eq!(row.signaling_bytes, 4_321);
    }

    #[test]
    fn use_is_of_what_the_busiest_has() {
        let mut record = cell();
        // 2000 kbps of b on 10 Mbps; but a, which sends half of that, has a link of 1.5 Mbps.
        record.hosts[0].link_up_kbps = Some(1_500.0);
        let row = SummaryRow::of(&record);
        close(row.client_up_use_max, 1_000.0 / 1_500.0);
        // c receives 300 kbps of 100 Mbps, the most; b has 1.5 of 4 cores in use.
        close(row.client_down_use_max, 0.003);
        close(row.client_cpu_use_max, 0.375);
        assert_eq!(row.server_cpu_use, None);
        // A link without end is never full.
        record.hosts[0].link_up_kbps = None;
        close(SummaryRow::of(&record).client_up_use_max, 0.2);
    }

    #[test]
    fn what_does_not_apply_is_missing() {
        let row = SummaryRow::of(&cell());
        // A mesh has no server, and the CPU of the TURN server is free.
        assert_eq!((row.server_in_kbps, row.server_out_kbps), (None, None));
        assert_eq!((row.server_cpu_cores, row.turn_cpu_cores), (None, None));

        let mut silent = cell();
        silent.streams.clear();
        silent.connections.clear();
        silent.window_to_ms = silent.window_from_ms;
        let row = SummaryRow::of(&silent);
        assert_eq!(
            (row.fps_mean, row.freeze_ratio, row.psnr_db_mean),
            (None, None, None)
        );
        assert_eq!((row.video_latency_ms_p50, row.setup_ms_p50), (None, None));
        assert_eq!((row.client_up_kbps_mean, row.turn_in_kbps), (None, None));
    }

    #[test]
    fn with_a_server_every_participant_pairs_with_it() {
        let sfu = CellRecord {
            topology: "sfu".into(),
            ..cell()
        };
        assert_eq!(SummaryRow::of(&sfu).expected_pairs, Some(3));
        // The TURN server turned SFU: 625,000 B in 10 s in, 612,500 B out.
        let mut with_server = sfu;
        let server = with_server
            .hosts
            .last_mut()
            .expect("the TURN server is the last host");
        server.role = Role::Sfu;
        let row = SummaryRow::of(&with_server);
        close(row.server_in_kbps, 500.0);
        close(row.server_out_kbps, 490.0);
        assert_eq!(row.turn_in_kbps, None);
    }
}
