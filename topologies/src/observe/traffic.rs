//! Bytes on every access link, by what they carry.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use reports::record::Traffic;
use sim::packet::{IPV4_HEADER, UDP_HEADER};
use sim::trace::{PacketEvent, Stage, Tap};
use sim::{DropReason, HostId, LinkDrop, Payload, Time};

use super::classify::{Class, classify};

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
}

impl TrafficTap {
    /// A tap that fills `log`; packets sent or delivered within `window` also count for it.
    pub fn new(log: SharedTraffic, window: (Time, Time)) -> Self {
        TrafficTap { log, window }
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
        let entry = entry(event);
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
        entry.count(total, sign);
        if in_window {
            entry.count(window, sign);
        }
        let second = (at.since_start().as_nanos() / Duration::from_secs(1).as_nanos()) as u32;
        let slot = host.seconds.entry(second).or_default();
        let bytes = match direction {
            Direction::Up => &mut slot.0,
            Direction::Down => &mut slot.1,
        };
        *bytes = bytes.wrapping_add_signed(sign * entry.wire as i64);
    }
}

/// One packet, ready to be counted.
struct Entry {
    wire: u64,
    class: Option<Class>,
    overhead: u64,
    relayed_ssrc: Option<u32>,
}

fn entry(event: &PacketEvent<'_>) -> Entry {
    let wire = u64::from(event.packet.wire_bytes());
    let Payload::Udp(data) = &event.packet.payload else {
        return Entry {
            wire,
            class: match event.packet.payload {
                Payload::PortUnreachable => Some(Class::Other),
                _ => None,
            },
            overhead: 0,
            relayed_ssrc: None,
        };
    };
    debug_assert_eq!(wire, data.len() as u64 + headers(event.packet.fragments));
    let classified = classify(data);
    let relayed_ssrc = match (classified.class, classified.relay_overhead) {
        (Class::Rtp { ssrc, .. }, Some(_)) => Some(ssrc),
        _ => None,
    };
    Entry {
        wire,
        class: Some(classified.class),
        overhead: classified.relay_overhead.unwrap_or(0) as u64,
        relayed_ssrc,
    }
}

/// Bytes of the headers of a UDP datagram in so many fragments.
fn headers(fragments: u16) -> u64 {
    u64::from(u32::from(fragments) * IPV4_HEADER + UDP_HEADER)
}

impl Entry {
    /// Adds the packet to `traffic`, or takes it back.
    fn count(&self, traffic: &mut Traffic, sign: i64) {
        let add = |sum: &mut u64, value: u64| *sum = sum.wrapping_add_signed(sign * value as i64);
        add(&mut traffic.packets, 1);
        add(&mut traffic.bytes, self.wire);
        add(&mut traffic.turn_bytes, self.overhead);
        let own = self.wire - self.overhead;
        match self.class {
            None => add(&mut traffic.tcp_bytes, own),
            Some(Class::Rtp { payload, .. }) => {
                add(&mut traffic.rtp_bytes, own);
                add(&mut traffic.rtp_payload_bytes, payload as u64);
                add(&mut traffic.rtp_packets, 1);
            }
            Some(Class::Rtcp) => add(&mut traffic.rtcp_bytes, own),
            Some(Class::Stun) => add(&mut traffic.stun_bytes, own),
            Some(Class::Dtls) => add(&mut traffic.dtls_bytes, own),
            Some(Class::Data) => add(&mut traffic.data_bytes, own),
            Some(Class::Other) => {}
        }
    }
}
