//! `[servers]`: the servers of a call, their computers, and when they fail.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::interruption::{self, Interruption};
use super::{device, link, turn};
use crate::document::{Keys, Node, Section};
use crate::plan::{Device, IcePlan, ServersPlan, TurnCredentials};
use crate::presets;
use crate::units::Span;

pub(super) const KEYS: Keys = Keys {
    section: "[servers]",
    names: &[
        "link",
        "nonce_lifetime",
        "turn_credentials",
        "ice_tcp",
        "signaling",
        "turn",
        "media",
        "restart",
        "signaling_outage",
    ],
};

/// An hour at most: RFC 8656 section 5 expires a nonce at least once every hour. The TURN server's
/// protocol engine takes no less than 30 s.
const NONCE_LIFETIMES: RangeInclusive<Span> = Span::seconds(30)..=Span::seconds(3_600);
/// The default of coturn's `stale-nonce`.
const NONCE_LIFETIME: Span = Span::seconds(600);

/// The servers of a call.
#[derive(Clone, Debug)]
pub(crate) struct Servers {
    /// Where they are and what they run on.
    pub(crate) plan: ServersPlan,
    /// When the SFU or MCU stops and starts again.
    pub(crate) restart: Option<Interruption>,
    /// When nobody reaches the signalling server.
    pub(crate) signaling_outage: Option<Interruption>,
}

impl Default for Servers {
    /// In a data centre, on four cores each, always up.
    fn default() -> Self {
        let link = presets::server_link();
        Servers {
            plan: ServersPlan {
                link: link.value,
                link_label: link.label,
                signaling_link: None,
                signaling_delay: Duration::ZERO,
                ice: IcePlan::default(),
                nonce_lifetime: NONCE_LIFETIME.into(),
                turn_credentials: TurnCredentials::Static,
                ice_tcp: true,
                signaling: Device::server(),
                turn: Device::server(),
                media: Device::server(),
            },
            restart: None,
            signaling_outage: None,
        }
    }
}

/// The servers of the scenario, in a call that ends at `end` (unless that could not be read).
pub(super) fn read(section: &Section<'_>, end: Option<Duration>) -> Option<Servers> {
    section.or("servers", Servers::default(), |node| servers(node, end))
}

fn servers(node: &Node<'_>, end: Option<Duration>) -> Option<Servers> {
    let section = node.section(&KEYS, "a table: [servers]")?;
    let computer = |key| section.or(key, Device::server(), device::read);
    let interruption = |key| section.maybe(key, |node| interruption::read(node, end));
    let link = section.or("link", presets::server_link(), link::read);
    let nonce_lifetime = section.or("nonce_lifetime", NONCE_LIFETIME, nonce_lifetime);
    let turn_credentials = section.or("turn_credentials", TurnCredentials::Static, turn::read);
    let ice_tcp = section.or("ice_tcp", true, Node::boolean);
    let [signaling, turn, media] = ["signaling", "turn", "media"].map(computer);
    let [restart, outage] = ["restart", "signaling_outage"].map(interruption);
    let link = link?;
    Some(Servers {
        plan: ServersPlan {
            link: link.value,
            link_label: link.label,
            signaling_link: None,
            signaling_delay: Duration::ZERO,
            ice: IcePlan::default(),
            nonce_lifetime: nonce_lifetime?.into(),
            turn_credentials: turn_credentials?,
            ice_tcp: ice_tcp?,
            signaling: signaling?,
            turn: turn?,
            media: media?,
        },
        restart: restart?,
        signaling_outage: outage?,
    })
}

fn nonce_lifetime(node: &Node<'_>) -> Option<Span> {
    let written: Span = node.quantity()?;
    let (least, most) = NONCE_LIFETIMES.into_inner();
    if written < least {
        return node.fail(format!(
            "{written} is less than the TURN server can do, which is {least}; write {least} to \
             {most}"
        ));
    }
    node.within(NONCE_LIFETIMES)
}
