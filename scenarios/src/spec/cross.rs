//! `[[cross_traffic]]`: who else uses the links of a group.

use std::ops::RangeInclusive;
use std::time::Duration;

use sim::{CrossFlow, CrossKind, Time, Way};

use super::groups::Groups;
use super::{link, network};
use crate::document::{Keys, Node, Section};
use crate::plan::CrossTraffic;
use crate::units::{Rate, Span};

pub(super) const KEYS: Keys = Keys {
    section: "[[cross_traffic]]",
    names: &[
        "group",
        "way",
        "kind",
        "rate",
        "on",
        "off",
        "round_trip",
        "ecn",
        "flows",
        "at",
        "for",
    ],
};

/// From one full packet to beyond any call.
const PHASES: RangeInclusive<Span> = Span::millis(1)..=Span::seconds(4_200);
/// Between the link and the other end: next door to a satellite in a high orbit.
const ROUND_TRIPS: RangeInclusive<Span> = Span::millis(1)..=Span::seconds(2);
/// Of a server on the same continent.
const ROUND_TRIP: Span = Span::millis(20);
/// As many as a busy household has at once; more starve each other.
const FLOWS: RangeInclusive<u64> = 1..=64;

const EXAMPLE: &str = "[[cross_traffic]] with group = \"home\", way = \"down\", kind = \"tcp\"";

/// Flows beside the calls of a group.
#[derive(Clone, Debug)]
pub(crate) struct SpecCross {
    /// The group's place in the scenario.
    pub(crate) group: usize,
    /// Each of them.
    pub(crate) traffic: CrossTraffic,
    /// How many are alike.
    pub(crate) flows: u64,
}

/// How a flow sends, as it is written.
#[derive(Clone, Copy)]
enum Kind {
    Constant,
    OnOff,
    Tcp,
}

/// All cross traffic of a call that ends at `end`.
pub(super) fn read(
    section: &Section<'_>,
    groups: Option<&Groups>,
    end: Option<Duration>,
) -> Option<Vec<SpecCross>> {
    let Some(node) = section.get("cross_traffic") else {
        return Some(Vec::new());
    };
    let Some(items) = node.as_items() else {
        return node.unexpected(&format!("a list of tables: {EXAMPLE}"));
    };
    let read: Vec<_> = items.iter().map(|item| flows(item, groups, end)).collect();
    read.into_iter().collect()
}

fn flows(node: &Node<'_>, groups: Option<&Groups>, end: Option<Duration>) -> Option<SpecCross> {
    let section = node.section(&KEYS, EXAMPLE)?;
    let place = section.must("group", "group = \"home\"", |node| {
        network::group(node, groups)
    });
    let way = section.must("way", "way = \"down\"", |node| {
        node.choice(&[("up", Way::Up), ("down", Way::Down)])
    });
    let kind = kind(&section);
    let flows = section.or("flows", 1, |node| node.integer(FLOWS));
    let at = section.or("at", Span::ZERO, |node| super::moment(node, end));
    let lasts = section.maybe("for", |node| node.within(PHASES));
    let (place, way, at) = (place?, way?, Duration::from(at?));
    let least = groups?.list[place].link.value;
    let rate = match way {
        Way::Up => least.up.rate_bps,
        Way::Down => least.down.rate_bps,
    };
    if rate.is_none() {
        return section.get("way")?.fail(
            "on a link without a rate nobody is in the way of others; give the group a link with one",
        );
    }
    let from = Time::ZERO + at;
    let to = match lasts? {
        Some(lasts) => from + lasts.into(),
        None => Time::from_nanos(u64::MAX),
    };
    let kind = kind?;
    Some(SpecCross {
        group: place,
        traffic: CrossTraffic {
            way,
            flow: CrossFlow { from, to, kind },
        },
        flows: flows?,
    })
}

/// What a kind has not got is refused.
fn kind(section: &Section<'_>) -> Option<CrossKind> {
    let kind = section.must("kind", "kind = \"tcp\"", |node| {
        node.choice(&[
            ("constant", Kind::Constant),
            ("on-off", Kind::OnOff),
            ("tcp", Kind::Tcp),
        ])
    })?;
    let others: &[&str] = match kind {
        Kind::Constant => &["on", "off", "round_trip", "ecn"],
        Kind::OnOff => &["round_trip", "ecn"],
        Kind::Tcp => &["rate", "on", "off"],
    };
    if let Some(node) = others.iter().find_map(|key| section.get(key)) {
        return node.fail("this kind has no such key; drop it");
    }
    let rate = || {
        section.must("rate", "rate = \"1 Mbps\"", |node| {
            node.within(link::RATES).map(Rate::bps)
        })
    };
    let phase = |key, fix| section.must(key, fix, |node| node.within(PHASES));
    Some(match kind {
        Kind::Constant => CrossKind::Constant { rate_bps: rate()? },
        Kind::OnOff => {
            let (rate_bps, on) = (rate(), phase("on", "on = \"1 s\""));
            let off = phase("off", "off = \"1 s\"");
            CrossKind::OnOff {
                rate_bps: rate_bps?,
                on: on?.into(),
                off: off?.into(),
            }
        }
        Kind::Tcp => {
            let read = |node: &Node<'_>| node.within(ROUND_TRIPS);
            let round_trip = section.or("round_trip", ROUND_TRIP, read);
            let ecn = section.or("ecn", false, Node::boolean);
            CrossKind::Tcp {
                round_trip: round_trip?.into(),
                ecn: ecn?,
            }
        }
    })
}
