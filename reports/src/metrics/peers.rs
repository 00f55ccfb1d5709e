//! `peers.csv`: a row per host, servers included.

use super::figures::{kbps, max, mean};
use super::row::row;
use crate::record::{CellRecord, ConnectionRecord, HostRecord, Phases};

row! {
    /// One host of one cell. Bytes and packets at the IP layer with all headers, `up` and `down`
    /// as seen from the host; times in ms.
    pub struct PeerRow {
        /// The scenario's name.
        pub scenario: String,
        /// `mesh`, `sfu` or `mcu`.
        pub topology: String,
        /// How many participants the call has.
        pub participants: u32,
        /// The seed of the cell.
        pub seed: u64,
        /// The host's name.
        pub host: String,
        /// `client`, `signaling`, `turn`, `sfu` or `mcu`.
        pub role: &'static str,
        /// The group of the scenario; missing for servers.
        pub group: Option<String>,
        /// What the scenario called its NAT.
        pub nat: String,
        /// What the scenario called its link.
        pub link: String,
        /// Bytes sent, whole run.
        pub up_bytes: u64,
        /// Packets sent, whole run.
        pub up_packets: u64,
        /// Bytes received, whole run.
        pub down_bytes: u64,
        /// Packets received, whole run.
        pub down_packets: u64,
        /// Bytes sent in the measured window.
        pub window_up_bytes: u64,
        /// Packets sent in the measured window.
        pub window_up_packets: u64,
        /// Bytes received in the measured window.
        pub window_down_bytes: u64,
        /// Packets received in the measured window.
        pub window_down_packets: u64,
        /// Sent in the measured window, thousands of bits per second.
        pub window_up_kbps: Option<f64>,
        /// Received in the measured window, thousands of bits per second.
        pub window_down_kbps: Option<f64>,
        /// SRTP sent in the measured window: packets.
        pub window_up_rtp_packets: u64,
        /// SRTP sent in the measured window: bytes.
        pub window_up_rtp_bytes: u64,
        /// The payload of those.
        pub window_up_rtp_payload_bytes: u64,
        /// SRTCP sent in the measured window.
        pub window_up_rtcp_bytes: u64,
        /// STUN sent in the measured window.
        pub window_up_stun_bytes: u64,
        /// What relaying added to what was sent in the measured window.
        pub window_up_turn_bytes: u64,
        /// DTLS sent in the measured window.
        pub window_up_dtls_bytes: u64,
        /// Data channels put on the access link.
        pub window_up_data_bytes: u64,
        /// TCP (signalling) sent in the measured window.
        pub window_up_tcp_bytes: u64,
        /// SRTP received in the measured window: packets.
        pub window_down_rtp_packets: u64,
        /// SRTP received in the measured window: bytes.
        pub window_down_rtp_bytes: u64,
        /// The payload of those.
        pub window_down_rtp_payload_bytes: u64,
        /// SRTCP received in the measured window.
        pub window_down_rtcp_bytes: u64,
        /// STUN received in the measured window.
        pub window_down_stun_bytes: u64,
        /// What relaying added to what was received in the measured window.
        pub window_down_turn_bytes: u64,
        /// DTLS received in the measured window.
        pub window_down_dtls_bytes: u64,
        /// Data channels delivered by the access link.
        pub window_down_data_bytes: u64,
        /// TCP (signalling) received in the measured window.
        pub window_down_tcp_bytes: u64,
        /// Modelled cores in use, mean over the window.
        pub cpu_cores_mean: Option<f64>,
        /// Connections that the host had an end of.
        pub connections: u64,
        /// How many of those connected, as this host saw it.
        pub connected: u64,
        /// Signalling, mean over the connected. The means of the phases add up to that of set-up.
        pub signaling_ms_mean: Option<f64>,
        /// What gathering added, mean over the connected.
        pub gathering_ms_mean: Option<f64>,
        /// ICE, mean over the connected.
        pub ice_ms_mean: Option<f64>,
        /// DTLS, mean over the connected.
        pub dtls_ms_mean: Option<f64>,
        /// From the later join to connected, mean over the connected.
        pub setup_ms_mean: Option<f64>,
        /// The same, of the slowest.
        pub setup_ms_max: Option<f64>,
        /// What the scenario called its computer.
        pub device: String,
        /// H.264 encoders that it had, whole run.
        pub video_encoders: u32,
        /// H.264 decoders, likewise.
        pub video_decoders: u32,
        /// Opus encoders, likewise.
        pub audio_encoders: u32,
        /// Opus decoders, likewise.
        pub audio_decoders: u32,
        /// Pieces of work left out because the CPU was too far behind, whole run; missing where
        /// CPUs are free.
        pub skipped: Option<u64>,
    }
}

impl PeerRow {
    /// The rows of one cell, in the order of its hosts.
    pub fn all(record: &CellRecord) -> impl Iterator<Item = PeerRow> {
        record.hosts.iter().map(|host| PeerRow::of(record, host))
    }

