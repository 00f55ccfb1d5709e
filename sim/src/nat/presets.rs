//! Named NATs. A preset expands to a chain of configurations; nothing downstream knows its name.
//!
//! Numbers common to several presets, and where they come from:
//!
//! - 5 minutes of UDP lifetime: the recommended default of RFC 4787 REQ-5c;
//! - 2 minutes: the least that REQ-5 allows, and the default of the Linux connection tracking for
//!   flows with packets both ways (`nf_conntrack_udp_timeout_stream`, 120 s, kernel documentation
//!   `networking/nf_conntrack-sysctl`; the 30 s of flows without an answer are not modelled);
//! - refresh by outbound packets only: REQ-6 demands it, and inbound refresh is optional because
//!   it lets an outsider keep a mapping alive. Linux refreshes both ways.
//!
//! No preset pins replies. With endpoint-independent mapping, or where mapping and filtering both
//! depend on address and port, a reply leaves through the mapping it came in by anyway.

use std::time::Duration;

use super::config::{
    Behavior, FilterScope, Fragments, Hairpinning, NatConfig, Pooling, PortAssignment, Refresh,
    TimerScope, WhenFull,
};

/// The names that [`preset`] knows, from the most open to the most closed.
pub const PRESETS: &[&str] = &[
    "none",
    "full-cone",
    "address-restricted",
    "port-restricted",
    "symmetric",
    "carrier-grade",
    "udp-blocked",
    "only-tcp-443",
];

/// The chain of NATs called `name`, the innermost first; `None` if there is no such preset.
///
/// `none` is the empty chain: a public address. `carrier-grade` is [`PORT_RESTRICTED`] behind
/// [`CARRIER`]. Each of the others is one NAT, documented at its constant.
pub fn preset(name: &str) -> Option<Vec<NatConfig>> {
    match name {
        "none" => Some(vec![]),
        "full-cone" => Some(vec![FULL_CONE]),
        "address-restricted" => Some(vec![ADDRESS_RESTRICTED]),
        "port-restricted" => Some(vec![PORT_RESTRICTED]),
        "symmetric" => Some(vec![SYMMETRIC]),
        "carrier-grade" => Some(vec![PORT_RESTRICTED, CARRIER]),
        "udp-blocked" => Some(vec![UDP_BLOCKED]),
        "only-tcp-443" => Some(vec![ONLY_TCP_443]),
        _ => None,
    }
}

/// Full cone (RFC 3489 section 5): endpoint-independent mapping and filtering.
///
/// What RFC 4787 asks of a NAT where transparency to applications matters most: REQ-1 to REQ-3,
/// REQ-5c, REQ-6, REQ-8 (first choice), REQ-9a and REQ-14. Parity (REQ-4) follows from preserved
/// ports until two of them collide.
pub const FULL_CONE: NatConfig = NatConfig {
    mapping: Behavior::EndpointIndependent,
    filtering: Behavior::EndpointIndependent,
    filter_scope: FilterScope::Mapping,
    pooling: Pooling::Paired,
    ports: PortAssignment::Preserving,
    port_parity: false,
    port_block: None,
    port_rest: Duration::ZERO,
    udp_lifetime: Duration::from_secs(300),
    refresh: Refresh::Outbound,
    timer_scope: TimerScope::Mapping,
    hairpinning: Hairpinning::ExternalSource,
    reply_pinning: false,
    max_mappings: None,
    max_mappings_per_host: None,
    when_full: WhenFull::Refuse,
    fragments: Fragments::OutOfOrder,
    block_udp: false,
    only_tcp_443: false,
};

/// Restricted cone (RFC 3489 section 5): endpoint-independent mapping, address-dependent
/// filtering.
///
/// What RFC 4787 asks of a NAT where stringent filtering matters most: as [`FULL_CONE`], with the
/// second choice of REQ-8.
pub const ADDRESS_RESTRICTED: NatConfig = NatConfig {
    filtering: Behavior::AddressDependent,
    ..FULL_CONE
};

