//! Calls through an SFU: streams, bytes and latency against closed forms.

use std::time::Duration;

use reports::record::{HostRecord, Kind, StreamRecord};
use scenarios::{Plan, Topology};

use crate::bandwidth::{check_share, sent_by};
use crate::support::{DELAY, NANOS_PER_BYTE, call, host, record};

fn sfu_call(nats: &[&str]) -> Plan {
    Plan {
        topology: Topology::Sfu,
        ..call(nats)
    }
}

/// With N participants that send b each: N connections; each sends b and receives (N - 1) b; the
/// SFU receives N b and sends N (N - 1) b.
fn check_closed_forms(nats: &[&str]) {
    let mut plan = sfu_call(nats);
    // A frame at an edge of the window is 1 % of a stream.
    plan.duration = Duration::from_secs(3);
    let record = record(&plan);
    let number = nats.len();
    assert_eq!(record.connections.len(), 2 * number);
    assert!(record.connections.iter().all(|end| end.connected));
    assert_eq!(record.streams.len(), 2 * number * (number - 1));
    let everything: Vec<_> = record.streams.iter().collect();
    let mut into_server = Vec::new();
    for client in &record.hosts[..number] {
        let sent = sent_by(&record, &client.name);
        assert_eq!(sent.len(), 2, "one stream of each kind");
        check_share(&client.name, &client.window_up, &sent);
        let of_others = |stream: &&&StreamRecord| stream.receiver == client.name;
        let received: Vec<_> = everything.iter().filter(of_others).copied().collect();
        check_share(&client.name, &client.window_down, &received);
        into_server.extend(sent);
    }
    let server: &HostRecord = host(&record, "sfu");
    check_share("sfu in", &server.window_down, &into_server);
    check_share("sfu out", &server.window_up, &everything);
    for stream in &record.streams {
        // Every frame of the window is shown: 3 s at 30 frames per second.
        if stream.kind == Kind::Video {
            assert_eq!((stream.frames_sent, stream.frames_rendered), (90, 90));
        }
        assert_eq!(stream.packets_received, stream.packets_sent);
    }
    assert_eq!(record.warnings, Vec::<String>::new());
}

#[test]
fn two_to_five_participants_send_once_and_receive_all_others() {
    for number in 2..=5 {
        check_closed_forms(&vec!["port-restricted"; number]);
    }
}

#[test]
fn sixteen_participants_send_once_and_receive_all_others() {
    check_closed_forms(&["none"; 16]);
}

#[test]
fn every_nat_reaches_an_sfu_without_a_relay() {
    let nats = [
        "none",
        "full-cone",
        "address-restricted",
        "port-restricted",
        "symmetric",
    ];
    let record = record(&sfu_call(&nats));
    for end in &record.connections {
        assert!(end.connected, "{} to {}", end.local, end.remote);
        // The server has a public address, so whoever speaks first opens the way.
        assert_eq!(end.path.as_deref(), Some("direct"), "{}", end.local);
    }
    assert_eq!(host(&record, "turn").window_up.rtp_packets, 0);
}

fn part(stream: &StreamRecord, name: &str) -> f64 {
    stream.latency_parts_ms[name]
}

/// Each of the two paths crosses two links; with free CPUs forwarding takes no time.
#[test]
fn latency_is_two_paths_and_adds_up() {
    let plan = sfu_call(&["none", "port-restricted", "symmetric"]);
    let record = record(&plan);
    let propagation = 2.0 * DELAY.as_secs_f64() * 1e3;
    // A packet of at most 1,220 bytes on two links, and behind others of its instant.
    let most = propagation + 2.0 * 1_220.0 * NANOS_PER_BYTE as f64 / 1e6 + 2.0;
    for stream in &record.streams {
        let name = (&stream.sender, &stream.receiver, stream.kind);
        for path in ["uplink", "network"] {
            let length = part(stream, path);
            assert!(
                length > propagation && length < most,
                "{name:?} {path}: {length}"
            );
        }
        assert!(part(stream, "forward").abs() < 1e-9, "{name:?}");
        assert!(part(stream, "pacing").abs() < 1e-9, "{name:?}");
        let sum: f64 = stream.latency_parts_ms.values().sum();
        let mean = stream.latency_us.mean().expect("there is media") / 1e3;
        // Samples are rounded to microseconds; the audio probe has an error of its detector.
        let error = match stream.kind {
            Kind::Video => 0.000_51,
            Kind::Audio => 1.0,
        };
        assert!(
            (sum - mean).abs() <= error,
            "{name:?}: {sum} is not {mean} ms"
        );
    }
}

#[test]
fn who_only_watches_receives_and_sends_nothing() {
    let mut plan = sfu_call(&["none", "none", "port-restricted"]);
    for watcher in &mut plan.participants[1..] {
        watcher.sends = false;
    }
    let record = record(&plan);
    assert!(record.connections.iter().all(|end| end.connected));
    // One sender, two receivers, two kinds.
    assert_eq!(record.streams.len(), 4);
    for stream in record
        .streams
        .iter()
        .filter(|stream| stream.kind == Kind::Video)
    {
        assert_eq!((stream.frames_sent, stream.frames_rendered), (45, 45));
    }
    for watcher in ["p1", "p2"] {
        assert_eq!(host(&record, watcher).window_up.rtp_packets, 0);
    }
}

/// With last-N, each receives the pictures of N others and the sound of all. The probes of all are
/// equally loud, so nobody takes another one's place.
#[test]
fn last_n_forwards_the_pictures_of_n_others_and_the_sound_of_all() {
    let mut plan = sfu_call(&["none", "none", "port-restricted", "none"]);
    plan.sfu.last_n = Some(2);
    let record = record(&plan);
    let of = |kind: Kind, receiver: &str| {
        let all = record.streams.iter();
        let own = all.filter(|stream| stream.kind == kind && stream.receiver == receiver);
        own.cloned().collect::<Vec<_>>()
    };
    for receiver in ["p0", "p1", "p2", "p3"] {
        let pictures = of(Kind::Video, receiver);
        assert_eq!(pictures.len(), 2, "{receiver}");
        for stream in pictures {
            assert_eq!((stream.frames_sent, stream.frames_rendered), (45, 45));
        }
        let sounds = of(Kind::Audio, receiver);
        assert_eq!(sounds.len(), 3, "{receiver}");
        assert!(
            sounds
                .iter()
                .all(|sound| sound.packets_received == sound.packets_sent)
        );
    }
    assert_eq!(record.warnings, Vec::<String>::new());
}
