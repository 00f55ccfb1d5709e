//! Packets on the wire, with the sizes that links charge for.

use std::net::SocketAddrV4;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use turmoil_net::TcpSegment;

use crate::ecn::Ecn;

/// Bytes of an IPv4 header without options (RFC 791).
pub const IPV4_HEADER: u32 = 20;
/// Bytes of a UDP header (RFC 768).
pub const UDP_HEADER: u32 = 8;
/// Bytes of a TCP header without options (RFC 9293).
pub const TCP_HEADER: u32 = 20;
/// The port of ICE-TCP: that of HTTPS, which firewalls let through.
pub const ICE_TCP_PORT: u16 = 443;
/// Bytes of an ICMP error (RFC 792): its header, and of the packet that it is about the IP header
/// and the first 64 bits of the payload.
pub const ICMP_ERROR: u32 = 8 + IPV4_HEADER + 8;

/// The transport protocol of a packet, as a NAT's table distinguishes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// RFC 768.
    Udp,
    /// RFC 9293.
    Tcp,
}

/// What a packet carries.
#[derive(Clone, Debug)]
pub enum Payload {
    /// The payload of a UDP datagram.
    Udp(Bytes),
    /// A TCP segment; its port fields are rewritten from the packet's endpoints on delivery.
    Tcp(TcpSegment),
    /// "Port unreachable" (RFC 792 type 3, code 3), about a UDP datagram that went the other way:
    /// the packet's source is where it went to, with the port, and its destination who sent it.
    PortUnreachable,
}

/// A packet between two IPv4 endpoints.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Source endpoint, as seen where the packet is now.
    pub source: SocketAddrV4,
    /// Destination endpoint, as seen where the packet is now.
    pub destination: SocketAddrV4,
    /// What it carries.
    pub payload: Payload,
    /// Its ECN field, which NATs leave as it is.
    pub ecn: Ecn,
    /// How many IP fragments it comes in, on the link that it was put on last.
    pub fragments: u16,
    /// Whether the first of them came off that link before all others.
    pub in_order: bool,
}

impl Packet {
    /// A packet in one piece, Not-ECT.
    pub fn new(source: SocketAddrV4, destination: SocketAddrV4, payload: Payload) -> Self {
        Packet {
            source,
            destination,
            payload,
            ecn: Ecn::NotEct,
            fragments: 1,
            in_order: true,
        }
    }

    /// The transport protocol; of an ICMP error, that of the packet that it is about.
    pub fn protocol(&self) -> Protocol {
        match self.payload {
            Payload::Udp(_) | Payload::PortUnreachable => Protocol::Udp,
            Payload::Tcp(_) => Protocol::Tcp,
        }
    }

    /// The segment, if one end of its connection is at [`ICE_TCP_PORT`], so that it may carry packets
    /// of ICE. What else is at that port is for those to tell who know the addresses of servers.
    pub fn ice_tcp(&self) -> Option<&TcpSegment> {
        let ports = [self.source.port(), self.destination.port()];
        match &self.payload {
            Payload::Tcp(segment) if ports.contains(&ICE_TCP_PORT) => Some(segment),
            _ => None,
        }
    }

    /// Whether a host's CPU is charged for it: for UDP, and for data to or from [`ICE_TCP_PORT`].
    pub(crate) fn is_charged(&self) -> bool {
        let carries = |segment: &TcpSegment| !segment.payload.is_empty();
        self.protocol() == Protocol::Udp || self.ice_tcp().is_some_and(carries)
    }

    /// Bytes on the wire: transport header and payload, and an IPv4 header for each fragment.
    pub fn wire_bytes(&self) -> u32 {
        u32::from(self.fragments) * IPV4_HEADER + self.ip_payload_bytes()
    }

    /// Bytes after the IPv4 header of the whole packet.
    pub fn ip_payload_bytes(&self) -> u32 {
        match &self.payload {
            Payload::Udp(data) => UDP_HEADER + data.len() as u32,
            Payload::Tcp(segment) => TCP_HEADER + segment.payload.len() as u32,
            Payload::PortUnreachable => ICMP_ERROR,
        }
    }
}
