//! The groups together: how they share the participants.

use std::time::Duration;

use super::group::{self, Group, Part};
use super::{PARTICIPANTS, call, name, watches};
use crate::apportion::apportion;
use crate::document::{Node, Section};

/// The groups of a scenario, at least one, in the order written.
#[derive(Clone, Debug)]
pub(crate) struct Groups {
    /// The groups; their names are unique.
    pub(crate) list: Vec<Group>,
    /// How they share the participants, as many entries as there are groups.
    pub(crate) sizes: Sizes,
}

/// How the groups of a scenario share its participants.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sizes(Vec<Size>);

/// How many of the participants a group has.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Size {
    /// So many, at least 1.
    Count(u32),
    /// This fraction, above 0, of those that no group counts. All shares add up to 1.
    Share(f64),
}

impl Groups {
    /// What they are called, in the order written.
    pub(super) fn names(&self) -> Vec<&str> {
        self.list.iter().map(|group| group.name.as_str()).collect()
    }

    /// Whether members of one group get what members of another send, or of the same; by their
    /// places.
    pub(crate) fn watches(&self, receivers: usize, senders: usize) -> bool {
        let watched = self.list[receivers].watches.as_ref();
        self.list[senders].sends && watched.is_none_or(|watched| watched.groups.contains(&senders))
    }
}

impl Sizes {
    /// All participants in one group.
    fn whole() -> Self {
        Sizes(vec![Size::Share(1.0)])
    }

    /// The participants that groups count.
    pub(crate) fn counted(&self) -> u32 {
        let counts = self.0.iter().map(|size| match size {
            Size::Count(count) => *count,
            Size::Share(_) => 0,
        });
        counts.sum()
    }

    /// Whether the counts fix the number of participants.
    pub(crate) fn are_fixed(&self) -> bool {
        self.0.iter().all(|size| matches!(size, Size::Count(_)))
    }

    /// How many of `total` participants each group has, in order; `total` is [`counted`] at least,
    /// and no more if the sizes [`are_fixed`].
    ///
    /// [`counted`]: Sizes::counted
    /// [`are_fixed`]: Sizes::are_fixed
    pub(crate) fn split(&self, total: u32) -> Vec<u32> {
        let share = |size: &Size| match size {
            Size::Share(share) => *share,
            Size::Count(_) => 0.0,
        };
        let shares: Vec<f64> = self.0.iter().map(share).collect();
        let rest = if self.are_fixed() {
            0
        } else {
            total - self.counted()
        };
        let seats = apportion(&shares, rest);
        let size = |(size, seats): (&Size, u32)| match size {
            Size::Count(count) => *count,
            Size::Share(_) => seats,
        };
        self.0.iter().zip(seats).map(size).collect()
    }
}

/// How far the sum of the shares may be from 1: room for the rounding of decimal fractions, far
/// below anything a person would write.
const SHARE_TOLERANCE: f64 = 1e-9;

/// The groups and the numbers of participants, in a call that ends at `end`.
pub(super) fn read(section: &Section<'_>, end: Option<Duration>) -> Option<(Groups, Vec<u32>)> {
    let numbers = section.maybe("participants", call::participants);
    let groups = match section.get("group") {
        Some(node) => list(&node, end),
        None => Some(Groups {
            list: vec![Group::default()],
            sizes: Sizes::whole(),
        }),
    };
    let (numbers, groups) = (numbers?, groups?);
    let counted = groups.sizes.counted();
    let numbers = match groups.sizes.are_fixed() {
        true => fixed(section, numbers, counted),
        false => enough(section, numbers, counted),
    };
    Some((groups, numbers?))
}

fn list(node: &Node<'_>, end: Option<Duration>) -> Option<Groups> {
    let Some(items) = node.as_items() else {
        return node.unexpected("a list of tables, each under a line [[group]]");
    };
    if items.is_empty() {
        return node.fail("empty; write a [[group]], or drop the key");
    }
    let sections = items
        .iter()
        .map(|item| item.section(&group::KEYS, "a table: [[group]]"));
    let sections: Vec<_> = sections.collect();
    let read = sections
        .iter()
        .map(|section| group::read(section.as_ref()?, end));
    let read: Vec<_> = read.collect();
    let read: Option<Vec<_>> = read.into_iter().collect();
    let (list, parts): (Vec<Group>, Vec<Part>) = read?.into_iter().unzip();
    let names = list.iter().map(|group| group.name.as_str());
    let unique = name::unique(&items, names, "group");
    let heard = list.iter().any(|group| group.sends);
    let heard = heard
        .then_some(())
        .or_else(|| node.fail("nobody sends; drop `sends = false` from one of the groups"));
    let sizes = sizes(node, &items, &parts);
    let groups = Groups {
        list: unique.and(heard).map(|()| list)?,
        sizes: sizes?,
    };
    watched(node, &sections, groups)
}

