//! What a TURN server counts.
//!
//! Bytes on the wire include the IP and UDP headers, and ChannelData or STUN framing where there
//! is any, so that the overhead of relaying is the difference to the payload.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use sim::packet::{IPV4_HEADER, UDP_HEADER};

/// Bytes of an IPv6 header without extensions (RFC 8200).
const IPV6_HEADER: u32 = 40;

/// Packets and their bytes on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WireCount {
    /// Datagrams.
    pub packets: u64,
    /// Bytes, IP and UDP headers included.
    pub wire_bytes: u64,
}

/// Relayed packets of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Direction {
    /// Datagrams that came in on one side and left on the other.
    pub packets: u64,
    /// Bytes of what the peer sees as UDP payload.
    pub payload_bytes: u64,
    /// Bytes on the wire of the datagrams as received.
    pub wire_bytes_in: u64,
    /// Bytes on the wire of the datagrams as sent.
    pub wire_bytes_out: u64,
}

/// Relayed packets of both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelayCounters {
    /// From clients, framed, to peers, bare.
    pub to_peers: Direction,
    /// From peers, bare, to clients, framed.
    pub to_clients: Direction,
}

/// What was relayed for one client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientCounters {
    /// The user name that the latest allocation was made with.
    pub username: Option<String>,
    /// Allocations that were granted.
    pub allocations: u64,
    /// Packets and bytes.
    pub relayed: RelayCounters,
}

/// Everything that a TURN server counts. Counters only grow; expired allocations keep theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TurnCounters {
    /// Relayed for all clients together.
    pub relayed: RelayCounters,
    /// By the clients' addresses, as the server sees them.
    pub clients: BTreeMap<SocketAddr, ClientCounters>,
    /// STUN requests that were received.
    pub requests: WireCount,
    /// STUN responses that were sent.
    pub responses: WireCount,
    /// Received on the server's own port, neither a request nor relayed: no allocation, channel
    /// or permission, or not a STUN or ChannelData message at all.
    pub dropped_from_clients: WireCount,
    /// Received on a relayed address, not relayed: no permission, or too long to be framed.
    pub dropped_from_peers: WireCount,
    /// Relayed or answered, but the socket did not take it.
    pub unsent: WireCount,
}

impl WireCount {
    pub(super) fn add(&mut self, wire_bytes: u64) {
        self.packets += 1;
        self.wire_bytes += wire_bytes;
    }
}

impl Direction {
    fn add(&mut self, payload_bytes: u64, wire_bytes_in: u64, wire_bytes_out: u64) {
        self.packets += 1;
        self.payload_bytes += payload_bytes;
        self.wire_bytes_in += wire_bytes_in;
        self.wire_bytes_out += wire_bytes_out;
    }
}

impl TurnCounters {
    pub(super) fn relayed_to_peer(&mut self, client: SocketAddr, framed: u64, bare: Wire) {
        let relayed = &mut self.clients.entry(client).or_default().relayed;
        for counters in [&mut self.relayed, relayed] {
            counters.to_peers.add(bare.payload, framed, bare.bytes);
        }
    }

    pub(super) fn relayed_to_client(&mut self, client: SocketAddr, bare: Wire, framed: u64) {
        let relayed = &mut self.clients.entry(client).or_default().relayed;
        for counters in [&mut self.relayed, relayed] {
            counters.to_clients.add(bare.payload, bare.bytes, framed);
        }
    }
}

/// The sizes of an unframed datagram.
#[derive(Clone, Copy)]
pub(super) struct Wire {
    pub(super) payload: u64,
    pub(super) bytes: u64,
}

impl Wire {
    pub(super) fn new(ip: IpAddr, payload: usize) -> Self {
        Wire {
            payload: payload as u64,
            bytes: wire_bytes(ip, payload),
        }
    }
}

/// Bytes on the wire of a UDP payload to or from an address of the family of `ip`.
pub(super) fn wire_bytes(ip: IpAddr, payload: usize) -> u64 {
    let ip_header = if ip.is_ipv4() {
        IPV4_HEADER
    } else {
        IPV6_HEADER
    };
    u64::from(ip_header + UDP_HEADER) + payload as u64
}
