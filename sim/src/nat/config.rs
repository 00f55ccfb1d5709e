//! What a NAT does, in the terms of RFC 4787.

use std::num::{NonZeroU16, NonZeroU32};
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
    /// The internal port, always, also where another mapping has it already: what REQ-3 forbids.
    /// Answers go to whoever sent to their source last. So two hosts that use the same port towards
    /// the same remote endpoint take each other's answers.
    Overloading,
}

/// Which of several external addresses a new mapping gets (RFC 4787 section 4.1, "IP address
/// pooling").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// All mappings of an internal address, of UDP and of TCP, have one external address (REQ-2).
    /// Internal addresses get them in turn, and keep theirs until the NAT reboots.
    Paired,
    /// One drawn at random for every mapping, each as likely as any other.
    Arbitrary,
}

/// What the filter goes by (RFC 4787 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FilterScope {
    /// What was sent through a mapping lets in through that mapping.
    Mapping,
    /// What an internal endpoint has sent lets in through any mapping of that endpoint: section 5
    /// to the letter. Only dependent mapping shows a difference.
    InternalEndpoint,
}

/// How many idle times a UDP mapping has (RFC 4787 section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimerScope {
    /// One: a packet to anyone keeps the mapping, with all that its filter lets in.
    Mapping,
    /// One for each remote that the filter tells apart: who was not sent to for a lifetime is let
    /// in no more, although packets to others keep the mapping. Linux keeps a timer per flow.
    Remote,
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
    /// Delivers it with the sender's internal endpoint as its source, which REQ-9a forbids: who
    /// waits for the endpoint that it has sent to does not know that one. The filter still goes by
    /// the external endpoint.
    InternalSource,
}

/// What a NAT with as many mappings as it can have does with a packet that needs a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// Drops the packet (RFC 6888 REQ-11: existing mappings must not be deleted to make room).
    Refuse,
    /// Ends the mapping that would expire first, and makes the new one.
    Evict,
}

/// What a NAT does with the fragments of a datagram (RFC 4787 section 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fragments {
    /// Translates them in whatever order they come (REQ-14).
    OutOfOrder,
    /// Translates them if the first one, which alone has the ports, comes first; of others, some
    /// are lost, and with them the datagram.
    InOrder,
    /// Drops them.
    Drop,
}

/// One NAT. Presets are in [`super::preset`]; nothing downstream knows which preset was used.
///
/// [`super::presets::FULL_CONE`] is what RFC 4787 asks for, and what to start from in a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NatConfig {
    /// What a mapping depends on (section 4.1).
    pub mapping: Behavior,
    /// Who may send in through a mapping (section 5): remotes that the internal endpoint has sent
    /// to, told apart as the behaviour says.
    pub filtering: Behavior,
    /// Whether what an internal endpoint sent through one mapping counts at its other mappings.
    pub filter_scope: FilterScope,
    /// How one of several external addresses is chosen (section 4.1).
    pub pooling: Pooling,
    /// How external ports are chosen (section 4.2).
    pub ports: PortAssignment,
    /// Even internal ports get even external ports, and odd ones odd ones (section 4.2.2, REQ-4),
    /// as long as there are any: then the other ones. Overloading always does.
    pub port_parity: bool,
    /// Every internal address gets a range of this many ports in a row on each external address
    /// that it uses, the lowest that is free from 1024 on, and no others, for as long as it has a
    /// mapping there (RFC 6888, port ranges per subscriber; REQ-4, a limit on them). `None` shares
    /// all ports. Overloading has no use for it.
    pub port_block: Option<NonZeroU16>,
    /// How long a port rests before another mapping may get it (RFC 6888 REQ-8 recommends 120 s).
    pub port_rest: Duration,
    /// How long an idle UDP mapping lives (section 4.3): REQ-5 demands 2 minutes or more and
    /// recommends 5. For TCP see [`super::tcp`].
    pub udp_lifetime: Duration,
    /// What restarts that lifetime.
    pub refresh: Refresh,
    /// Whether remotes have lifetimes of their own at a UDP mapping.
    pub timer_scope: TimerScope,
    /// What happens to packets from the inside to an external endpoint of this NAT (section 6).
    pub hairpinning: Hairpinning,
    /// An accepted inbound packet makes replies to its sender leave through the mapping that it
    /// came in by, also where the mapping behaviour would make a new one; Linux conntrack does. The
    /// latest accepted packet decides, for as long as its mapping lives.
    pub reply_pinning: bool,
    /// How many mappings there may be at once, of UDP and of TCP each; `None` is as many as there
    /// are ports.
    pub max_mappings: Option<NonZeroU32>,
    /// How many mappings an internal address may have at once, of UDP and of TCP each (RFC 6888
    /// REQ-4). Further ones are refused, whatever `when_full` says.
    pub max_mappings_per_host: Option<NonZeroU32>,
    /// What happens at `max_mappings`.
    pub when_full: WhenFull,
    /// What happens to fragments of datagrams.
    pub fragments: Fragments,
    /// Drops every UDP packet, both ways; TCP is still translated.
    pub block_udp: bool,
    /// A firewall that lets nothing through but TCP to port 443 outside, and what comes back from
    /// there.
    pub only_tcp_443: bool,
}
