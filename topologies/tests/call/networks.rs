//! Networks that change in mid-call: over which link packets go, from where, and what they miss.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::time::Duration;

use reports::record::{CellRecord, Kind};
use scenarios::{Access, Event, Handover, Happening, LinkChanges, Plan, Topology};
use sim::{LinkConfig, PipeConfig, nat};

use crate::packets::{Logged, PacketLog};
use crate::support::{DELAY, NANOS_PER_BYTE, call, cell, watched};

/// When p0 changes its network.
const AT: Duration = Duration::from_millis(3_000);

/// One way through p0's links, the old one and the new one: longer than a picture's period.
const FAR: Duration = Duration::from_millis(50);

/// The new one serialises at 4 Mbit/s.
const NEW_NANOS_PER_BYTE: u64 = 2_000;

fn far_link(nanos_per_byte: u64) -> LinkConfig {
    LinkConfig::symmetric(PipeConfig {
        rate_bps: Some(8_000_000_000 / nanos_per_byte),
        delay: FAR,
        ..PipeConfig::default()
    })
}

/// A call of two behind NATs, of whom p0 is far away.
fn two(topology: Topology) -> Plan {
    let mut plan = Plan {
        topology,
        ..call(&["port-restricted"; 2])
    };
    plan.participants[0].link = far_link(NANOS_PER_BYTE);
    (plan.mcu.width, plan.mcu.height) = (320, 180);
    plan
}

/// p0 goes on over another link, behind the same NAT.
pub fn handover(topology: Topology) -> Plan {
    let mut plan = two(topology);
    plan.duration = Duration::from_millis(1_500);
    plan.participants[0].network.handovers = vec![Handover {
        at: AT,
        link: far_link(NEW_NANOS_PER_BYTE),
        link_label: "new".to_owned(),
        changes: LinkChanges::default(),
    }];
    plan
}

/// p0 goes on in another network, behind another NAT.
fn roam() -> Plan {
    let mut plan = two(Topology::Mesh);
    plan.duration = Duration::from_secs(9);
    let to = Access {
        nats: nat::presets::preset("carrier-grade").expect("a preset"),
        link: far_link(NEW_NANOS_PER_BYTE),
    };
    plan.events = vec![Event {
        at: AT,
        lasts: Duration::ZERO,
        what: Happening::Roam {
            participant: 0,
            to: Box::new(to),
        },
    }];
    plan
}

/// What p0 sent to p1 and p1 received, of media before and after the change.
fn media(log: &PacketLog) -> [Vec<&Logged>; 2] {
    let media = log.0.iter().filter(|packet| packet.rtp().is_some());
    let there = media.filter(|packet| packet.origin == 0 && packet.seen_from.is_some());
    there
        .partition::<Vec<_>, _>(|packet| packet.sent < AT.as_nanos() as u64)
        .into()
}

/// Addresses that p1 saw packets of p0 come from.
fn seen_from(packets: &[&Logged]) -> BTreeSet<Ipv4Addr> {
    let seen = packets.iter().filter_map(|packet| packet.seen_from);
    seen.map(|source| *source.ip()).collect()
}

/// Each byte of a packet takes so long on p0's link, then 80 ns on that of p1, and the way is that of
/// both links. A packet that finds both of them idle takes exactly that, and others longer: those of
/// a keyframe, some kB, by what is ahead of them.
fn assert_sent_at(packets: &[&Logged], nanos_per_byte: u64) {
    let waited = |packet: &&Logged| {
        let (_, arrived) = packet.arrived.expect("chosen so");
        let serialised = packet.wire * (nanos_per_byte + NANOS_PER_BYTE);
        let least = serialised + (FAR + DELAY).as_nanos() as u64;
        (arrived - packet.sent)
            .checked_sub(least)
            .expect("no packet is faster")
    };
    let waits: Vec<_> = packets.iter().map(waited).collect();
    assert_eq!(waits.iter().min(), Some(&0));
    let most = 20_000 * nanos_per_byte;
    assert!(waits.iter().all(|wait| *wait <= most), "{waits:?}");
}

/// The user names of ICE in what p0 sends to others: `REMOTE:LOCAL` (RFC 8445 section 7.2.2), the
/// attribute 0x0006 of a binding request (RFC 8489 section 14.3).
fn user_names(log: &PacketLog, from: Duration) -> BTreeSet<Vec<u8>> {
    let own = log.0.iter().filter(|packet| packet.origin == 0);
    let late = own.filter(|packet| packet.sent >= from.as_nanos() as u64);
    late.filter_map(|packet| user_name(&packet.data)).collect()
}

