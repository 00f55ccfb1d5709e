//! `[[group]]`: participants that are alike.

use std::time::Duration;

use sim::{LinkConfig, NatConfig};

use super::interruption::{self, Interruption};
use super::mishaps::{self, Roam};
use super::watches::Watches;
use super::{device, link, name, nat};
use crate::document::{Keys, Node, Section};
use crate::plan::Device;
use crate::presets::{self, Labelled};
use crate::units::{Fraction, Span};

pub(super) const KEYS: Keys = Keys {
    section: "[[group]]",
    names: &[
        "name",
        "share",
        "count",
        "nat",
        "link",
        "device",
        "sends",
        "watches",
        "camera",
        "join",
        "leave",
        "outages",
        "nat_reboots",
        "nat_rebinds",
        "roam",
    ],
};

/// Participants that are alike.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// In kebab-case, unique in the scenario.
    pub(crate) name: String,
    /// The NATs in front of each of them, the innermost first.
    pub(crate) nats: Labelled<Vec<NatConfig>>,
    /// The access link of each of them.
    pub(crate) link: Labelled<LinkConfig>,
    /// The computer of each of them.
    pub(crate) device: Device,
    /// Whether they have cameras and microphones.
    pub(crate) sends: bool,
    /// Whose media they get; `None` for everybody's.
    pub(crate) watches: Option<Watches>,
    /// Their camera, if it is not the built-in scene.
    pub(crate) camera: Option<NamedFile>,
    /// When they join, from the start of the call.
    pub(crate) join: Duration,
    /// When they leave; `None` stays to the end.
    pub(crate) leave: Option<Duration>,
    /// When their access links carry nothing, in order and apart.
    pub(crate) outages: Vec<Interruption>,
    /// When their innermost NATs restart, in order.
    pub(crate) nat_reboots: Vec<Duration>,
    /// When their outermost NATs get another address, in order.
    pub(crate) nat_rebinds: Vec<Duration>,
    /// When they move to another network, and to which.
    pub(crate) roam: Option<Roam>,
}

/// A file as it was written, and where: whether it exists is seen when plans are made.
#[derive(Clone, Debug)]
pub(crate) struct NamedFile {
    /// As written, relative to the scenario file.
    pub(crate) file: String,
    /// Its key path, for messages.
    pub(crate) path: String,
    /// Its place, for messages.
    pub(crate) at: usize,
}

/// How many of the participants are of a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Part {
    /// This fraction of them, above 0.
    Share(f64),
    /// So many, at least one.
    Count(u32),
    /// The scenario does not say.
    Unsaid,
}

impl Default for Group {
    /// A peer at home: an ordinary router and link, there from start to end.
    fn default() -> Self {
        Group {
            name: "peer".to_owned(),
            nats: presets::home_nat(),
            link: presets::home_link(),
            device: Device::default(),
            sends: true,
            watches: None,
            camera: None,
            join: Duration::ZERO,
            leave: None,
            outages: Vec::new(),
            nat_reboots: Vec::new(),
            nat_rebinds: Vec::new(),
            roam: None,
        }
    }
}

/// One group, in a call that ends at `end` (unless that could not be read). Whom it watches is known
/// when all groups are.
pub(super) fn read(section: &Section<'_>, end: Option<Duration>) -> Option<(Group, Part)> {
    let base = Group::default();
    let name = section.must("name", "name = \"home\"", name::read);
    let part = part(section);
    let nats = section.or("nat", base.nats, nat::read);
    let link = section.or("link", base.link, link::read);
    let device = section.or("device", base.device, device::read);
    let sends = section.or("sends", base.sends, Node::boolean);
    let camera = section.maybe("camera", |node| camera(node, sends));
    let stay = stay(section, end);
    let outages = section.or("outages", base.outages, |node| {
        interruption::list(node, end)
    });
    let [reboots, rebinds] = ["nat_reboots", "nat_rebinds"].map(|key| {
        section.or(key, Vec::new(), |node| {
            nat_mishaps(node, nats.as_ref(), end)
        })
    });
    let roam = section.maybe("roam", |node| mishaps::roam(node, end));

    let (join, leave) = stay?;
    let group = Group {
        name: name?,
        nats: nats?,
        link: link?,
        device: device?,
        sends: sends?,
        watches: None,
        camera: camera?,
        join,
        leave,
        outages: outages?,
        nat_reboots: reboots?,
        nat_rebinds: rebinds?,
        roam: roam?,
    };
    Some((group, part?))
}

/// When something happens to the NATs of a group, which has some.
fn nat_mishaps(
    node: &Node<'_>,
    nats: Option<&Labelled<Vec<NatConfig>>>,
    end: Option<Duration>,
) -> Option<Vec<Duration>> {
    if nats.is_some_and(|nats| nats.value.is_empty()) {
        return node.fail("the group has no NAT; drop the key, or give it one");
    }
    mishaps::moments(node, end)
}

fn part(section: &Section<'_>) -> Option<Part> {
    match (section.get("share"), section.get("count")) {
        (Some(_), Some(count)) => count.fail("the group has a share already; drop one of the two"),
        (Some(share), None) => match share.quantity::<Fraction>()? {
            Fraction::ZERO => share.fail("a share of 0 is an empty group; drop the group"),
            fraction => Some(Part::Share(fraction.get())),
        },
        (None, Some(count)) => {
            let number = count.integer(1..=u64::from(*super::PARTICIPANTS.end()))?;
            u32::try_from(number).ok().map(Part::Count)
        }
        (None, None) => Some(Part::Unsaid),
    }
}

fn camera(node: &Node<'_>, sends: Option<bool>) -> Option<NamedFile> {
    if sends == Some(false) {
        return node.fail("who only watches has no camera; drop the key, or `sends`");
    }
    NamedFile::read(node, "a Y4M file")
}

impl NamedFile {
    /// The name of `a_file`, such as "a Y4M file".
    pub(super) fn read(node: &Node<'_>, a_file: &str) -> Option<Self> {
        match node.string()? {
            "" => node.fail(format!(
                "empty; write the name of {a_file}, or drop the key"
            )),
            file => Some(NamedFile {
                file: file.to_owned(),
                path: node.path().to_owned(),
                at: node.at(),
            }),
        }
    }
}

/// When the group joins and leaves. Both are before the end, and it joins before it leaves.
fn stay(section: &Section<'_>, end: Option<Duration>) -> Option<(Duration, Option<Duration>)> {
    let moment = |node: &Node<'_>| super::moment(node, end);
    let join = section.or("join", Span::ZERO, moment);
    let leave = section.maybe("leave", moment);
    let (join, leave) = (join?, leave?);
    match leave {
        Some(leave) if leave <= join => section.get("leave")?.fail(format!(
            "{leave} is not after `join`, {join}; write a later time"
        )),
        leave => Some((join.into(), leave.map(Into::into))),
    }
}
