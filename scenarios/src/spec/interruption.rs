//! `{ at, for }`: something that stops working in mid-call, for a while.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::document::{Keys, Node};
use crate::units::Span;

pub(super) const KEYS: Keys = Keys {
    section: "outages",
    names: &["at", "for"],
};

/// What is shorter than a packet's way does nothing; ICE gives up after 30 s, the rest is waiting.
const LENGTHS: RangeInclusive<Span> = Span::millis(1)..=Span::seconds(600);

const EXAMPLE: &str = "a table such as { at = \"8 s\", for = \"3 s\" }";

/// When something stops working, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interruption {
    /// From the start of the call.
    pub(crate) at: Duration,
    /// How long it lasts; it may outlast the call.
    pub(crate) lasts: Duration,
}

/// One interruption, in a call that ends at `end` (unless that could not be read).
pub(super) fn read(node: &Node<'_>, end: Option<Duration>) -> Option<Interruption> {
    let section = node.section(&KEYS, EXAMPLE)?;
    let at = section.must("at", "at = \"8 s\"", |node| super::moment(node, end));
    let lasts = section.must("for", "for = \"3 s\"", |node| node.within(LENGTHS));
    Some(Interruption {
        at: at?.into(),
        lasts: lasts?.into(),
    })
}

/// Several of the same thing, in order of time: each begins after the one before has ended.
pub(super) fn list(node: &Node<'_>, end: Option<Duration>) -> Option<Vec<Interruption>> {
    let items = node.items("[{ at = \"8 s\", for = \"3 s\" }]")?;
    let all: Vec<_> = items.iter().map(|item| read(item, end)).collect();
    let all: Vec<Interruption> = all.into_iter().collect::<Option<_>>()?;
    for (index, two) in all.windows(2).enumerate() {
        let over = two[0].at + two[0].lasts;
        if two[1].at <= over {
            return items[index + 1].fail(format!(
                "begins before the one above is over, at {}; write them in order, and apart",
                Span::from(over)
            ));
        }
    }
    Some(all)
}
