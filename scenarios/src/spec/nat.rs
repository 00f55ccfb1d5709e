//! `nat`: a preset, a changed preset, a NAT written out, or a chain of those.

use std::ops::RangeInclusive;

use sim::{Behavior, Hairpinning, NatConfig, PortAssignment, Refresh};

use crate::document::{Keys, Node, Section};
use crate::presets::{self, Labelled};
use crate::units::Span;

pub(super) const KEYS: Keys = Keys {
    section: "nat",
    names: &[
        "preset",
        "mapping",
        "filtering",
        "ports",
        "lifetime",
        "refresh",
        "hairpinning",
        "reply_pinning",
        "block_udp",
    ],
};

/// From absurdly short to longer than any run.
const LIFETIMES: RangeInclusive<Span> = Span::seconds(1)..=Span::seconds(86_400);

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
    let ports = section.or("ports", base.ports, ports);
    let udp_lifetime = section.or("lifetime", base.udp_lifetime, |node| {
        node.within(LIFETIMES).map(Into::into)
    });
    let refresh = section.or("refresh", base.refresh, |node| {
        node.choice(&[("outbound", Refresh::Outbound), ("both", Refresh::Both)])
    });
    let hairpinning = section.or("hairpinning", base.hairpinning, |node| {
        node.choice(&[
            ("none", Hairpinning::None),
            ("external-source", Hairpinning::ExternalSource),
        ])
    });
    let reply_pinning = section.or("reply_pinning", base.reply_pinning, Node::boolean);
    let block_udp = section.or("block_udp", base.block_udp, Node::boolean);
    Some(NatConfig {
        ports: ports?,
        udp_lifetime: udp_lifetime?,
        refresh: refresh?,
        hairpinning: hairpinning?,
        reply_pinning: reply_pinning?,
        block_udp: block_udp?,
        ..base
    })
}

fn ports(node: &Node<'_>) -> Option<PortAssignment> {
    node.choice(&[
        ("preserving", PortAssignment::Preserving),
        ("sequential", PortAssignment::Sequential),
        ("random", PortAssignment::Random),
    ])
}
