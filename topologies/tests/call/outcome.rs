//! Calls end as RFC 4787 says they must, and what failed is reported as failed.

use std::time::Duration;

use reports::record::{CellRecord, Kind, StreamRecord};
use scenarios::{Plan, StackPlan};
use topologies::world::window;

use crate::support::{call, host, of_kind, record};

/// With the stack as a careful team ships it, and time enough to connect through a relay.
fn tuned(nats: &[&str]) -> Plan {
    Plan {
        stack: StackPlan::tuned(),
        warmup: Duration::from_secs(5),
        ..call(nats)
    }
}

fn check_conservation(record: &CellRecord) {
    let packets = &record.packets;
    let dropped: u64 = packets.dropped.values().sum();
    assert!(packets.delivered > 1_000);
    assert_eq!(
        packets.sent,
        packets.delivered + dropped + packets.in_flight
    );
}

/// 30 pictures a second, none frozen, none lost, above 30 dB.
fn check_healthy(plan: &Plan, stream: &StreamRecord) {
    let name = (&stream.sender, &stream.receiver);
    let expected = (plan.duration.as_secs_f64() * 30.0) as u64;
    assert_eq!(stream.frames_sent, expected, "{name:?}");
    assert_eq!(stream.frames_received, expected, "{name:?}");
    assert_eq!(stream.frames_rendered, expected, "{name:?}");
    assert_eq!((stream.freezes, stream.freeze_ms), (0, 0.0), "{name:?}");
    assert_eq!(stream.packets_received, stream.packets_sent, "{name:?}");
    let psnr = stream.psnr_db_mean.expect("pictures were shown");
    assert!((30.0..60.0).contains(&psnr), "{name:?}: {psnr} dB");
    let ssim = stream.ssim_mean.expect("pictures were shown");
    assert!((0.8..=1.0).contains(&ssim), "{name:?}: {ssim}");
}

#[test]
fn four_kinds_of_nat_connect_and_one_pair_is_relayed() {
    let plan = tuned(&["none", "full-cone", "port-restricted", "symmetric"]);
    let record = record(&plan);
    assert_eq!(record.connections.len(), 12, "six pairs, from both ends");
    for connection in &record.connections {
        let pair = (connection.local.as_str(), connection.remote.as_str());
        assert!(connection.connected, "{pair:?}");
        // A port-restricted NAT expects the port that it was sent to, and a symmetric one uses
        // another: RFC 4787 sections 4.1 and 5. Every other pair of these can be punched.
        let path = match pair {
            ("p2", "p3") | ("p3", "p2") => "relay",
            _ => "direct",
        };
        assert_eq!(connection.path.as_deref(), Some(path), "{pair:?}");
    }
    of_kind(&record, Kind::Video).for_each(|stream| check_healthy(&plan, stream));
    let turn = host(&record, "turn");
    assert!(turn.window_up.rtp_packets > 0);
    assert_eq!(turn.window_up.rtp_bytes, turn.window_down.rtp_bytes);
    assert_eq!(record.warnings, Vec::<String>::new());
    check_conservation(&record);
}

#[test]
fn who_cannot_use_udp_meets_nobody_and_harms_nobody() {
    let plan = tuned(&["none", "full-cone", "udp-blocked"]);
    let record = record(&plan);
    let blocked = |name: &str| name == "p2";
    for connection in &record.connections {
        let alone = blocked(&connection.local) || blocked(&connection.remote);
        assert_eq!(connection.connected, !alone);
        assert_eq!(connection.path.is_none(), alone);
    }
    assert_eq!(record.connections.len(), 6);
    assert_eq!(of_kind(&record, Kind::Video).count(), 6);
    let window_ms = (window(&plan).1 - window(&plan).0).as_secs_f64() * 1e3;
    for stream in of_kind(&record, Kind::Video) {
        if !blocked(&stream.sender) && !blocked(&stream.receiver) {
            check_healthy(&plan, stream);
            continue;
        }
        // Frozen for all of the window, and missing wherever there is nothing to measure.
        assert_eq!(stream.frames_rendered, 0);
        assert_eq!((stream.freezes, stream.freeze_ms), (1, window_ms));
        assert_eq!(stream.packets_received, 0);
        assert_eq!(stream.latency_us.count(), 0);
        assert_eq!(stream.latency_us.mean(), None);
        assert!(stream.latency_parts_ms.is_empty());
        assert_eq!((stream.psnr_db_mean, stream.ssim_mean), (None, None));
        assert_eq!((&stream.first_frame_ms, &stream.path), (&None, &None));
    }
    check_conservation(&record);
}
