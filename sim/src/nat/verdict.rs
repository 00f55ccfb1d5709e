//! What became of a packet at a NAT.

use std::net::SocketAddrV4;

use serde::{Deserialize, Serialize};

/// What a NAT does with a packet from the inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outbound {
    /// It leaves on the external side, to its unchanged destination.
    Forward {
        /// The sender's external endpoint.
        source: SocketAddrV4,
    },
    /// It was sent to an external endpoint of this NAT and goes back inside, translated both ways
    /// (RFC 4787 section 6).
    Hairpin {
        /// The sender's external endpoint (REQ-9a), or its internal one, as the NAT hairpins.
        source: SocketAddrV4,
        /// The internal endpoint behind the mapping that it was sent to.
        destination: SocketAddrV4,
    },
    /// It goes nowhere.
    Drop(NatDrop),
}

/// Why a NAT drops a packet.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    thiserror::Error,
)]
#[serde(rename_all = "kebab-case")]
pub enum NatDrop {
    /// It is UDP, and the NAT blocks UDP.
    #[error("the NAT blocks UDP")]
    UdpBlocked,
    /// It is TCP, and not to or from port 443, and the NAT's firewall lets nothing else through.
    #[error("the firewall lets through TCP to port 443 alone")]
    TcpBlocked,
    /// It came to an external endpoint that has no live mapping.
    #[error("no mapping has this external endpoint")]
    NoMapping,
    /// The internal endpoint has not sent to where it came from, as the filtering behaviour asks.
    #[error("the filter of the mapping does not let this source in")]
    Filtered,
    /// It came from the inside to the NAT's own address, and the NAT does not hairpin.
    #[error("the NAT does not hairpin")]
    NoHairpinning,
    /// It needs a new mapping, and no external port is free.
    #[error("no external port is free")]
    PortsExhausted,
    /// It needs a new mapping, and the table has as many as it may have.
    #[error("the table of mappings is full")]
    TableFull,
    /// It needs a new mapping, and its host has as many as it may have.
    #[error("the host has as many mappings as it may have")]
    HostLimit,
    /// It came in fragments, and the NAT does not translate those.
    #[error("the NAT drops fragments")]
    Fragmented,
    /// It came in fragments, not the first one first, and the NAT cannot tell whose the others are.
    #[error("the NAT translates fragments in order alone")]
    FragmentsOutOfOrder,
}

impl NatDrop {
    /// A stable kebab-case name for traces and tables.
    pub const fn name(self) -> &'static str {
        match self {
            NatDrop::UdpBlocked => "udp-blocked",
            NatDrop::TcpBlocked => "tcp-blocked",
            NatDrop::NoMapping => "no-mapping",
            NatDrop::Filtered => "filtered",
            NatDrop::NoHairpinning => "no-hairpinning",
            NatDrop::PortsExhausted => "ports-exhausted",
            NatDrop::TableFull => "table-full",
            NatDrop::HostLimit => "host-limit",
            NatDrop::Fragmented => "fragmented",
            NatDrop::FragmentsOutOfOrder => "fragments-out-of-order",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_variants_in_kebab_case() {
        // Traces and tables of earlier runs have them: a renamed variant has to show up here.
        for (reason, name) in [
            (NatDrop::UdpBlocked, "udp-blocked"),
            (NatDrop::NoMapping, "no-mapping"),
            (NatDrop::Filtered, "filtered"),
            (NatDrop::NoHairpinning, "no-hairpinning"),
            (NatDrop::PortsExhausted, "ports-exhausted"),
            (NatDrop::TcpBlocked, "tcp-blocked"),
            (NatDrop::TableFull, "table-full"),
            (NatDrop::HostLimit, "host-limit"),
            (NatDrop::Fragmented, "fragmented"),
            (NatDrop::FragmentsOutOfOrder, "fragments-out-of-order"),
        ] {
            assert_eq!(reason.name(), name);
        }
    }
}
