//! Calls in which some do not watch everybody: who gets what, and that nothing else is sent.

use std::collections::BTreeSet;
use std::time::Duration;

use reports::record::{CellRecord, Kind, StreamRecord};
use scenarios::{Plan, Topology};

use crate::bandwidth::{check_share, sent_by};
use crate::packets::PacketLog;
use crate::support::{call, host, watched};

/// A call of four, in which 0 watches 1 and 2, 1 watches everybody but 3, and 2 watches 1 alone; 3
/// watches nobody, and nobody watches 3.
pub fn partial(topology: Topology, nats: [&str; 4]) -> Plan {
    let mut plan = Plan {
        topology,
        // A frame at an edge of the window is 1 % of a stream.
        duration: Duration::from_secs(3),
        ..call(&nats)
    };
    let watches: [&[u16]; 4] = [&[1, 2], &[0, 2], &[1], &[]];
    for (participant, watches) in plan.participants.iter_mut().zip(watches) {
        participant.watches = Some(watches.iter().copied().collect());
    }
    plan
}

/// Senders and receivers, of the five pairs that [`partial`] has.
const PAIRS: [(&str, &str); 5] = [
    ("p0", "p1"),
    ("p1", "p0"),
    ("p1", "p2"),
    ("p2", "p0"),
    ("p2", "p1"),
];

fn check_streams(record: &CellRecord) {
    for kind in [Kind::Video, Kind::Audio] {
        let of_kind = record.streams.iter().filter(|stream| stream.kind == kind);
        let ends = |stream: &StreamRecord| (stream.sender.clone(), stream.receiver.clone());
        let found: Vec<_> = of_kind.map(ends).collect();
        let pairs = PAIRS.map(|(sender, receiver)| (sender.to_owned(), receiver.to_owned()));
        assert_eq!(found, pairs, "{kind:?}");
    }
    for stream in &record.streams {
        // 3 s at 30 frames a second; 20 ms of sound may be on either side of each end.
        match stream.kind {
            Kind::Video => assert_eq!((stream.frames_sent, stream.frames_rendered), (90, 90)),
            Kind::Audio => assert!((148..=152).contains(&stream.frames_rendered), "{stream:?}"),
        }
    }
    assert_eq!(record.warnings, Vec::<String>::new());
}

/// The media on the links of everybody is that of their streams; `sent` are those on the uplink.
fn check_links<'a>(record: &'a CellRecord, sent: impl Fn(&'a str) -> Vec<&'a StreamRecord>) {
    for client in &record.hosts[..4] {
        check_or_nothing(client, &client.window_up, &sent(&client.name));
        let all = record.streams.iter();
        let received: Vec<_> = all.filter(|s| s.receiver == client.name).collect();
        check_or_nothing(client, &client.window_down, &received);
    }
}

fn check_or_nothing(
    client: &reports::record::HostRecord,
    traffic: &reports::record::Traffic,
    streams: &[&StreamRecord],
) {
    match streams {
        [] => assert_eq!(traffic.rtp_packets, 0, "{}", client.name),
        streams => check_share(&client.name, traffic, streams),
    }
}

/// Between which hosts RTP went at any time, by their indices.
fn rtp_paths(log: &PacketLog) -> BTreeSet<(usize, usize)> {
    let media = log.0.iter().filter(|packet| packet.rtp().is_some());
    let path = |packet: &crate::packets::Logged| Some((packet.origin, packet.arrived?.0));
    media.filter_map(path).collect()
}

/// 3 is connected to nobody, and 0 to 2 for one way only.
#[test]
fn in_a_mesh_only_those_who_watch_are_sent_to() {
    let plan = partial(Topology::Mesh, ["none", "port-restricted", "none", "none"]);
    let (record, log) = watched(&plan);
    check_streams(&record);
    let ends = record.connections.iter();
    let ends: Vec<_> = ends
        .map(|end| (end.local.as_str(), end.remote.as_str()))
        .collect();
    let both_ways = [
        ("p0", "p1"),
        ("p0", "p2"),
        ("p1", "p0"),
        ("p1", "p2"),
        ("p2", "p0"),
        ("p2", "p1"),
    ];
    assert_eq!(ends, both_ways);
    assert!(record.connections.iter().all(|end| end.connected));
    let all = || record.streams.iter();
    check_links(&record, |name| all().filter(|s| s.sender == name).collect());
    assert_eq!(
        rtp_paths(&log),
        [(0, 1), (1, 0), (1, 2), (2, 0), (2, 1)].into()
    );
    // An encoder for each who watches, and one of sound.
    let codecs = |name| host(&record, name).codecs;
    let encoders = ["p0", "p1", "p2", "p3"].map(|name| codecs(name).video_encoders);
    assert_eq!(encoders, [1, 2, 2, 0]);
    let decoders = ["p0", "p1", "p2", "p3"].map(|name| codecs(name).video_decoders);
    assert_eq!(decoders, [2, 2, 1, 0]);
}

/// Everybody is connected to the SFU, the fifth host; 3 sends it nothing and gets nothing from it.
#[test]
fn an_sfu_forwards_to_those_who_watch_and_is_sent_what_anybody_watches() {
    let plan = partial(Topology::Sfu, ["none", "port-restricted", "none", "none"]);
    let (record, log) = watched(&plan);
    check_streams(&record);
    assert_eq!(record.connections.len(), 8);
    assert!(record.connections.iter().all(|end| end.connected));
    check_links(&record, |name| sent_by(&record, name));
    let server = host(&record, "sfu");
    let everything: Vec<_> = record.streams.iter().collect();
    check_share("sfu out", &server.window_up, &everything);
    let sfu = record.hosts.iter().position(|host| host.name == "sfu");
    let sfu = sfu.expect("there is one");
    let to_and_from = (0..3).flat_map(|client| [(client, sfu), (sfu, client)]);
    assert_eq!(rtp_paths(&log), to_and_from.collect());
}

/// Each of three watches one other, round in a circle: among all others the same one would come first
/// for two of them, and one of the two does not watch that one.
#[test]
fn last_n_counts_among_those_who_are_watched() {
    let mut plan = partial(Topology::Sfu, ["none"; 4]);
    plan.sfu.last_n = Some(1);
    for (participant, watches) in plan.participants.iter_mut().zip([1, 2, 0]) {
        participant.watches = Some([watches].into());
    }
    let (record, _) = watched(&plan);
    let pictures = record.streams.iter().filter(|s| s.kind == Kind::Video);
    let seen = |s: &StreamRecord| (s.receiver.clone(), s.sender.clone(), s.frames_rendered);
    let seen: BTreeSet<_> = pictures.map(seen).collect();
    let frames = |receiver: &str, sender: &str| (receiver.to_owned(), sender.to_owned(), 90);
    let circle = [("p0", "p1"), ("p1", "p2"), ("p2", "p0")];
    assert_eq!(seen, circle.map(|(a, b)| frames(a, b)).into());
}