fn user_name(data: &[u8]) -> Option<Vec<u8>> {
    let (header, mut attributes) = data.split_at_checked(20)?;
    if header[..2] != [0, 1] || header[4..8] != [0x21, 0x12, 0xa4, 0x42] {
        return None;
    }
    while let Some((kind, rest)) = attributes.split_at_checked(4) {
        let length = usize::from(u16::from_be_bytes([kind[2], kind[3]]));
        if kind[..2] == [0, 6] {
            return Some(rest.get(..length)?.to_vec());
        }
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}

/// Every stream was interrupted once, by this, for as long as `bounds` say of its kind, in ms, and
/// goes on until the end.
fn assert_interrupted(
    record: &CellRecord,
    what: &str,
    bounds: impl Fn(Kind) -> RangeInclusive<f64>,
) {
    assert_eq!(record.streams.len(), 4);
    for stream in &record.streams {
        let [interruption] = &stream.interruptions[..] else {
            panic!("one thing happened: {stream:#?}");
        };
        let told = (
            &interruption.what[..],
            &interruption.host[..],
            interruption.at_ms,
        );
        assert_eq!(told, (what, "p0", 3_000.0));
        assert!(interruption.recovered, "{stream:#?}");
        let bounds = bounds(stream.kind);
        assert!(
            bounds.contains(&interruption.gap_ms),
            "{bounds:?} {stream:#?}"
        );
    }
}

/// What a handover to a link of the same length costs. What is on p0's old link is lost, either way:
/// 50 ms of it, two or three packets of sound and one or two pictures.
fn lost_on_a_link(kind: Kind) -> RangeInclusive<f64> {
    match kind {
        // Two or three packets of 20 ms are missing, and those around them are up to a tick of the
        // loudspeaker apart, 20 ms.
        Kind::Audio => 40.0..=100.0,
        // From the picture before those that are missing to the one after them, at least two periods
        // of 33 ms less a tick of the display, 17 ms. At most two are missing, the third one tells;
        // the receiver asks for it all again or for a keyframe, up to 120 ms there and back, which
        // is encoded a period later and shown a playout delay of 60 ms and a tick later.
        Kind::Video => 50.0..=100.0 + 120.0 + 33.4 + 60.0 + 16.7,
    }
}

#[test]
fn after_a_handover_media_goes_on_from_the_same_address_over_the_new_link() {
    let (record, log) = watched(&handover(Topology::Mesh));
    assert_interrupted(&record, "handover", lost_on_a_link);
    let [before, after] = media(&log);
    assert_sent_at(&before, NANOS_PER_BYTE);
    assert_sent_at(&after, NEW_NANOS_PER_BYTE);
    assert_eq!(seen_from(&before), seen_from(&after));
    // The connection goes on, so ICE has nothing to restart for.
    let names = user_names(&log, Duration::ZERO);
    assert_eq!((names.len(), user_names(&log, AT)), (1, names));
}

#[test]
fn after_a_move_ice_restarts_and_media_comes_from_the_new_network() {
    let (record, log) = watched(&roam());
    // See `calls/networks.rs`: 3 to 5 s until ICE is disconnected, and a restart of 2.5 s at most.
    assert_interrupted(&record, "roam", |_| 3_000.0..=7_500.0);
    let [before, after] = media(&log);
    assert_sent_at(&before, NANOS_PER_BYTE);
    assert_sent_at(&after, NEW_NANOS_PER_BYTE);
    let (old, new) = (seen_from(&before), seen_from(&after));
    assert_eq!((old.len(), new.len()), (1, 1), "{old:?} {new:?}");
    assert!(old.is_disjoint(&new), "{old:?} {new:?}");
    let [first, both] = [Duration::ZERO, AT].map(|from| user_names(&log, from));
    assert_eq!(
        first, both,
        "checks of the old names go on until ICE restarts"
    );
    assert_eq!(both.len(), 2);
}

/// In a call with a server the same is lost between it and p0.
#[test]
fn a_handover_is_measured_in_every_topology_and_replays_to_the_byte() {
    for topology in [Topology::Mesh, Topology::Sfu, Topology::Mcu] {
        let plan = handover(topology);
        let first = cell(&plan, true);
        assert_interrupted(&first.record, "handover", |kind| match (topology, kind) {
            (Topology::Mcu, Kind::Video) => 0.0..=400.0,
            _ => lost_on_a_link(kind),
        });
        let again = cell(&plan, true);
        assert_eq!(first.record, again.record, "{topology}");
        assert!(first.pcap == again.pcap, "{topology}: captures differ");
    }
}
