//! `nat`: a preset, a changed preset, a NAT written out, or a chain of those.

use std::num::{NonZeroU16, NonZeroU32};
use std::ops::RangeInclusive;

use sim::{
    Behavior, FilterScope, Hairpinning, NatConfig, PortAssignment, Refresh, TimerScope, WhenFull,
};

use crate::document::{Keys, Node, Section};
use crate::presets::{self, Labelled};
use crate::units::Span;

pub(super) const KEYS: Keys = Keys {
    section: "nat",
    names: &[
        "preset",
        "mapping",
        "filtering",
        "filter_scope",
        "ports",
        "port_parity",
        "port_block",
        "port_rest",
        "lifetime",
        "refresh",
        "timer_scope",
        "hairpinning",
        "reply_pinning",
        "max_mappings",
        "max_mappings_per_host",
        "when_full",
        "block_udp",
        "only_tcp_443",
    ],
};

/// From absurdly short to longer than any run.
const LIFETIMES: RangeInclusive<Span> = Span::seconds(1)..=Span::seconds(86_400);

/// From none to far beyond the 120 s of RFC 6888 REQ-8.
const RESTS: RangeInclusive<Span> = Span::ZERO..=Span::seconds(3_600);

/// Up to all ports from 1024 on.
const BLOCKS: RangeInclusive<u64> = 1..=64_512;

/// Up to more mappings than there are ports.
const MAPPINGS: RangeInclusive<u64> = 1..=65_535;

/// More NATs in a row than any network has.
const LONGEST_CHAIN: usize = 4;

const EXAMPLE: &str = "a preset such as \"symmetric\", or { preset = \"symmetric\", \
                       lifetime = \"60 s\" }";

const BEHAVIORS: [(&str, Behavior); 3] = [
    ("endpoint-independent", Behavior::EndpointIndependent),
    ("address-dependent", Behavior::AddressDependent),
    (
        "address-and-port-dependent",
        Behavior::AddressAndPortDependent,
    ),
];

/// The NATs in front of a participant, the innermost first.
pub(super) fn read(node: &Node<'_>) -> Option<Labelled<Vec<NatConfig>>> {
    let Some(items) = node.as_items() else {
        return link_of_chain(node);
    };
    let chain: Vec<_> = items.iter().map(link_of_chain).collect();
    let chain: Vec<_> = chain.into_iter().collect::<Option<_>>()?;
    let label = chain
        .iter()
        .map(|part| part.label.as_str())
        .collect::<Vec<_>>()
        .join("+");
    let value: Vec<NatConfig> = chain.into_iter().flat_map(|part| part.value).collect();
    match value.len() {
        _ if items.is_empty() => node.fail("empty; write \"none\" for a public address"),
        0..=LONGEST_CHAIN => Some(Labelled { value, label }),
        more => node.fail(format!(
            "{more} NATs in a row; write at most {LONGEST_CHAIN}"
        )),
    }
}

fn link_of_chain(node: &Node<'_>) -> Option<Labelled<Vec<NatConfig>>> {
    if node.as_str().is_some() {
        return presets::nat(node);
    }
    let section = node.section(&KEYS, EXAMPLE)?;
    match section.get("preset") {
        None => Some(Labelled::made(vec![written_out(&section)?], None)),
        Some(preset) => changed(&section, &preset, presets::nat(&preset)?),
    }
}

/// The preset with the other keys of its table applied.
fn changed(
    section: &Section<'_>,
    preset: &Node<'_>,
    base: Labelled<Vec<NatConfig>>,
) -> Option<Labelled<Vec<NatConfig>>> {
    if KEYS.names[1..].iter().all(|key| section.get(key).is_none()) {
        return Some(base);
    }
    match base.value[..] {
        [nat] => Some(Labelled::made(
            vec![fields(section, nat)?],
            Some(&base.label),
        )),
        [] => preset.fail(format!(
            "{:?} has no NAT to change; start from another preset, or write the NAT out",
            base.label
        )),
        ref nats => preset.fail(format!(
            "{:?} is {} NATs, so it cannot be changed as one; write a list of NATs instead",
            base.label,
            nats.len()
        )),
    }
}

/// Without a preset, mapping and filtering must be said; the rest is what RFC 4787 asks for:
/// 5 minutes (REQ-5c), outbound refresh (REQ-6), hairpinning with external source (REQ-9a).
fn written_out(section: &Section<'_>) -> Option<NatConfig> {
    let behavior = |node: &Node<'_>| node.choice(&BEHAVIORS);
    let mapping = section.must("mapping", "mapping = \"endpoint-independent\"", behavior);
    let filtering = section.must("filtering", "filtering = \"address-dependent\"", behavior);
    let base = NatConfig {
        // Stand-ins where the key is missing, so that the other keys are still checked.
        mapping: mapping.unwrap_or(Behavior::EndpointIndependent),
        filtering: filtering.unwrap_or(Behavior::EndpointIndependent),
        ports: PortAssignment::Preserving,
        udp_lifetime: Span::seconds(300).into(),
        refresh: Refresh::Outbound,
        hairpinning: Hairpinning::ExternalSource,
        reply_pinning: false,
        block_udp: false,
        ..sim::nat::presets::FULL_CONE
    };
    let nat = others(section, base);
    mapping.and(filtering).and(nat)
}

