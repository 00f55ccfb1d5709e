//! ICE over TCP: who cannot use UDP reaches a server, and everybody by it.

use std::time::Duration;

use reports::record::{CellRecord, Kind, StreamRecord};
use scenarios::{McuPlan, Plan, Topology};

use crate::support::{call, host, of_kind, record};

/// Two participants of ordinary networks, and one behind a firewall that blocks UDP.
fn blocked(topology: Topology) -> Plan {
    Plan {
        topology,
        // Small, so that it is composed fast.
        mcu: McuPlan {
            width: 320,
            height: 180,
            bitrate_bps: 300_000,
            ..McuPlan::default()
        },
        warmup: Duration::from_millis(3_500),
        ..call(&["port-restricted", "udp-blocked", "symmetric"])
    }
}

fn is_blocked(name: &str) -> bool {
    name == "p1"
}

/// Everybody sees and hears everybody, by TCP where a hop is that of who cannot use UDP.
fn check_all_meet(plan: &Plan, record: &CellRecord) {
    for end in &record.connections {
        let tcp = is_blocked(&end.local) || is_blocked(&end.remote);
        let transport = if tcp { "tcp" } else { "udp" };
        assert!(end.connected, "{end:?}");
        assert_eq!(end.transport.as_deref(), Some(transport), "{end:?}");
        assert_eq!(end.path.as_deref(), Some("direct"), "{end:?}");
    }
    assert_eq!(of_kind(record, Kind::Video).count(), 6);
    of_kind(record, Kind::Video).for_each(|stream| check_stream(plan, stream));
    for stream in of_kind(record, Kind::Audio) {
        assert!(stream.latency_us.count() > 0, "{stream:?}");
    }
}

fn check_stream(plan: &Plan, stream: &StreamRecord) {
    let fps = plan.video.as_ref().unwrap().fps;
    let captured = plan.duration.as_secs_f64() * f64::from(fps);
    assert_eq!((stream.freezes, stream.freeze_ms), (0, 0.0), "{stream:?}");
    // All but one or two at the edges of the window.
    let rendered = stream.frames_rendered as f64;
    assert!(
        (captured - 2.0..=captured + 1.0).contains(&rendered),
        "{stream:?}"
    );
    let parts: f64 = stream.latency_parts_ms.values().sum();
    let mean = stream.latency_us.mean().unwrap() / 1e3;
    // The latency of each frame is rounded to 1 us.
    assert!((parts - mean).abs() <= 0.001, "{parts} {mean}");
}

/// What is before the payload of an SRTP packet that goes one way without extensions.
const RTP_HEADER: u64 = 12;

#[test]
fn who_cannot_use_udp_meets_everybody_by_an_sfu() {
    let plan = blocked(Topology::Sfu);
    let record = record(&plan);
    check_all_meet(&plan, &record);
    // IPv4 and UDP take 28 bytes of each packet; in TCP its length takes 2 (RFC 4571), and the 40
    // of each segment are TCP's own.
    for (name, around) in [("p0", 28), ("p1", 2)] {
        let up = host(&record, name).window_up;
        let headers = up.rtp_packets * (around + RTP_HEADER);
        assert_eq!(up.rtp_bytes, up.rtp_payload_bytes + headers, "{name}");
        let classes = up.rtp_bytes + up.rtcp_bytes + up.stun_bytes + up.dtls_bytes + up.tcp_bytes;
        // But for one packet that may lie across each edge of the window.
        assert!(up.bytes.abs_diff(classes) <= 1_500, "{name}: {up:?}");
    }
    let up = host(&record, "p1").window_up;
    // All but a few requests to STUN and TURN, which go by UDP in vain.
    let segments = up.packets - 10..=up.packets;
    assert!(segments.contains(&(up.tcp_bytes / 40)), "{up:?}");
    assert_eq!(up.tcp_bytes % 40, 0);
    assert_eq!(host(&record, "p0").window_up.tcp_bytes, 0);
    assert_eq!(record.warnings, Vec::<String>::new());
}

#[test]
fn who_cannot_use_udp_meets_everybody_by_an_mcu_and_again_in_a_replay() {
    let plan = blocked(Topology::Mcu);
    let first = record(&plan);
    check_all_meet(&plan, &first);
    assert_eq!(first, record(&plan));
}

#[test]
fn a_server_without_ice_tcp_is_not_reached_without_udp() {
    // All else is as above, so that TCP is what made the difference.
    let mut plan = blocked(Topology::Sfu);
    plan.servers.ice_tcp = false;
    let record = record(&plan);
    for end in &record.connections {
        let alone = is_blocked(&end.local) || is_blocked(&end.remote);
        assert_eq!(end.connected, !alone, "{end:?}");
    }
}

/// The same with a firewall that lets TCP to port 443 through and nothing else.
fn walled_in(topology: Topology) -> Plan {
    let mut plan = blocked(topology);
    let nat = plan.participants[1].nats.first_mut().expect("a NAT");
    (nat.block_udp, nat.only_tcp_443) = (false, true);
    plan
}

#[test]
fn who_has_port_443_alone_meets_everybody_by_an_sfu() {
    // Signalling is at port 443 as well, or nobody would know of it.
    let plan = walled_in(Topology::Sfu);
    check_all_meet(&plan, &record(&plan));
}

#[test]
fn who_has_port_443_alone_is_told_apart_in_a_mesh() {
    // It joins the room and tries, so its connections are there, and say that they never came up.
    let record = record(&walled_in(Topology::Mesh));
    assert_eq!(record.connections.len(), 6);
    for end in &record.connections {
        let alone = is_blocked(&end.local) || is_blocked(&end.remote);
        assert_eq!(end.connected, !alone, "{end:?}");
        assert!(end.phases.signaling_ms.is_some(), "{end:?}");
    }
    for stream in &record.streams {
        let alone = is_blocked(&stream.sender) || is_blocked(&stream.receiver);
        assert_eq!(stream.first_frame_ms.is_none(), alone, "{stream:?}");
    }
}
