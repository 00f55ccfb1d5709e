//! Which NATs meet: by name, by mapping and filtering, or written out.

use std::time::Duration;

use sim::nat::presets::{CARRIER, FULL_CONE};
use sim::{Behavior, FilterScope, Hairpinning, NatConfig, PortAssignment};

use crate::document::{Node, Section};
use crate::plan::NatType;
use crate::spec::call::distinct;
use crate::spec::nat;
use crate::units::Span;

/// The types of RFC 3489, from the most open to the most closed.
pub(crate) const CLASSIC: [&str; 4] = [
    "full-cone",
    "address-restricted",
    "port-restricted",
    "symmetric",
];

/// What the expectation knows is about mappings that outlive the set-up of a connection.
const SHORTEST_LIFETIME: Duration = Duration::from_secs(60);

const BEHAVIORS: [(Behavior, &str, &str); 3] = [
    (Behavior::EndpointIndependent, "EIM", "EIF"),
    (Behavior::AddressDependent, "ADM", "ADF"),
    (Behavior::AddressAndPortDependent, "APDM", "APDF"),
];

/// Every mapping with every filtering of RFC 4787; the rest is what it asks for.
pub(crate) fn behaviors() -> Vec<NatType> {
    let with = |mapping| {
        BEHAVIORS.map(|(filtering, ..)| {
            let nat = NatConfig {
                mapping,
                filtering,
                ..FULL_CONE
            };
            NatType {
                name: short_name(&nat),
                nats: vec![nat],
            }
        })
    };
    BEHAVIORS
        .iter()
        .flat_map(|&(mapping, ..)| with(mapping))
        .collect()
}

/// The type of a preset.
pub(crate) fn preset(name: &str) -> NatType {
    NatType {
        name: name.to_owned(),
        nats: sim::nat::preset(name).expect("asked for by the names of presets"),
    }
}

/// The types of RFC 3489 as home NATs behind a carrier's, one that hairpins and one that does not.
pub(crate) fn behind_carriers() -> Vec<NatType> {
    let deaf = NatConfig {
        hairpinning: Hairpinning::None,
        ..CARRIER
    };
    let carriers = [("carrier", CARRIER), ("deaf-carrier", deaf)];
    let behind = |(name, carrier)| {
        CLASSIC.map(|home| {
            let mut nat = preset(home);
            nat.name = format!("{home}+{name}");
            nat.nats.push(carrier);
            nat
        })
    };
    carriers.into_iter().flat_map(behind).collect()
}

/// Every pair that meets in the whole matrix.
pub(super) fn all() -> Vec<(NatType, NatType)> {
    let presets = sim::nat::PRESETS.iter().map(|name| preset(name)).collect();
    let apart = [behaviors(), presets].into_iter();
    let apart = apart.flat_map(|types: Vec<NatType>| squared(&types));
    let together = behind_carriers().into_iter();
    apart
        .chain(together.map(|nat| (nat.clone(), nat)))
        .collect()
}

/// The pairs that were chosen; `None` inside if none were.
pub(super) fn pairs(section: &Section<'_>) -> Option<Option<Vec<(NatType, NatType)>>> {
    match (section.get("types"), section.get("pairs")) {
        (Some(_), Some(pairs)) => pairs.fail("there are types already; drop one of the two"),
        (Some(node), None) => {
            let items = node.items("[\"port-restricted\", \"symmetric\"]")?;
            let fix = "write [\"port-restricted\", \"symmetric\"]";
            let mut types = distinct(&node, &items, fix, one)?;
            number(types.iter_mut());
            Some(Some(squared(&types)))
        }
        (None, Some(node)) => {
            let items = node.items("[[\"port-restricted\", \"symmetric\"]]")?;
            let fix = "write [[\"port-restricted\", \"symmetric\"]]";
            let mut pairs = distinct(&node, &items, fix, pair)?;
            number(pairs.iter_mut().flat_map(|(a, b)| [a, b]));
            Some(Some(pairs))
        }
        (None, None) => Some(None),
    }
}

/// Every ordered pair, each with itself included.
pub(crate) fn squared(types: &[NatType]) -> Vec<(NatType, NatType)> {
    let with = |a: &NatType| {
        let a = a.clone();
        types.iter().map(move |b| (a.clone(), b.clone()))
    };
    types.iter().flat_map(with).collect()
}

