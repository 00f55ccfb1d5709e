//! `[[variant]]`: the same call with other settings, to be compared with the scenario as it is.

use super::{Spec, call, name};
use crate::document::{Keys, Node, Section};
use crate::plan::Topology;

pub(super) const KEYS: Keys = Keys {
    section: "[[variant]]",
    names: &[
        "name",
        "topologies",
        "fidelity",
        "video",
        "audio",
        "congestion",
        "repair",
        "data",
        "stack",
        "servers",
        "sfu",
        "mcu",
    ],
};

/// What a variant may change: how the call is made, not who takes part in it, and where.
const SETTINGS: &[&str] = KEYS.names.split_at(2).1;

/// More than one table of results could be read for.
const MOST: usize = 8;

const EXAMPLE: &str = "[[variant]] with name = \"one-layer\", sfu = { layers = 1 }";

/// The scenario with other settings.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    /// In kebab-case.
    pub(crate) name: String,
    /// Some of the scenario's.
    pub(crate) topologies: Vec<Topology>,
    /// The scenario with the settings put into it; it has no variants.
    pub(crate) spec: Spec,
}

/// All variants of the scenario that `section` is the top level of.
pub(super) fn read(section: &Section<'_>, scenario: &Spec) -> Option<Vec<Variant>> {
    let Some(node) = section.get("variant") else {
        return Some(Vec::new());
    };
    let Some(items) = node.as_items() else {
        return node.unexpected(&format!("a list of tables: {EXAMPLE}"));
    };
    if items.len() > MOST {
        return node.fail(format!("{} variants; write at most {MOST}", items.len()));
    }
    let read = items.iter().map(|item| variant(item, section, scenario));
    let read: Vec<_> = read.collect();
    let variants: Vec<Variant> = read.into_iter().collect::<Option<_>>()?;
    let names = variants.iter().map(|variant| variant.name.as_str());
    name::unique(&items, names, "variant")?;
    Some(variants)
}

fn variant(node: &Node<'_>, scenario: &Section<'_>, spec: &Spec) -> Option<Variant> {
    let own = node.section(&KEYS, EXAMPLE)?;
    let name = own.must("name", "name = \"one-layer\"", name::read);
    let topologies = own.or("topologies", spec.topologies.clone(), |node| {
        some_of(node, &spec.topologies)
    });
    if !own.has_any(SETTINGS) {
        return node.fail("changes nothing; write a setting such as sfu = { layers = 1 }");
    }
    let mut table = scenario.overlaid(&own, SETTINGS);
    let data = own.get("data").and_then(|node| node.as_items());
    if data.is_some_and(|items| items.is_empty()) && !spec.data.is_empty() {
        table.remove("data");
    }
    let spec = call::read(&scenario.of_table(&table, &own));
    Some(Variant {
        name: name?,
        topologies: topologies?,
        spec: spec?,
    })
}

/// Topologies of the scenario.
fn some_of(node: &Node<'_>, all: &[Topology]) -> Option<Vec<Topology>> {
    let some = call::topologies(node)?;
    match some.iter().find(|topology| !all.contains(topology)) {
        None => Some(some),
        Some(other) => node.fail(format!(
            "the scenario has no {other}; add it to its `topologies`"
        )),
    }
}