    /// The row of one host.
    pub fn of(record: &CellRecord, host: &HostRecord) -> Self {
        let ends: Vec<_> = record
            .connections
            .iter()
            .filter(|end| end.local == host.name)
            .collect();
        let (up, down) = (&host.window_up, &host.window_down);
        PeerRow {
            scenario: record.scenario.clone(),
            topology: record.topology.clone(),
            participants: record.participants,
            seed: record.seed,
            host: host.name.clone(),
            role: host.role.name(),
            group: host.group.clone(),
            nat: host.nat.clone(),
            link: host.link.clone(),
            up_bytes: host.up.bytes,
            up_packets: host.up.packets,
            down_bytes: host.down.bytes,
            down_packets: host.down.packets,
            window_up_bytes: up.bytes,
            window_up_packets: up.packets,
            window_down_bytes: down.bytes,
            window_down_packets: down.packets,
            window_up_kbps: kbps(record, up.bytes),
            window_down_kbps: kbps(record, down.bytes),
            window_up_rtp_packets: up.rtp_packets,
            window_up_rtp_bytes: up.rtp_bytes,
            window_up_rtp_payload_bytes: up.rtp_payload_bytes,
            window_up_rtcp_bytes: up.rtcp_bytes,
            window_up_stun_bytes: up.stun_bytes,
            window_up_turn_bytes: up.turn_bytes,
            window_up_dtls_bytes: up.dtls_bytes,
            window_up_data_bytes: up.data_bytes,
            window_up_tcp_bytes: up.tcp_bytes,
            window_down_rtp_packets: down.rtp_packets,
            window_down_rtp_bytes: down.rtp_bytes,
            window_down_rtp_payload_bytes: down.rtp_payload_bytes,
            window_down_rtcp_bytes: down.rtcp_bytes,
            window_down_stun_bytes: down.stun_bytes,
            window_down_turn_bytes: down.turn_bytes,
            window_down_dtls_bytes: down.dtls_bytes,
            window_down_data_bytes: down.data_bytes,
            window_down_tcp_bytes: down.tcp_bytes,
            cpu_cores_mean: host.cpu_cores_mean,
            connections: ends.len() as u64,
            connected: ends.iter().filter(|end| end.connected).count() as u64,
            signaling_ms_mean: mean(phase(&ends, |phases| phases.signaling_ms)),
            gathering_ms_mean: mean(phase(&ends, |phases| phases.gathering_ms)),
            ice_ms_mean: mean(phase(&ends, |phases| phases.ice_ms)),
            dtls_ms_mean: mean(phase(&ends, |phases| phases.dtls_ms)),
            setup_ms_mean: mean(phase(&ends, |phases| phases.setup_ms)),
            setup_ms_max: max(phase(&ends, |phases| phases.setup_ms)),
            device: host.device.clone(),
            video_encoders: host.codecs.video_encoders,
            video_decoders: host.codecs.video_decoders,
            audio_encoders: host.codecs.audio_encoders,
            audio_decoders: host.codecs.audio_decoders,
            skipped: host.cpu_cores_mean.map(|_| host.skipped.values().sum()),
        }
    }
}

/// One phase of those ends that connected: what was begun in vain would spoil the sum.
fn phase<'a>(
    ends: &'a [&ConnectionRecord],
    of: fn(&Phases) -> Option<f64>,
) -> impl Iterator<Item = f64> + 'a {
    ends.iter()
        .filter(|end| end.connected)
        .filter_map(move |end| of(&end.phases))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::cell;

    #[test]
    fn phases_are_those_of_connected_ends_and_add_up() {
        let rows: Vec<_> = PeerRow::all(&cell()).collect();
        assert_eq!(rows.len(), 5);
        // a: set-ups of 400 and 900 ms, (400 + 900) / 2 = 650 ms on average; a tenth is
        // signalling, a tenth gathering, half ICE, the rest DTLS.
        let a = &rows[0];
        assert_eq!((a.host.as_str(), a.role), ("a", "client"));
        assert_eq!((a.connections, a.connected), (2, 2));
        assert_eq!(
            (a.setup_ms_mean, a.setup_ms_max),
            (Some(650.0), Some(900.0))
        );
        let phases = [
            a.signaling_ms_mean,
            a.gathering_ms_mean,
            a.ice_ms_mean,
            a.dtls_ms_mean,
        ];
        let sum: f64 = phases.iter().flatten().sum();
        assert!(
            (sum - 650.0).abs() < 1e-9,
            "{phases:?} is not 65 + 65 + 325 + 195"
        );
        assert_eq!(a.ice_ms_mean, Some(325.0));
        // b: one of its two connections failed after 77 ms of signalling, which do not count:
        // 42 ms is a tenth of 420 ms.
        assert_eq!((rows[1].connections, rows[1].connected), (2, 1));
        assert_eq!(rows[1].signaling_ms_mean, Some(42.0));
        // Servers have no ends.
        assert_eq!((rows[4].connections, rows[4].setup_ms_mean), (0, None));
    }

    #[test]
    fn traffic_is_of_the_whole_run_and_of_the_window() {
        let turn = PeerRow::all(&cell())
            .last()
            .expect("the TURN server is the last host");
        // The fixture's whole run carries twice the window: 612,500 B up, 625,000 B down in 10 s.
        assert_eq!((turn.up_bytes, turn.window_up_bytes), (1_225_000, 612_500));
        assert_eq!(
            (turn.down_bytes, turn.window_down_bytes),
            (1_250_000, 625_000)
        );
        assert_eq!(
            (turn.window_up_kbps, turn.window_down_kbps),
            (Some(490.0), Some(500.0))
        );
        assert_eq!(turn.group, None);
    }
}
