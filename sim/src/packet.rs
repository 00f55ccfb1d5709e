//! Packets on the wire, with the sizes that links charge for.

use std::net::SocketAddrV4;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use turmoil_net::TcpSegment;

/// Bytes of an IPv4 header without options (RFC 791).
pub const IPV4_HEADER: u32 = 20;
/// Bytes of a UDP header (RFC 768).
pub const UDP_HEADER: u32 = 8;
/// Bytes of a TCP header without options (RFC 9293).
pub const TCP_HEADER: u32 = 20;

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
}

impl Packet {
    /// The transport protocol.
    pub fn protocol(&self) -> Protocol {
        match self.payload {
            Payload::Udp(_) => Protocol::Udp,
            Payload::Tcp(_) => Protocol::Tcp,
        }
    }

    /// Bytes on the wire: IPv4 header, transport header and payload.
    pub fn wire_bytes(&self) -> u32 {
        IPV4_HEADER
            + match &self.payload {
                Payload::Udp(data) => UDP_HEADER + data.len() as u32,
                Payload::Tcp(segment) => TCP_HEADER + segment.payload.len() as u32,
            }
    }
}
