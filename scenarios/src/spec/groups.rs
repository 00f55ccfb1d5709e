//! The groups together: how they share the participants.

use std::time::Duration;

use super::group::{self, Group, Part};
use super::{PARTICIPANTS, call};
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
pub(crate) enum Sizes {
    /// Fractions above 0 that add up to 1.
    Shares(Vec<f64>),
    /// Fixed numbers, at least 1 each.
    Counts(Vec<u32>),
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
            sizes: Sizes::Shares(vec![1.0]),
        }),
    };
    let (numbers, groups) = (numbers?, groups?);
    let numbers = match &groups.sizes {
        Sizes::Shares(_) => numbers.or_else(|| {
            section.fail(
                "participants",
                "missing; write participants = 4, or a list".to_owned(),
            )
        }),
        Sizes::Counts(counts) => fixed(section, numbers, counts.iter().sum()),
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
    let read: Vec<_> = items.iter().map(|item| group::read(item, end)).collect();
    let read: Option<Vec<_>> = read.into_iter().collect();
    let (list, parts): (Vec<Group>, Vec<Part>) = read?.into_iter().unzip();
    let unique = unique_names(&items, &list);
    let sizes = sizes(node, &items, &parts);
    unique.and_then(|()| {
        Some(Groups {
            list,
            sizes: sizes?,
        })
    })
}

fn unique_names(items: &[Node<'_>], groups: &[Group]) -> Option<()> {
    for (index, group) in groups.iter().enumerate() {
        if groups[..index].iter().any(|other| other.name == group.name) {
            let message = format!("another group is called {:?}; write a new name", group.name);
            return items[index].fail(message);
        }
    }
    Some(())
}

fn sizes(node: &Node<'_>, items: &[Node<'_>], parts: &[Part]) -> Option<Sizes> {
    if let [Part::Unsaid] = parts {
        return Some(Sizes::Shares(vec![1.0]));
    }
    let share = |part: &Part| {
        if let Part::Share(share) = part {
            Some(*share)
        } else {
            None
        }
    };
    let count = |part: &Part| {
        if let Part::Count(count) = part {
            Some(*count)
        } else {
            None
        }
    };
    if let Some(counts) = parts.iter().map(count).collect() {
        return Some(Sizes::Counts(counts));
    }
    if let Some(shares) = parts.iter().map(share).collect() {
        return shares_of_one(node, shares);
    }
    let kind = std::mem::discriminant(&parts[0]);
    let odd = parts
        .iter()
        .position(|part| *part == Part::Unsaid || std::mem::discriminant(part) != kind);
    items[odd.unwrap_or(0)].fail("write a share for every group, or a count for every group")
}

fn shares_of_one(node: &Node<'_>, shares: Vec<f64>) -> Option<Sizes> {
    let sum: f64 = shares.iter().sum();
    if (sum - 1.0).abs() <= SHARE_TOLERANCE {
        return Some(Sizes::Shares(shares));
    }
    // Rounded for the message only: sums of decimal fractions have long tails.
    let sum = (sum * 1e6).round() / 1e6;
    node.fail(format!(
        "the shares add up to {sum}; change them to add up to 1"
    ))
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
