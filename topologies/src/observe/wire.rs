//! When the packets of each frame left the CPU of their hop's sender and reached its receiver's.
//!
//! Measured on the wire, not in the stack: whatever the stack holds back shows.

use std::sync::Arc;

use sim::trace::{PacketEvent, Stage, Tap};
use sim::{HostId, Payload};

use super::Observatory;
use super::classify::{Class, classify};

/// Times packets at both ends of each hop.
pub struct WireTap {
    observatory: Arc<Observatory>,
}

impl WireTap {
    /// A tap that reports to `observatory`.
    pub fn new(observatory: Arc<Observatory>) -> Self {
        WireTap { observatory }
    }
}

impl Tap for WireTap {
    fn packet(&mut self, event: &PacketEvent<'_>) {
        let Payload::Udp(data) = &event.packet.payload else {
            return;
        };
        if matches!(event.stage, Stage::Dropped(..)) {
            return;
        }
        let Class::Rtp {
            ssrc,
            sequence,
            timestamp,
            ..
        } = classify(data).class
        else {
            return;
        };
        let mut observations = self.observatory.lock();
        let Some(hop) = observations.sources.get(&ssrc).copied() else {
            return;
        };
        let Some(frame) = observations.hop_frame_mut(hop, timestamp) else {
            return;
        };
        // The first time counts: later ones are repairs, or copies behind a relay.
        match event.stage {
            Stage::Sent if is(event.origin, hop.from) => {
                frame.departures.entry(sequence).or_insert(event.at);
            }
            Stage::Delivered(host) if is(host, hop.to) => {
                // Before the receiver's CPU: what that takes is part of what follows.
                let arrived = event.arrived.unwrap_or(event.at);
                frame.arrivals.entry(sequence).or_insert(arrived);
            }
            _ => {}
        }
    }
}

fn is(host: HostId, index: u16) -> bool {
    host.index() == usize::from(index)
}