/// Port restricted cone (RFC 3489 section 5): endpoint-independent mapping,
/// address-and-port-dependent filtering.
///
/// A router with a stateful firewall, such as a Linux router whose clients' ports do not collide:
/// "where possible, no port alteration will occur" (iptables-extensions(8), SNAT), so every remote
/// sees one external port, and only tracked flows come in. Its lifetime and its refresh both ways
/// are those of the Linux connection tracking. Masquerading on the way out does not hairpin by
/// itself.
pub const PORT_RESTRICTED: NatConfig = NatConfig {
    filtering: Behavior::AddressAndPortDependent,
    udp_lifetime: Duration::from_secs(120),
    refresh: Refresh::Both,
    hairpinning: Hairpinning::None,
    ..FULL_CONE
};

/// Symmetric (RFC 3489 section 5): address-and-port-dependent mapping and filtering.
///
/// A firewall that rewrites source ports of each flow at random, as pfSense does by default
/// (pfSense documentation, "Static Port"). It fails REQ-1 of RFC 4787 and is the hard case of NAT
/// traversal. The lifetime is the least that REQ-5 allows.
pub const SYMMETRIC: NatConfig = NatConfig {
    mapping: Behavior::AddressAndPortDependent,
    filtering: Behavior::AddressAndPortDependent,
    ports: PortAssignment::Random,
    udp_lifetime: Duration::from_secs(120),
    hairpinning: Hairpinning::None,
    ..FULL_CONE
};

/// The carrier's side of `carrier-grade`: a CGN after RFC 6888.
///
/// Its REQ-1 refers to RFC 4787: endpoint-independent mapping, hairpinning, lifetime. REQ-7
/// recommends endpoint-independent filtering, REQ-15 ports that are hard to guess. One external
/// address makes the paired pooling of its REQ-2 trivial. Limits per subscriber (REQ-4), port ranges
/// and the rest of a port before it is used again (REQ-8) are switches that are off: what a carrier
/// sets differs, and short calls of few hosts do not get near them.
pub const CARRIER: NatConfig = NatConfig {
    ports: PortAssignment::Random,
    ..FULL_CONE
};

/// A firewall that blocks UDP and translates TCP: the network for which RFC 8835 section 3.4 has
/// WebRTC endpoints support TURN over TCP and ICE-TCP.
///
/// TCP is mapped as RFC 5382 REQ-1 demands, and comes in only from where it was sent to.
pub const UDP_BLOCKED: NatConfig = NatConfig {
    block_udp: true,
    ..PORT_RESTRICTED
};

/// A firewall that lets web pages through and nothing else: TCP to port 443, where signalling by
/// `wss:` is, and ICE-TCP.
pub const ONLY_TCP_443: NatConfig = NatConfig {
    only_tcp_443: true,
    ..PORT_RESTRICTED
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_preset_and_only_those() {
        assert!(PRESETS.iter().all(|name| preset(name).is_some()));
        assert_eq!(preset("full_cone"), None);
        assert_eq!(preset(""), None);
    }

    #[test]
    fn presets_are_what_rfc_3489_calls_them() {
        use Behavior::{
            AddressAndPortDependent as Port, AddressDependent as Address,
            EndpointIndependent as Open,
        };
        // RFC 3489 section 5 in the words of RFC 4787. The inner NAT of a carrier's customer is a
        // router at home; RFC 6888 REQ-1 and REQ-7 for the outer one.
        for (name, chain) in [
            ("none", &[][..]),
            ("full-cone", &[(Open, Open)]),
            ("address-restricted", &[(Open, Address)]),
            ("port-restricted", &[(Open, Port)]),
            ("symmetric", &[(Port, Port)]),
            ("carrier-grade", &[(Open, Port), (Open, Open)]),
        ] {
            let behaviors: Vec<_> = preset(name)
                .unwrap()
                .iter()
                .map(|nat| (nat.mapping, nat.filtering))
                .collect();
            assert_eq!(behaviors, chain, "{name}");
        }
    }

    #[test]
    fn no_preset_is_below_the_minimum_lifetime_of_rfc_4787() {
        // REQ-5: not less than two minutes.
        for nat in PRESETS.iter().filter_map(|name| preset(name)).flatten() {
            assert!(nat.udp_lifetime >= Duration::from_secs(120), "{nat:?}");
        }
    }

    #[test]
    fn only_firewalls_block() {
        for name in PRESETS {
            let chain = preset(name).unwrap();
            let blocks = |of: fn(&NatConfig) -> bool| chain.iter().any(of);
            assert_eq!(blocks(|nat| nat.block_udp), *name == "udp-blocked");
            assert_eq!(blocks(|nat| nat.only_tcp_443), *name == "only-tcp-443");
        }
    }
}