fn pair(node: &Node<'_>) -> Option<(NatType, NatType)> {
    match node
        .items("[\"port-restricted\", \"symmetric\"]")?
        .as_slice()
    {
        [a, b] => {
            let (a, b) = (one(a), one(b));
            Some((a?, b?))
        }
        _ => node.fail("a pair has two types; write [\"port-restricted\", \"symmetric\"]"),
    }
}

/// A type: mapping and filtering in short, or whatever a group's `nat` may be.
fn one(node: &Node<'_>) -> Option<NatType> {
    let short = |name: &str| behaviors().into_iter().find(|known| known.name == name);
    if let Some(known) = node.as_str().and_then(short) {
        return Some(known);
    }
    if node.as_str().is_some_and(|name| name.contains('/')) {
        let names = behaviors();
        let names: Vec<&str> = names.iter().map(|known| known.name.as_str()).collect();
        return node.unknown(node.as_str()?, "type", names);
    }
    let nats = nat::read(node)?;
    let name = match (nats.label.as_str(), nats.value.as_slice()) {
        ("custom", [nat]) => short_name(nat),
        (label, _) => label.to_owned(),
    };
    let known = nats.value.iter().try_for_each(|nat| predictable(node, nat));
    known.map(|()| NatType {
        name,
        nats: nats.value,
    })
}

/// What the expectation of `rtclab nat` has no rule for is refused.
fn predictable(node: &Node<'_>, nat: &NatConfig) -> Option<()> {
    let fail = |what: &str| node.fail(format!("{what}; drop the key"));
    if nat.reply_pinning {
        return node.fail("say `reply_pinning` in [nat] itself, where it is a list of modes");
    }
    if nat.filter_scope != FilterScope::Mapping {
        return fail("there is no expectation for a `filter_scope`");
    }
    if nat.ports == PortAssignment::Overloading {
        return fail("there is no expectation for overloaded ports");
    }
    if nat.max_mappings.is_some() || nat.max_mappings_per_host.is_some() {
        return fail("there is no expectation for a limit on mappings");
    }
    if nat.udp_lifetime < SHORTEST_LIFETIME {
        let (is, least) = (Span::from(nat.udp_lifetime), Span::from(SHORTEST_LIFETIME));
        return node.fail(format!(
            "there is no expectation for mappings that live {is}; write {least} or more"
        ));
    }
    Some(())
}

/// Mapping and filtering in the abbreviations of the field.
fn short_name(nat: &NatConfig) -> String {
    let of = |behavior| BEHAVIORS.iter().find(|(known, ..)| *known == behavior);
    let (mapping, filtering) = (of(nat.mapping), of(nat.filtering));
    let (mapping, filtering) = mapping.zip(filtering).expect("all behaviours are listed");
    format!("{}/{}", mapping.1, filtering.2)
}

/// Tells different types of one name apart: the second is called `NAME#2`.
fn number<'t>(types: impl Iterator<Item = &'t mut NatType>) {
    let mut known: Vec<(String, Vec<NatConfig>, usize)> = Vec::new();
    for nat in types {
        let alike = known.iter().filter(|(name, ..)| *name == nat.name);
        let rank = match alike.clone().find(|(_, nats, _)| *nats == nat.nats) {
            Some((.., rank)) => *rank,
            None => {
                let rank = alike.count() + 1;
                known.push((nat.name.clone(), nat.nats.clone(), rank));
                rank
            }
        };
        if rank > 1 {
            nat.name = format!("{}#{rank}", nat.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_types_have_different_names() {
        let nat = |name: &str, nat| NatType {
            name: name.to_owned(),
            nats: vec![nat],
        };
        let other = NatConfig {
            port_parity: true,
            ..FULL_CONE
        };
        let mut types = [nat("x", FULL_CONE), nat("x", other), nat("x", FULL_CONE)];
        number(types.iter_mut());
        let names = types.each_ref().map(|known| known.name.as_str());
        assert_eq!(names, ["x", "x#2", "x"]);
    }

    #[test]
    fn the_nine_types_are_all_of_rfc_4787() {
        let names: Vec<_> = behaviors().into_iter().map(|known| known.name).collect();
        assert_eq!(names.len(), 9);
        assert_eq!(names[0], "EIM/EIF");
        assert_eq!(names[5], "ADM/APDF");
        assert_eq!(names[8], "APDM/APDF");
    }
}
