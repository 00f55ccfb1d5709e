//! How long TCP mappings live, by the state of the connections in them (RFC 5382 section 5).
//!
//! A mapping lives as long as one of its connections. A connection is in transition until a SYN
//! has been seen from both sides, and again from a FIN of both sides or a RST of either; packets
//! that follow a RST show that it was ignored (RFC 6146 section 3.5.2.2, state TRANS). One whose
//! first packet is no SYN was there before the NAT knew it, and counts as established, as with
//! `nf_conntrack_tcp_loose` of Linux.
//!
//! An unsolicited inbound SYN is dropped in silence (RFC 5382 REQ-4 forbids an answer within 6 s);
//! the ICMP error that may follow after that is not sent.

use std::time::Duration;

use rustc_hash::FxHashMap;

use super::facet::Facet;
use super::mapping::Slot;
use crate::packet::{Packet, Payload, Protocol};
use crate::time::Time;

/// The least that RFC 5382 REQ-5 allows for an idle established connection: 2 hours 4 minutes.
pub const ESTABLISHED_LIFETIME: Duration = Duration::from_secs(2 * 3600 + 4 * 60);

/// The least that RFC 5382 REQ-5 allows for an idle connection in transition: 4 minutes.
pub const TRANSITORY_LIFETIME: Duration = Duration::from_secs(4 * 60);

/// What a NAT looks at in a TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    /// It has the SYN bit.
    Syn,
    /// It has none of the other three bits.
    Data,
    /// It has the FIN bit.
    Fin,
    /// It has the RST bit.
    Rst,
}

/// What a NAT looks at in a packet, besides its endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A UDP datagram.
    Udp,
    /// A TCP segment.
    Tcp(Segment),
}

impl Transport {
    /// The protocol, whose table has the mapping.
    pub fn protocol(self) -> Protocol {
        match self {
            Transport::Udp => Protocol::Udp,
            Transport::Tcp(_) => Protocol::Tcp,
        }
    }
}

/// Of TCP, a segment without SYN, FIN or RST.
impl From<Protocol> for Transport {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Udp => Transport::Udp,
            Protocol::Tcp => Transport::Tcp(Segment::Data),
        }
    }
}

impl From<&Packet> for Transport {
    fn from(packet: &Packet) -> Self {
        let Payload::Tcp(segment) = &packet.payload else {
            return Transport::from(packet.protocol());
        };
        let flags = segment.flags;
        Transport::Tcp(match (flags.rst, flags.syn, flags.fin) {
            (true, _, _) => Segment::Rst,
            (_, true, _) => Segment::Syn,
            (_, _, true) => Segment::Fin,
            (false, false, false) => Segment::Data,
        })
    }
}

/// The side of the NAT that a packet comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Inside,
    Outside,
}

/// The connections of every mapping of a table.
#[derive(Debug, Default)]
pub(super) struct Connections(FxHashMap<Slot, Vec<Connection>>);

#[derive(Debug)]
struct Connection {
    remote: Facet,
    state: State,
    expires: Time,
}

impl Connections {
    /// A packet of the connection to `remote` passes the mapping at `slot`; returns when that
    /// mapping expires now.
    pub(super) fn pass(
        &mut self,
        now: Time,
        slot: Slot,
        remote: Facet,
        from: Side,
        segment: Segment,
    ) -> Time {
        let connections = self.0.entry(slot).or_default();
        connections.retain(|known| known.expires > now || known.remote == remote);
        let place = connections.iter().position(|known| known.remote == remote);
        let place = place.unwrap_or_else(|| {
            connections.push(Connection {
                remote,
                state: State::before(segment),
                expires: now,
            });
            connections.len() - 1
        });
        let connection = &mut connections[place];
        connection.state.pass(from, segment);
        connection.expires = now + connection.state.lifetime();
        let last = connections.iter().map(|known| known.expires).max();
        last.expect("it has the one that was just found")
    }

    /// The mapping at `slot` is gone.
    pub(super) fn forget(&mut self, slot: Slot) {
        self.0.remove(&slot);
    }
}

/// Which segments have been seen of a connection; of two, the first is from the inside.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    syn: [bool; 2],
    fin: [bool; 2],
    reset: bool,
}

impl State {
    /// That of a connection whose first segment is yet to pass.
    fn before(first: Segment) -> Self {
        State {
            syn: [first != Segment::Syn; 2],
            ..State::default()
        }
    }

    fn pass(&mut self, from: Side, segment: Segment) {
        let side = from as usize;
        match segment {
            Segment::Syn if self.reset || self.fin == [true; 2] => {
                *self = State::default();
                self.syn[side] = true;
            }
            Segment::Syn => self.syn[side] = true,
            Segment::Fin => self.fin[side] = true,
            Segment::Rst => self.reset = true,
            Segment::Data => self.reset = false,
        }
    }

    fn lifetime(self) -> Duration {
        let established = self.syn == [true; 2] && self.fin != [true; 2] && !self.reset;
        match established {
            true => ESTABLISHED_LIFETIME,
            false => TRANSITORY_LIFETIME,
        }
    }
}
