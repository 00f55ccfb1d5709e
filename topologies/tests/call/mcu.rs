//! Calls through an MCU: streams and bytes against closed forms.

use std::time::Duration;

use reports::record::{HostRecord, Kind, Traffic};
use scenarios::{McuEncoders, McuPlan, Plan, Topology};

use crate::bandwidth::{check_share, other_classes, sent_by};
use crate::support::{call, host, record};

/// Tiles of 80x48 for up to sixteen, at the cameras' rate, so that each picture is in the mix once.
fn mcu_call(nats: &[&str], encoders: McuEncoders) -> Plan {
    let mut plan = Plan {
        topology: Topology::Mcu,
        // A frame at an edge of the window is 1 % of a stream.
        duration: Duration::from_secs(3),
        ..call(nats)
    };
    plan.mcu = McuPlan {
        width: 320,
        height: 192,
        fps: 30,
        bitrate_bps: 400_000,
        encoders,
        ..McuPlan::default()
    };
    plan
}

fn check_within_2_percent(name: &str, got: u64, expected: u64) {
    let share = got as f64 / expected as f64;
    assert!(
        (0.98..=1.02).contains(&share),
        "{name}: {got}, not {expected}"
    );
}

fn payload_bytes<'a>(directions: impl Iterator<Item = &'a Traffic>) -> u64 {
    directions.map(|traffic| traffic.rtp_payload_bytes).sum()
}

/// With N participants that send b each: N connections; each sends b and receives the mix; the MCU
/// receives N b and sends N mixes, from one encoder of pictures or N.
fn check_closed_forms(nats: &[&str], encoders: McuEncoders) {
    let record = record(&mcu_call(nats, encoders));
    let number = nats.len();
    assert_eq!(record.connections.len(), 2 * number);
    assert!(record.connections.iter().all(|end| end.connected));
    assert_eq!(record.streams.len(), 2 * number * (number - 1));
    let clients = &record.hosts[..number];
    let server: &HostRecord = host(&record, "mcu");
    let mut into_server = Vec::new();
    for client in clients {
        let sent = sent_by(&record, &client.name);
        assert_eq!(sent.len(), 2, "one stream of each kind");
        check_share(&client.name, &client.window_up, &sent);
        into_server.extend(sent);
        let codecs = (client.codecs.video_encoders, client.codecs.video_decoders);
        assert_eq!(codecs, (1, 1), "{}", client.name);
    }
    check_share("mcu in", &server.window_down, &into_server);
    let video_encoders = match encoders {
        McuEncoders::Shared => 1,
        McuEncoders::PerParticipant => number as u32,
    };
    let codecs = (server.codecs.video_encoders, server.codecs.video_decoders);
    assert_eq!(codecs, (video_encoders, number as u32));
    let out = &server.window_up;
    let down = || clients.iter().map(|client| &client.window_down);
    // What the MCU sends is what its clients receive, and headers are exact: 40 bytes on each RTP
    // packet (IPv4 20, UDP 8, RTP 12).
    check_within_2_percent("mixes", out.rtp_payload_bytes, payload_bytes(down()));
    assert_eq!(out.rtp_bytes, out.rtp_payload_bytes + 40 * out.rtp_packets);
    assert_eq!(out.bytes, out.rtp_bytes + other_classes(out));
    if encoders == McuEncoders::Shared {
        // The same pictures for all, and sound of one rate: N times one mix.
        for client in clients {
            let all = number as u64 * client.window_down.rtp_payload_bytes;
            check_within_2_percent(&client.name, all, out.rtp_payload_bytes);
        }
    }
    for stream in record
        .streams
        .iter()
        .filter(|stream| stream.kind == Kind::Video)
    {
        // Every picture of the window is shown: 3 s at 30 pictures per second.
        let name = (&stream.sender, &stream.receiver);
        assert_eq!(
            (stream.frames_sent, stream.frames_rendered),
            (90, 90),
            "{name:?}"
        );
    }
    assert_eq!(record.warnings, Vec::<String>::new());
}

#[test]
fn two_to_five_participants_send_once_and_receive_one_mix() {
    for number in 2..=5 {
        check_closed_forms(&vec!["port-restricted"; number], McuEncoders::Shared);
    }
}

#[test]
fn participants_with_mixes_of_their_own_receive_one_each() {
    check_closed_forms(&["port-restricted"; 3], McuEncoders::PerParticipant);
}

#[test]
fn sixteen_participants_send_once_and_receive_one_mix() {
    check_closed_forms(&["none"; 16], McuEncoders::Shared);
}
