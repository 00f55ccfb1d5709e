//! `[[network]]`: how the links of a group change in mid-call.

use std::ops::RangeInclusive;
use std::time::Duration;

use sim::{Change, JitterConfig, LinkConfig, Reorder};

use super::group::{Group, NamedFile};
use super::{groups::Groups, link};
use crate::document::{Keys, Node, Section};
use crate::presets::Labelled;
use crate::units::{Rate, Size, Span};

pub(super) const KEYS: Keys = Keys {
    section: "[[network]]",
    names: &["at", "group", "up", "down", "ramp", "handover"],
};

pub(super) const PIPE: Keys = Keys {
    section: "network.up and network.down",
    names: &[
        "rate", "trace", "buffer", "delay", "jitter", "reorder", "loss",
    ],
};

/// Shorter ones are steps; no call is longer than its longest warm-up and duration.
const RAMPS: RangeInclusive<Span> = Span::millis(10)..=Span::seconds(4_200);

const EXAMPLE: &str = "[[network]] with at = \"10 s\", group = \"home\", up.rate = \"500 kbps\"";

/// Something that happens to the links of a group.
#[derive(Clone, Debug)]
pub(crate) struct NetworkEvent {
    /// From the start of the call.
    pub(crate) at: Duration,
    /// The group's place in the scenario.
    pub(crate) group: usize,
    /// What happens.
    pub(crate) what: NetworkChange,
}

/// What can happen to a link.
#[derive(Clone, Debug)]
pub(crate) enum NetworkChange {
    /// Pipes change, each in what is written.
    Pipes {
        /// From the host to the network.
        up: Vec<SpecChange>,
        /// From the network to the host.
        down: Vec<SpecChange>,
    },
    /// Another link takes its place.
    Handover(Box<Labelled<LinkConfig>>),
}

/// A change of a pipe.
#[derive(Clone, Debug)]
pub(crate) enum SpecChange {
    /// All but a trace.
    Known(Change),
    /// A trace, whose file is looked for when plans are made.
    Trace(NamedFile),
}

/// All that happens, in order of time; what is of one time in the order written.
pub(super) fn read(
    section: &Section<'_>,
    groups: Option<&Groups>,
    end: Option<Duration>,
) -> Option<Vec<NetworkEvent>> {
    let Some(node) = section.get("network") else {
        return Some(Vec::new());
    };
    let Some(items) = node.as_items() else {
        return node.unexpected(&format!("a list of tables: {EXAMPLE}"));
    };
    let read: Vec<_> = items.iter().map(|item| event(item, groups, end)).collect();
    let mut read: Vec<NetworkEvent> = read.into_iter().collect::<Option<_>>()?;
    read.sort_by_key(|event| event.at);
    Some(read)
}

fn event(node: &Node<'_>, groups: Option<&Groups>, end: Option<Duration>) -> Option<NetworkEvent> {
    let section = node.section(&KEYS, EXAMPLE)?;
    let at = section.must("at", "at = \"10 s\"", |node| super::moment(node, end));
    let group = section.must("group", "group = \"home\"", |node| group(node, groups));
    let ramp = section.or("ramp", Span::ZERO, |node| node.within(RAMPS));
    let pipes = ["up", "down"].map(|way| section.get(way));
    let [up, down] = pipes.map(|node| match node {
        Some(node) => pipe(&node, ramp.unwrap_or(Span::ZERO)),
        None => Some(Vec::new()),
    });
    let handover = section.maybe("handover", link::read);
    let (up, down) = (up?, down?);
    let nothing = up.is_empty() && down.is_empty();
    let what = match handover? {
        Some(_) if !nothing => {
            return section.get("handover")?.fail(
                "a handover replaces both pipes; write their changes in a [[network]] of their own",
            );
        }
        Some(link) => NetworkChange::Handover(Box::new(link)),
        None if nothing => {
            return node.fail("nothing changes; write up, down or handover, or drop the table");
        }
        None => NetworkChange::Pipes { up, down },
    };
    ramps_something(&section, &what)?;
    Some(NetworkEvent {
        at: at?.into(),
        group: group?,
        what,
    })
}

/// A ramp is one of a rate that is written.
fn ramps_something(section: &Section<'_>, what: &NetworkChange) -> Option<()> {
    let is_rate = |change: &SpecChange| {
        matches!(
            change,
            SpecChange::Known(Change::Rate {
                to_bps: Some(_),
                ..
            })
        )
    };
    let ramped = match what {
        NetworkChange::Pipes { up, down } => up.iter().chain(down).any(is_rate),
        NetworkChange::Handover(_) => false,
    };
    match section.get("ramp") {
        Some(node) if !ramped => {
            node.fail("only a rate has a ramp; write up.rate or down.rate, or drop the key")
        }
        _ => Some(()),
    }
}

/// The place of the group of this name.
pub(super) fn group(node: &Node<'_>, groups: Option<&Groups>) -> Option<usize> {
    let name = node.string()?;
    let groups = &groups?.list; // what is wrong with the groups is reported there
    let place = groups.iter().position(|group| group.name == name);
    place.or_else(|| {
        let names = groups.iter().map(|group: &Group| group.name.as_str());
        node.unknown(name, "group", names)
    })
}

fn pipe(node: &Node<'_>, ramp: Span) -> Option<Vec<SpecChange>> {
    let section = node.section(&PIPE, "a table such as { rate = \"500 kbps\" }")?;
    let rate = section.maybe("rate", |node| link::limit(node, link::RATES, Rate::bps));
    let trace = section.maybe("trace", |node| NamedFile::read(node, "a delivery trace"));
    let buffer = section.maybe("buffer", |node| {
        link::limit(node, link::BUFFERS, Size::bytes)
    });
    let delay = section.maybe("delay", |node| node.within(link::DELAYS));
    let jitter = jitter(&section);
    let loss = section.maybe("loss", link::loss);
    let (rate, trace) = (rate?, trace?);
    if rate.is_some() && trace.is_some() {
        return section
            .get("trace")?
            .fail("a trace says when packets leave; drop the key, or `rate`");
    }
    let over = ramp.into();
    let known = [
        rate.map(|to_bps| Change::Rate { to_bps, over }),
        buffer?.map(Change::Buffer),
        delay?.map(|delay| Change::Delay(delay.into())),
        jitter?.map(Change::Jitter),
        loss?.map(Change::Loss),
    ];
    let known = known.into_iter().flatten().map(SpecChange::Known);
    Some(known.chain(trace.map(SpecChange::Trace)).collect())
}

fn jitter(section: &Section<'_>) -> Option<Option<JitterConfig>> {
    let std = section.maybe("jitter", |node| node.within(link::DELAYS));
    let reorder = section.or("reorder", Reorder::default(), link::reorder);
    let (std, reorder) = (std?, reorder?);
    match (section.get("reorder"), std) {
        (Some(node), None) => node.fail("write `jitter` too, or drop the key"),
        (_, std) => Some(std.map(|std| JitterConfig {
            std: std.into(),
            reorder,
        })),
    }
}
