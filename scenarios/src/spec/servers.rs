//! `[servers]`: signalling, STUN and TURN.

use std::ops::RangeInclusive;

use super::link;
use crate::document::{Keys, Node, Section};
use crate::plan::{Device, ServersPlan};
use crate::presets;
use crate::units::Span;

pub(super) const KEYS: Keys = Keys {
    section: "[servers]",
    names: &["link", "nonce_lifetime"],
};

/// An hour at most: RFC 8656 section 5 expires a nonce at least once every hour.
const NONCE_LIFETIMES: RangeInclusive<Span> = Span::seconds(1)..=Span::seconds(3_600);
/// The default of coturn's `stale-nonce`.
const NONCE_LIFETIME: Span = Span::seconds(600);

/// The servers of the scenario.
pub(super) fn read(section: &Section<'_>) -> Option<ServersPlan> {
    let link = presets::server_link();
    let default = ServersPlan {
        link: link.value,
        link_label: link.label,
        nonce_lifetime: NONCE_LIFETIME.into(),
        signaling: Device::server(),
        turn: Device::server(),
        media: Device::server(),
    };
    section.or("servers", default, plan)
}

fn plan(node: &Node<'_>) -> Option<ServersPlan> {
    let section = node.section(&KEYS, "a table: [servers]")?;
    let link = section.or("link", presets::server_link(), link::read);
    let nonce_lifetime = section.or("nonce_lifetime", NONCE_LIFETIME, |node| {
        node.within(NONCE_LIFETIMES)
    });
    let (link, nonce_lifetime) = (link?, nonce_lifetime?.into());
    Some(ServersPlan {
        link: link.value,
        link_label: link.label,
        nonce_lifetime,
        signaling: Device::server(),
        turn: Device::server(),
        media: Device::server(),
    })
}
