//! Bytes on every access link, by what they carry.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddrV4;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use reports::record::Traffic;
use sim::packet::{IPV4_HEADER, UDP_HEADER};
use sim::trace::{PacketEvent, Stage, Tap};
use sim::{DropReason, HostId, LinkDrop, Payload, Time};

use super::classify::{Class, classify};
use super::framing::{FRAME_HEADER, Scanner, is_ice_tcp};

/// Traffic of one host, both directions.
#[derive(Clone, Debug, Default)]
pub struct HostTraffic {
    /// Put on the link, whole run.
    pub up: Traffic,
    /// Delivered by the link, whole run.
    pub down: Traffic,
    /// As `up`, in the window.
    pub window_up: Traffic,
    /// As `down`, in the window.
    pub window_down: Traffic,
    /// Bytes up and down by second of the run.
    pub seconds: BTreeMap<u32, (u64, u64)>,
}

/// What the network carried.
#[derive(Debug, Default)]
pub struct TrafficLog {
    /// By host.
    pub hosts: BTreeMap<HostId, HostTraffic>,
    /// SRTP streams (SSRC) that crossed a relay.
    pub relayed: BTreeSet<u32>,
}

/// Shares a [`TrafficLog`] between the network and whoever reads it in the end.
#[derive(Clone, Debug, Default)]
pub struct SharedTraffic(Arc<Mutex<TrafficLog>>);

impl SharedTraffic {
    /// The log, to add to or to read.
    ///
    /// # Panics
    ///
    /// If a thread panicked while it held it.
    pub fn lock(&self) -> MutexGuard<'_, TrafficLog> {
        self.0
            .lock()
            .expect("observers do not panic with the lock held")
    }
}

/// Counts what crosses access links.
pub struct TrafficTap {
    log: SharedTraffic,
    window: (Time, Time),
    streams: Streams,
}

impl TrafficTap {
    /// A tap that fills `log`; packets sent or delivered within `window` also count for it.
    pub fn new(log: SharedTraffic, window: (Time, Time)) -> Self {
        TrafficTap {
            log,
            window,
            streams: Streams::default(),
        }
    }
}

#[derive(Clone, Copy)]
enum Direction {
    Up,
    Down,
}

impl Tap for TrafficTap {
    fn packet(&mut self, event: &PacketEvent<'_>) {
        // A host that talks to itself uses no link.
        if event.packet.source.ip() == event.packet.destination.ip() {
            return;
        }
        let (host, direction, sign) = match event.stage {
            Stage::Sent => (event.origin, Direction::Up, 1),
            Stage::Delivered(host) => (host, Direction::Down, 1),
            // It never was on the wire: take back what was counted when it was sent.
            Stage::Dropped(
                DropReason::Uplink(
                    LinkDrop::BufferFull | LinkDrop::TooBig | LinkDrop::Outage | LinkDrop::Codel,
                ),
                _,
            ) => (event.origin, Direction::Up, -1),
            // Of a host that is too busy: to send, and it never was on the wire; or to receive.
            Stage::Dropped(DropReason::CpuOverload, Some(host)) => match event.arrived {
                None => (host, Direction::Up, -1),
                Some(_) => (host, Direction::Down, 1),
            },
            // It crossed the downlink before the host refused it.
            Stage::Dropped(
                DropReason::PortUnreachable | DropReason::SocketBufferFull,
                Some(host),
            ) => (host, Direction::Down, 1),
            Stage::Dropped(..) => return,
        };
        let entry = self.streams.entry(event, (host, sign));
        let mut log = self.log.lock();
        if let Some(ssrc) = entry.relayed_ssrc {
            log.relayed.insert(ssrc);
        }
        let host = log.hosts.entry(host).or_default();
        // When it crossed the link, whatever a CPU did with it after that; or when it was counted.
        let at = match sign {
            ..0 => event.sent,
            _ => event.arrived.unwrap_or(event.at),
        };
        let in_window = (self.window.0..self.window.1).contains(&at);
        let (total, window) = match direction {
            Direction::Up => (&mut host.up, &mut host.window_up),
            Direction::Down => (&mut host.down, &mut host.window_down),
        };
        apply(total, &entry.counts, sign);
        if in_window {
            apply(window, &entry.counts, sign);
        }
        let second = (at.since_start().as_nanos() / Duration::from_secs(1).as_nanos()) as u32;
        let slot = host.seconds.entry(second).or_default();
        let bytes = match direction {
            Direction::Up => &mut slot.0,
            Direction::Down => &mut slot.1,
        };
        *bytes = bytes.wrapping_add_signed(sign * entry.counts.bytes as i64);
    }
}

/// One packet, ready to be counted.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    counts: Traffic,
    relayed_ssrc: Option<u32>,
}

