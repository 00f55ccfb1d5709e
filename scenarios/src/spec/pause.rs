//! `[[pause]]`: when a group sends no media, as if its cameras and microphones were off.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::groups::Groups;
use super::network;
use super::place::Place;
use crate::document::{Keys, Node, Section};
use crate::units::Span;

pub(super) const KEYS: Keys = Keys {
    section: "[[pause]]",
    names: &["group", "to", "at", "for"],
};

/// From a frame to beyond any call.
const LENGTHS: RangeInclusive<Span> = Span::millis(1)..=Span::seconds(4_200);

const EXAMPLE: &str = "[[pause]] with group = \"home\", at = \"40 s\", for = \"20 s\"";

/// A group sends no media for a while.
#[derive(Clone, Debug)]
pub(crate) struct Pause {
    /// The group's place in the scenario.
    pub(crate) group: usize,
    /// Only to this group, by its place, and where it is written; `None` to nobody.
    pub(crate) to: Option<(usize, Place)>,
    /// When it begins, from the start of the call.
    pub(crate) at: Duration,
    /// How long it lasts; it may outlast the call.
    pub(crate) lasts: Duration,
}

/// All pauses of a call that ends at `end`.
pub(super) fn read(
    section: &Section<'_>,
    groups: Option<&Groups>,
    end: Option<Duration>,
) -> Option<Vec<Pause>> {
    let Some(node) = section.get("pause") else {
        return Some(Vec::new());
    };
    let Some(items) = node.as_items() else {
        return node.unexpected(&format!("a list of tables: {EXAMPLE}"));
    };
    let read: Vec<_> = items.iter().map(|item| pause(item, groups, end)).collect();
    read.into_iter().collect()
}

fn pause(node: &Node<'_>, groups: Option<&Groups>, end: Option<Duration>) -> Option<Pause> {
    let section = node.section(&KEYS, EXAMPLE)?;
    let group = section.must("group", "group = \"home\"", |node| {
        let place = network::group(node, groups)?;
        match groups?.list[place].sends {
            true => Some(place),
            false => node.fail("who only watches has nothing to pause; name a group that sends"),
        }
    });
    let to = section.maybe("to", |node| {
        let to = network::group(node, groups)?;
        match group.is_some_and(|from| groups.is_some_and(|all| !all.watches(to, from))) {
            true => node.fail("the group does not watch who pauses; drop the pause"),
            false => Some((to, Place::of(node))),
        }
    });
    let at = section.must("at", "at = \"40 s\"", |node| super::moment(node, end));
    let lasts = section.must("for", "for = \"20 s\"", |node| node.within(LENGTHS));
    Some(Pause {
        group: group?,
        to: to?,
        at: at?.into(),
        lasts: lasts?.into(),
    })
}
