//! When the packets of each frame left the CPU of their hop's sender and reached its receiver's.
//!
//! Measured on the wire, not in the stack: whatever the stack holds back shows.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::SocketAddrV4;
use std::sync::Arc;

use sim::trace::{PacketEvent, Stage, Tap};
use sim::{HostId, Payload};

use super::classify::{Class, classify};
use super::frames::RepairKind;
use super::framing::{FRAME_HEADER, Scanner, is_ice_tcp};
use super::{Observatory, flows};

/// Times packets at both ends of each hop.
pub struct WireTap {
    observatory: Arc<Observatory>,
    /// Directions of ICE-TCP connections, as each host sees them.
    streams: BTreeMap<(HostId, SocketAddrV4, SocketAddrV4), Scanner>,
}

impl WireTap {
    /// A tap that reports to `observatory`.
    pub fn new(observatory: Arc<Observatory>) -> Self {
        WireTap {
            observatory,
            streams: BTreeMap::new(),
        }
    }

    /// In TCP a packet leaves or arrives with its last byte.
    fn segment(&mut self, event: &PacketEvent<'_>) {
        let host = match event.stage {
            Stage::Sent => event.origin,
            Stage::Delivered(host) => host,
            Stage::Dropped(..) => return,
        };
        let key = (host, event.packet.source, event.packet.destination);
        let stream = self.streams.entry(key).or_default();
        let observatory = &self.observatory;
        stream.take(event.packet, |data| {
            let bytes = (FRAME_HEADER + data.len()) as u64;
            note(observatory, event, data, bytes);
        });
    }
}

impl Tap for WireTap {
    fn packet(&mut self, event: &PacketEvent<'_>) {
        match &event.packet.payload {
            Payload::Udp(data) => {
                let bytes = u64::from(event.packet.wire_bytes());
                note(&self.observatory, event, data, bytes);
            }
            Payload::Tcp(_) if is_ice_tcp(event.packet) => self.segment(event),
            Payload::Tcp(_) | Payload::PortUnreachable => {}
        }
    }
}

/// Notes that a packet of so many bytes left, arrived or was lost, if it belongs to a frame.
fn note(observatory: &Observatory, event: &PacketEvent<'_>, data: &[u8], bytes: u64) {
    let Class::Rtp {
        ssrc,
        sequence,
        timestamp,
        ..
    } = classify(data).class
    else {
        return;
    };
    let mut observations = observatory.lock();
    if let Some((hop, kind)) = observations.repairs.get(&ssrc).copied() {
        let frame = observations.hop_frame_mut(hop, timestamp);
        let leaves = event.stage == Stage::Sent && hop.is_from(event.origin);
        if let Some(frame) = frame.filter(|_| leaves) {
            frame.repaired_by(kind, bytes);
        }
        return;
    }
    let Some(hop) = observations.sources.get(&ssrc).copied() else {
        return;
    };
    if let Some(log) = &mut observations.flows {
        flows::note(log, event, hop);
    }
    let Some(frame) = observations.hop_frame_mut(hop, timestamp) else {
        return;
    };
    // The first time counts: later ones are repairs, or copies behind a relay.
    match event.stage {
        Stage::Sent if hop.is_from(event.origin) => match frame.departures.entry(sequence) {
            Entry::Vacant(place) => _ = place.insert(event.at),
            Entry::Occupied(_) => frame.repaired_by(RepairKind::Retransmission, bytes),
        },
        Stage::Delivered(host) if hop.is_to(host) => {
            // Before the receiver's CPU: what that takes is part of what follows.
            let arrived = event.arrived.unwrap_or(event.at);
            frame.arrivals.entry(sequence).or_insert(arrived);
        }
        // What arrived and was dropped by a host is no loss of the network.
        Stage::Dropped(..) if event.arrived.is_none() => _ = frame.lost.insert(sequence),
        _ => {}
    }
}
