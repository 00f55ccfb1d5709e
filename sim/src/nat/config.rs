//! What a NAT does, in the terms of RFC 4787.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much of the remote endpoint a behaviour depends on (RFC 4787 sections 4.1 and 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Behavior {
    /// On nothing: the same for every remote endpoint.
    EndpointIndependent,
    /// On the remote address, not on its port.
    AddressDependent,
    /// On the remote address and port.
    AddressAndPortDependent,
}

/// How an external port is chosen for a new mapping (RFC 4787 section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortAssignment {
    /// The internal port if it is free, otherwise the next free one above it, within 1 to 1023 for
    /// internal ports below 1024 (REQ-3a) and within 1024 to 65535 for all others; at the end of
    /// its range the search goes on at the beginning.
    Preserving,
    /// The next free port after the one assigned last, within 1024 to 65535, from 1024 on.
    Sequential,
    /// A free port drawn at random, each as likely as any other, within 1024 to 65535.
    Random,
}

/// Which packets restart a mapping's lifetime (RFC 4787 section 4.3, REQ-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refresh {
    /// Packets from the inside (REQ-6: mandatory).
    Outbound,
    /// Packets from the inside and accepted packets from the outside.
    Both,
}

/// What a NAT does with a packet from the inside to one of its own external endpoints (RFC 4787
/// section 6, REQ-9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hairpinning {
    /// Drops it.
    None,
    /// Delivers it with the sender's external endpoint as its source (REQ-9a).
    ExternalSource,
}

/// One NAT. Presets are in [`super::preset`]; nothing downstream knows which preset was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NatConfig {
    /// What a mapping depends on (section 4.1).
    pub mapping: Behavior,
    /// Who may send in through a mapping (section 5): remotes that the internal endpoint has sent
    /// to through it, told apart as the behaviour says. What it sent through another mapping does
    /// not count.
    pub filtering: Behavior,
    /// How external ports are chosen (section 4.2).
    pub ports: PortAssignment,
    /// How long an idle UDP mapping lives (section 4.3): REQ-5 demands 2 minutes or more and
    /// recommends 5. Mappings of TCP live for [`super::translator::TCP_LIFETIME`].
    pub udp_lifetime: Duration,
    /// What restarts that lifetime.
    pub refresh: Refresh,
    /// What happens to packets from the inside to an external endpoint of this NAT (section 6).
    pub hairpinning: Hairpinning,
    /// An accepted inbound packet makes replies to its sender leave through the mapping that it
    /// came in by, also where the mapping behaviour would make a new one; Linux conntrack does. The
    /// latest accepted packet decides, for as long as its mapping lives.
    pub reply_pinning: bool,
    /// Drops every UDP packet, both ways; TCP is still translated.
    pub block_udp: bool,
}
