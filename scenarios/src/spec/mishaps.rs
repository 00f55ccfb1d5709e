//! What happens to the networks of a group: NATs that restart or get another address, and a move to
//! another network.

use std::time::Duration;

use sim::{LinkConfig, NatConfig};

use super::{link, nat};
use crate::document::{Keys, Node};
use crate::presets;

pub(super) const ROAM: Keys = Keys {
    section: "roam",
    names: &["at", "nat", "link"],
};

const EXAMPLE: &str = "a table such as { at = \"20 s\", nat = \"carrier-grade\", link = \"lte\" }";

/// A move to another network.
#[derive(Clone, Debug)]
pub(crate) struct Roam {
    /// From the start of the call.
    pub(crate) at: Duration,
    /// The NATs there, the innermost first.
    pub(crate) nats: Vec<NatConfig>,
    /// The access link there.
    pub(crate) link: LinkConfig,
}

/// Moments in a call that ends at `end` (unless that could not be read), in order of time.
pub(super) fn moments(node: &Node<'_>, end: Option<Duration>) -> Option<Vec<Duration>> {
    let items = node.items("[\"20 s\"]")?;
    let all: Vec<_> = items.iter().map(|item| super::moment(item, end)).collect();
    let all: Vec<_> = all.into_iter().collect::<Option<_>>()?;
    for (index, two) in all.windows(2).enumerate() {
        if two[1] <= two[0] {
            return items[index + 1].fail(format!(
                "is not after the one before, {}; write them in order",
                two[0]
            ));
        }
    }
    Some(all.into_iter().map(Into::into).collect())
}

/// A move, in a call that ends at `end` (unless that could not be read).
pub(super) fn roam(node: &Node<'_>, end: Option<Duration>) -> Option<Roam> {
    let section = node.section(&ROAM, EXAMPLE)?;
    let at = section.must("at", "at = \"20 s\"", |node| super::moment(node, end));
    let nats = section.or("nat", presets::home_nat(), nat::read);
    let link = section.or("link", presets::home_link(), link::read);
    Some(Roam {
        at: at?.into(),
        nats: nats?.value,
        link: link?.value,
    })
}