/// The groups with whom each of them watches.
fn watched(
    node: &Node<'_>,
    sections: &[Option<Section<'_>>],
    mut groups: Groups,
) -> Option<Groups> {
    let read = sections.iter().map(|section| {
        let section = section.as_ref()?;
        section.maybe("watches", |node| watches::read(node, &groups.list))
    });
    let read: Vec<_> = read.collect();
    let read: Vec<_> = read.into_iter().collect::<Option<_>>()?;
    for (group, watches) in groups.list.iter_mut().zip(read) {
        group.watches = watches;
    }
    let places = 0..groups.list.len();
    let watches = |receivers: usize| places.clone().any(|other| groups.watches(receivers, other));
    match places.clone().any(watches) {
        true => Some(groups),
        false => node.fail("nobody watches anybody; drop `watches` from one of the groups"),
    }
}

fn sizes(node: &Node<'_>, items: &[Node<'_>], parts: &[Part]) -> Option<Sizes> {
    if let [Part::Unsaid] = parts {
        return Some(Sizes::whole());
    }
    let mut sizes = Vec::new();
    for (item, part) in items.iter().zip(parts) {
        sizes.push(match part {
            Part::Share(share) => Size::Share(*share),
            Part::Count(count) => Size::Count(*count),
            Part::Unsaid => {
                return item.fail(
                    "neither a share nor a count; write a count, or a share of those that no \
                     group counts",
                );
            }
        });
    }
    shares_of_one(node, &sizes).map(|()| Sizes(sizes))
}

/// The shares, if there are any, add up to 1.
fn shares_of_one(node: &Node<'_>, sizes: &[Size]) -> Option<()> {
    let shares = sizes.iter().filter_map(|size| match size {
        Size::Share(share) => Some(*share),
        Size::Count(_) => None,
    });
    let (sum, any) = shares.fold((0.0, false), |(sum, _), share| (sum + share, true));
    if !any || (sum - 1.0_f64).abs() <= SHARE_TOLERANCE {
        return Some(());
    }
    // Rounded for the message only: sums of decimal fractions have long tails.
    let sum = (sum * 1e6).round() / 1e6;
    node.fail(format!(
        "the shares add up to {sum}; change them to add up to 1"
    ))
}

/// With shares the participants must be said, and be as many as the groups count.
fn enough(section: &Section<'_>, written: Option<Vec<u32>>, counted: u32) -> Option<Vec<u32>> {
    // A traversal matrix is of pairs, whoever takes part in the scenario's calls.
    let written = written.or(section.get("nat").map(|_| vec![2]));
    let Some(numbers) = written else {
        let message = "missing; write participants = 4, or a list".to_owned();
        return section.fail("participants", message);
    };
    match numbers.iter().find(|number| **number < counted) {
        None => Some(numbers),
        Some(few) => section.get("participants")?.fail(format!(
            "the groups count {counted} participants, more than {few}; write at least {counted}"
        )),
    }
}

/// With counts the participants are their sum, which `participants` may repeat but not change.
fn fixed(section: &Section<'_>, written: Option<Vec<u32>>, sum: u32) -> Option<Vec<u32>> {
    let node = section.get("participants");
    match (node, written) {
        (Some(node), Some(numbers)) if numbers != [sum] => node.fail(format!(
            "the counts of the groups add up to {sum}; write {sum}, or drop the key"
        )),
        _ if !PARTICIPANTS.contains(&sum) => {
            let (least, most) = (PARTICIPANTS.start(), PARTICIPANTS.end());
            let fix = format!("change them to add up to {least} to {most}");
            section.fail("group", format!("the counts add up to {sum}; {fix}"))
        }
        _ => Some(vec![sum]),
    }
}