/// Every key that is written, over `base`.
fn fields(section: &Section<'_>, base: NatConfig) -> Option<NatConfig> {
    let mapping = section.or("mapping", base.mapping, |node| node.choice(&BEHAVIORS));
    let filtering = section.or("filtering", base.filtering, |node| node.choice(&BEHAVIORS));
    let nat = others(section, base);
    Some(NatConfig {
        mapping: mapping?,
        filtering: filtering?,
        ..nat?
    })
}

/// The keys other than mapping and filtering, over `base`.
fn others(section: &Section<'_>, base: NatConfig) -> Option<NatConfig> {
    let ports = port_keys(section, base);
    let timers = timer_keys(section, base);
    let limits = limit_keys(section, base);
    let filter_scope = section.or("filter_scope", base.filter_scope, |node| {
        node.choice(&[
            ("mapping", FilterScope::Mapping),
            ("internal-endpoint", FilterScope::InternalEndpoint),
        ])
    });
    let hairpinning = section.or("hairpinning", base.hairpinning, |node| {
        node.choice(&[
            ("none", Hairpinning::None),
            ("external-source", Hairpinning::ExternalSource),
            ("internal-source", Hairpinning::InternalSource),
        ])
    });
    let reply_pinning = section.or("reply_pinning", base.reply_pinning, Node::boolean);
    let block_udp = section.or("block_udp", base.block_udp, Node::boolean);
    let only_tcp_443 = section.or("only_tcp_443", base.only_tcp_443, Node::boolean);
    let (ports, timers, limits) = (ports?, timers?, limits?);
    Some(NatConfig {
        filter_scope: filter_scope?,
        ports: ports.ports,
        port_parity: ports.port_parity,
        port_block: ports.port_block,
        port_rest: ports.port_rest,
        udp_lifetime: timers.udp_lifetime,
        refresh: timers.refresh,
        timer_scope: timers.timer_scope,
        hairpinning: hairpinning?,
        reply_pinning: reply_pinning?,
        max_mappings: limits.max_mappings,
        max_mappings_per_host: limits.max_mappings_per_host,
        when_full: limits.when_full,
        block_udp: block_udp?,
        only_tcp_443: only_tcp_443?,
        ..base
    })
}

/// The keys about external ports, over `base`.
fn port_keys(section: &Section<'_>, base: NatConfig) -> Option<NatConfig> {
    let ports = section.or("ports", base.ports, ports);
    let port_parity = section.or("port_parity", base.port_parity, Node::boolean);
    let port_block = section.or("port_block", base.port_block, |node| {
        let ports = node.integer(BLOCKS)?;
        Some(NonZeroU16::new(ports as u16))
    });
    let port_rest = section.or("port_rest", base.port_rest, |node| {
        node.within(RESTS).map(Into::into)
    });
    Some(NatConfig {
        ports: ports?,
        port_parity: port_parity?,
        port_block: port_block?,
        port_rest: port_rest?,
        ..base
    })
}

/// The keys about lifetimes, over `base`.
fn timer_keys(section: &Section<'_>, base: NatConfig) -> Option<NatConfig> {
    let udp_lifetime = section.or("lifetime", base.udp_lifetime, |node| {
        node.within(LIFETIMES).map(Into::into)
    });
    let refresh = section.or("refresh", base.refresh, |node| {
        node.choice(&[("outbound", Refresh::Outbound), ("both", Refresh::Both)])
    });
    let timer_scope = section.or("timer_scope", base.timer_scope, |node| {
        node.choice(&[
            ("mapping", TimerScope::Mapping),
            ("remote", TimerScope::Remote),
        ])
    });
    Some(NatConfig {
        udp_lifetime: udp_lifetime?,
        refresh: refresh?,
        timer_scope: timer_scope?,
        ..base
    })
}

/// The keys about numbers of mappings, over `base`.
fn limit_keys(section: &Section<'_>, base: NatConfig) -> Option<NatConfig> {
    let limit = |node: &Node<'_>| {
        let mappings = node.integer(MAPPINGS)?;
        Some(NonZeroU32::new(mappings as u32))
    };
    let max_mappings = section.or("max_mappings", base.max_mappings, limit);
    let per_host = "max_mappings_per_host";
    let max_mappings_per_host = section.or(per_host, base.max_mappings_per_host, limit);
    let when_full = section.or("when_full", base.when_full, |node| {
        node.choice(&[("refuse", WhenFull::Refuse), ("evict", WhenFull::Evict)])
    });
    Some(NatConfig {
        max_mappings: max_mappings?,
        max_mappings_per_host: max_mappings_per_host?,
        when_full: when_full?,
        ..base
    })
}

fn ports(node: &Node<'_>) -> Option<PortAssignment> {
    node.choice(&[
        ("preserving", PortAssignment::Preserving),
        ("sequential", PortAssignment::Sequential),
        ("random", PortAssignment::Random),
        ("overloading", PortAssignment::Overloading),
    ])
}
