//! `servers.turn_credentials`: what participants authenticate to the TURN server with.

use std::ops::RangeInclusive;

use crate::document::{Keys, Node};
use crate::plan::{ExpiryCheck, TurnCredentials};
use crate::units::Span;

pub(super) const KEYS: Keys = Keys {
    section: "turn_credentials",
    names: &["lifetime", "check"],
};

/// Gathering takes seconds when nobody answers; a day is what services hand out at most.
const LIFETIMES: RangeInclusive<Span> = Span::seconds(30)..=Span::seconds(86_400);

/// Either `"static"`, or for how long credentials are good and when the server looks at that.
pub(super) fn read(node: &Node<'_>) -> Option<TurnCredentials> {
    if node.as_str().is_some() {
        return node.choice(&[("static", TurnCredentials::Static)]);
    }
    let section = node.section(&KEYS, "\"static\" or a table: { lifetime = \"10 min\" }")?;
    let lifetime = section.must("lifetime", "lifetime = \"10 min\"", |node| {
        node.within(LIFETIMES)
    });
    let check = section.or("check", ExpiryCheck::Allocation, |node| {
        node.choice(&[
            ("allocation", ExpiryCheck::Allocation),
            ("every-request", ExpiryCheck::EveryRequest),
        ])
    });
    Some(TurnCredentials::Expiring {
        lifetime: lifetime?.into(),
        check: check?,
    })
}
