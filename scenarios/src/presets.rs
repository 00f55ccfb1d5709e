//! The presets of `sim`, by the names that scenarios use, and the labels that tables show.

use sim::{LinkConfig, NatConfig};

use crate::document::Node;

/// A value and what tables call it: a preset's name, that name and `-modified`, or `custom`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Labelled<T> {
    /// What it is.
    pub(crate) value: T,
    /// What the scenario called it.
    pub(crate) label: String,
}

impl<T> Labelled<T> {
    /// `value` under the name of a preset.
    pub(crate) fn named(value: T, name: &str) -> Self {
        Labelled {
            value,
            label: name.to_owned(),
        }
    }

    /// `value`, written out or made from the preset called `base`.
    pub(crate) fn made(value: T, base: Option<&str>) -> Self {
        let label = base.map_or_else(|| "custom".to_owned(), |name| format!("{name}-modified"));
        Labelled { value, label }
    }
}

/// The link preset that a node names.
pub(crate) fn link(node: &Node<'_>) -> Option<Labelled<LinkConfig>> {
    let name = node.string()?;
    match sim::link::presets::preset(name) {
        Some(link) => Some(Labelled::named(link, name)),
        None => node.unknown(
            name,
            "link preset",
            sim::link::presets::PRESETS.iter().copied(),
        ),
    }
}

/// The NAT preset that a node names: a chain of NATs, the innermost first.
pub(crate) fn nat(node: &Node<'_>) -> Option<Labelled<Vec<NatConfig>>> {
    let name = node.string()?;
    match sim::nat::presets::preset(name) {
        Some(nats) => Some(Labelled::named(nats, name)),
        None => node.unknown(
            name,
            "NAT preset",
            sim::nat::presets::PRESETS.iter().copied(),
        ),
    }
}

/// The link of a group that names none: `cable`, an ordinary home link.
pub(crate) fn home_link() -> Labelled<LinkConfig> {
    known_link("cable")
}

/// The link of the servers if the scenario names none: `datacenter`.
pub(crate) fn server_link() -> Labelled<LinkConfig> {
    known_link("datacenter")
}

/// The NAT of a group that names none: `port-restricted`, an ordinary home router.
pub(crate) fn home_nat() -> Labelled<Vec<NatConfig>> {
    let name = "port-restricted";
    let nats = sim::nat::presets::preset(name).expect("sim has a preset for home routers");
    Labelled::named(nats, name)
}

fn known_link(name: &str) -> Labelled<LinkConfig> {
    let link = sim::link::presets::preset(name).expect("sim has presets for the default links");
    Labelled::named(link, name)
}