/// Directions of ICE-TCP connections, as each host sees them.
#[derive(Debug, Default)]
struct Streams {
    scanners: BTreeMap<(HostId, SocketAddrV4, SocketAddrV4), Scanner>,
    /// The last segment that was counted, and its direction before it.
    last: Option<(u64, Scanner, Entry)>,
}

impl Streams {
    /// What a packet at a host counts for, which is taken back if `sign` is negative.
    fn entry(&mut self, event: &PacketEvent<'_>, (host, sign): (HostId, i64)) -> Entry {
        match &event.packet.payload {
            Payload::Udp(data) => datagram(event, data),
            Payload::Tcp(_) if is_ice_tcp(event.packet) => {
                let key = (host, event.packet.source, event.packet.destination);
                let scanner = self.scanners.entry(key).or_default();
                match self.last.take_if(|last| sign < 0 && last.0 == event.id) {
                    // It never left: what comes next is the same data again.
                    Some((_, before, entry)) => {
                        *scanner = before;
                        entry
                    }
                    None => {
                        let before = scanner.clone();
                        let entry = segment(event, scanner);
                        self.last = Some((event.id, before, entry));
                        entry
                    }
                }
            }
            Payload::Tcp(_) => Entry {
                counts: Traffic {
                    tcp_bytes: wire_bytes(event),
                    ..whole(event)
                },
                relayed_ssrc: None,
            },
            Payload::PortUnreachable => Entry {
                counts: whole(event),
                relayed_ssrc: None,
            },
        }
    }
}

fn wire_bytes(event: &PacketEvent<'_>) -> u64 {
    u64::from(event.packet.wire_bytes())
}

/// A packet and its bytes, of no class yet.
fn whole(event: &PacketEvent<'_>) -> Traffic {
    Traffic {
        packets: 1,
        bytes: wire_bytes(event),
        ..Traffic::default()
    }
}

fn datagram(event: &PacketEvent<'_>, data: &[u8]) -> Entry {
    let wire = wire_bytes(event);
    debug_assert_eq!(wire, data.len() as u64 + headers(event.packet.fragments));
    let classified = classify(data);
    let overhead = classified.relay_overhead.unwrap_or(0) as u64;
    let mut counts = Traffic {
        turn_bytes: overhead,
        ..whole(event)
    };
    count(&mut counts, classified.class, wire - overhead);
    let relayed_ssrc = match (classified.class, classified.relay_overhead) {
        (Class::Rtp { ssrc, .. }, Some(_)) => Some(ssrc),
        _ => None,
    };
    Entry {
        counts,
        relayed_ssrc,
    }
}

/// A packet in TCP counts when its last byte comes, with its length before it; all else is TCP's.
fn segment(event: &PacketEvent<'_>, scanner: &mut Scanner) -> Entry {
    let mut counts = whole(event);
    let new = scanner.take(event.packet, |data| {
        let framed = (FRAME_HEADER + data.len()) as u64;
        count(&mut counts, classify(data).class, framed);
    });
    counts.tcp_bytes = counts.bytes - new as u64;
    Entry {
        counts,
        relayed_ssrc: None,
    }
}

/// Bytes of the headers of a UDP datagram in so many fragments.
fn headers(fragments: u16) -> u64 {
    u64::from(u32::from(fragments) * IPV4_HEADER + UDP_HEADER)
}

/// Adds so many bytes to what a class has.
fn count(counts: &mut Traffic, class: Class, bytes: u64) {
    match class {
        Class::Rtp { payload, .. } => {
            counts.rtp_bytes += bytes;
            counts.rtp_payload_bytes += payload as u64;
            counts.rtp_packets += 1;
        }
        Class::Rtcp => counts.rtcp_bytes += bytes,
        Class::Stun => counts.stun_bytes += bytes,
        Class::Dtls => counts.dtls_bytes += bytes,
        Class::Data => counts.data_bytes += bytes,
        Class::Other => {}
    }
}

/// Adds what a packet counts for to `traffic`, or takes it back.
fn apply(traffic: &mut Traffic, counts: &Traffic, sign: i64) {
    let add = |sum: &mut u64, value: u64| *sum = sum.wrapping_add_signed(sign * value as i64);
    add(&mut traffic.packets, counts.packets);
    add(&mut traffic.bytes, counts.bytes);
    add(&mut traffic.rtp_bytes, counts.rtp_bytes);
    add(&mut traffic.rtp_payload_bytes, counts.rtp_payload_bytes);
    add(&mut traffic.rtp_packets, counts.rtp_packets);
    add(&mut traffic.rtcp_bytes, counts.rtcp_bytes);
    add(&mut traffic.stun_bytes, counts.stun_bytes);
    add(&mut traffic.turn_bytes, counts.turn_bytes);
    add(&mut traffic.dtls_bytes, counts.dtls_bytes);
    add(&mut traffic.data_bytes, counts.data_bytes);
    add(&mut traffic.tcp_bytes, counts.tcp_bytes);
}
