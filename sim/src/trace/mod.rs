//! What happened to every packet: life cycles, a digest, and captures for Wireshark.

use std::sync::{Arc, Mutex};

use crate::kernel::{DropReason, HostId};
use crate::packet::Packet;
use crate::time::Time;

pub mod counters;
pub mod digest;
pub mod pcapng;

/// A moment in the life of a packet: sent, then delivered or dropped, exactly once each.
#[derive(Clone, Copy, Debug)]
pub struct PacketEvent<'a> {
    /// When it happens.
    pub at: Time,
    /// Numbers packets from 0 in the order of sending.
    pub id: u64,
    /// When the packet was handed to the network.
    pub sent: Time,
    /// When it had crossed its last link, before the CPU of the host there read it; `None` until
    /// then.
    pub arrived: Option<Time>,
    /// The host that sent it.
    pub origin: HostId,
    /// What happens.
    pub stage: Stage,
    /// The packet, with the endpoints that it has at this point of its path.
    pub packet: &'a Packet,
}

/// What happens to a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The origin handed it to its access link, which is when the origin's CPU was done with it.
    Sent,
    /// It was handed to a socket of this host, which is when the host's CPU was done with it.
    Delivered(HostId),
    /// It was dropped; at this host, if it had come as far as a host's link or sockets.
    Dropped(DropReason, Option<HostId>),
}

/// Sees every packet event, in order. Taps observe; they cannot change what happens.
pub trait Tap: Send {
    /// Called for every event.
    fn packet(&mut self, event: &PacketEvent<'_>);
}

/// A tap that is read after the network has taken it.
impl<T: Tap> Tap for Arc<Mutex<T>> {
    fn packet(&mut self, event: &PacketEvent<'_>) {
        self.lock()
            .expect("no thread panicked while tapping")
            .packet(event);
    }
}
