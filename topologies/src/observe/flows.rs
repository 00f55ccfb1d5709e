//! RTP from end to end of each connection: how much left and arrived, how long it took, what was
//! lost.

use std::collections::BTreeMap;
use std::time::Duration;

use sim::trace::{PacketEvent, Stage};
use sim::{Ecn, Time};

use super::frames::HopKey;

/// All connections of a call, each way, by the indices of its ends.
pub type FlowLog = BTreeMap<(u16, u16), BTreeMap<u32, Second>>;

/// What a connection did in one second.
#[derive(Clone, Debug, Default)]
pub struct Second {
    /// Packets that left.
    pub sent: u64,
    /// Of those, the ones that were dropped before they came to the receiver.
    pub lost: u64,
    /// Packets that arrived marked CE (RFC 3168).
    pub marked: u64,
    /// Bytes that arrived, all headers counted.
    pub bytes: u64,
    /// How long each of the packets took that came straight from the sender.
    pub delays: Vec<Duration>,
}

/// Notes what happens to a packet of a hop.
pub fn note(log: &mut FlowLog, event: &PacketEvent<'_>, hop: HopKey) {
    let from_sender = hop.is_from(event.origin);
    let flow = log.entry((hop.from, hop.to)).or_default();
    match event.stage {
        Stage::Sent if from_sender => second_of(flow, event.at).sent += 1,
        Stage::Delivered(host) if hop.is_to(host) => {
            let arrived = event.arrived.unwrap_or(event.at);
            let second = second_of(flow, arrived);
            second.bytes += u64::from(event.packet.wire_bytes());
            second.marked += u64::from(event.packet.ecn == Ecn::Ce);
            if from_sender {
                second.delays.push(arrived - event.sent);
            }
        }
        // What arrived and was dropped by a host is no loss of the network.
        Stage::Dropped(..) if event.arrived.is_none() => second_of(flow, event.sent).lost += 1,
        _ => {}
    }
}

fn second_of(flow: &mut BTreeMap<u32, Second>, time: Time) -> &mut Second {
    let second = (time.as_nanos() / 1_000_000_000) as u32;
    flow.entry(second).or_default()
}
