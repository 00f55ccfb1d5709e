//! ICMP errors of hosts about UDP ports that nobody has (RFC 1122 section 4.1.3.1).
//!
//! They are packets like others, which cross links and NATs and may be lost. NATs translate what
//! they quote by the mappings that there are, and change none (RFC 4787 REQ-12, RFC 5508 section
//! 4). An error about a datagram that came in through a mapping made for another remote is lost at
//! a NAT with dependent mapping: it looks for the mapping by the way back.
//!
//! As on a socket that is connected to nobody, an error does not wake its reader.

use std::net::SocketAddrV4;

use super::drops::DropReason;
use super::id::SocketId;
use super::network::Network;
use crate::host::sockets::UdpError;
use crate::nat::{Nat, NatDrop, Outbound};
use crate::packet::{Packet, Payload};
use crate::time::Time;

impl Network {
    /// Whether hosts answer datagrams to closed ports with an error; at first they do not.
    pub fn set_icmp(&mut self, on: bool) {
        self.icmp = on;
    }

    /// The latest error about what a socket has sent, once.
    pub fn take_udp_error(&mut self, id: SocketId) -> Option<UdpError> {
        self.sockets[id.0 as usize].error.take()
    }

    /// The error that a host sends about the packet in a slot, which it drops; none about errors
    /// (RFC 1122 section 3.2.2).
    pub(super) fn refusal(&self, slot: usize, reason: DropReason) -> Option<Packet> {
        let packet = &self.flights[slot].packet;
        let refused = self.icmp && reason == DropReason::PortUnreachable;
        (refused && matches!(packet.payload, Payload::Udp(_))).then(|| {
            let (source, destination) = (packet.destination, packet.source);
            Packet::new(source, destination, Payload::PortUnreachable)
        })
    }
}

/// An error on its way out through a NAT.
pub(super) fn out(nat: &Nat, now: Time, error: &Packet) -> Outbound {
    let (protocol, to) = (error.protocol(), error.destination);
    let Some(source) = nat.external_of(now, protocol, error.source, to) else {
        return Outbound::Drop(NatDrop::NoMapping);
    };
    if !nat.externals().contains(to.ip()) {
        return Outbound::Forward { source };
    }
    match nat.internal_of(now, protocol, to, source) {
        Some(destination) => Outbound::Hairpin {
            source,
            destination,
        },
        None => Outbound::Drop(NatDrop::NoMapping),
    }
}

/// An error on its way in through a NAT: the internal endpoint that it goes to.
pub(super) fn back(nat: &Nat, now: Time, error: &Packet) -> Result<SocketAddrV4, NatDrop> {
    nat.internal_of(now, error.protocol(), error.destination, error.source)
        .ok_or(NatDrop::NoMapping)
}
