//! The top level of a scenario: what is asked, of whom, for how long.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::{
    Spec, central, congestion, cross, data, groups, limits, media, name, network, pause, prices,
    repair, servers, stack, traversal,
};
use crate::document::{Keys, Node, Section};
use crate::plan::{Fidelity, Topology};
use crate::units::Span;

pub(super) const KEYS: Keys = Keys {
    section: "Top level",
    names: &[
        "name",
        "question",
        "topologies",
        "participants",
        "seed",
        "seeds",
        "warmup",
        "duration",
        "fidelity",
        "cpu",
        "video",
        "audio",
        "congestion",
        "repair",
        "data",
        "group",
        "network",
        "cross_traffic",
        "pause",
        "stack",
        "servers",
        "sfu",
        "mcu",
        "variant",
        "limits",
        "prices",
        "nat",
    ],
};

/// How many participants a call may have: two make a call, and 200 make 19,900 pairs, more than
/// one process can hold with real peers.
pub(crate) const PARTICIPANTS: RangeInclusive<u32> = 2..=200;

/// Enough seeds for any interval that a table shows.
const SEEDS: RangeInclusive<u64> = 1..=1_000;
const WARMUP: RangeInclusive<Span> = Span::ZERO..=Span::seconds(600);
const DURATION: RangeInclusive<Span> = Span::seconds(1)..=Span::seconds(3_600);

/// What work costs, as a scenario says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cpu {
    /// Nothing: CPUs take no time.
    Free,
    /// What the built-in profile says.
    Modelled,
    /// What a file says, relative to the scenario's.
    Profile(String),
}

/// Everything but its variants.
pub(super) fn read(section: &Section<'_>) -> Option<Spec> {
    let name = section.must("name", "name = \"stand-up\"", name::read);
    let question = section.maybe("question", question);
    let topologies = section.or("topologies", vec![Topology::Mesh], topologies);
    let seed = section.or("seed", 1, |node| node.integer(0..=i64::MAX as u64));
    let seeds = section.or("seeds", 1, |node| node.integer(SEEDS));
    let warmup = section.or("warmup", Span::seconds(5), |node| node.within(WARMUP));
    let duration = section.or("duration", Span::seconds(20), |node| node.within(DURATION));
    let window = warmup
        .zip(duration)
        .map(|(warmup, duration)| (warmup.into(), duration.into()));
    let fidelity = section.or("fidelity", None, fidelity);
    let cpu = section.or("cpu", Cpu::Modelled, cpu);
    let media = media::read(section);
    let end = window.map(|(warmup, duration): (Duration, Duration)| warmup + duration);
    let calls = groups::read(section, end);
    let listed = calls.as_ref().map(|(groups, _)| groups);
    let stack = stack::read(section);
    let data = data::read(section, end, listed);
    let network = network::read(section, listed, end);
    let cross = cross::read(section, listed, end);
    let pauses = pause::read(section, listed, end);
    let repair = match &media {
        Some((video, audio)) => {
            repair::read(section, (video.as_ref(), audio.as_ref()), stack.as_ref())
        }
        None => None,
    };
    let congestion = match &media {
        Some((video, audio)) => {
            let media = (video.as_ref(), audio.as_ref());
            congestion::read(section, media, listed, (stack.as_ref(), repair.as_ref()))
        }
        None => None,
    };
    let servers = servers::read(section, end);
    // Where the media cannot be read, the default stands in, so that servers are still checked.
    let usual = media::default_video();
    let camera = media
        .as_ref()
        .map_or(Some(&usual), |(video, _)| video.as_ref());
    let sfu = central::sfu(section, camera, congestion.as_ref());
    let mcu = central::mcu(section, camera);
    let groups = calls.as_ref().map(|(groups, _)| groups.names());
    let scope = limits::Scope {
        topologies: topologies.as_deref(),
        participants: calls.as_ref().map(|(_, numbers)| numbers.as_slice()),
        groups,
    };
    let limits = limits::read(section, &scope);
    let prices = prices::read(section);
    let traversal = traversal::read(section);

    // Everything has been read, and reported, before the first `?`.
    let ((warmup, duration), (video, audio)) = (window?, media?);
    let (groups, participants) = calls?;
    Some(Spec {
        name: name?,
        question: question?,
        topologies: topologies?,
        participants,
        seed: seed?,
        seeds: seeds?,
        warmup,
        duration,
        fidelity: fidelity?,
        cpu: cpu?,
        video,
        audio,
        congestion: congestion?,
        repair: repair?,
        data: data?,
        groups,
        network: network?,
        cross: cross?,
        pauses: pauses?,
        stack: stack?,
        servers: servers?,
        sfu: sfu?,
        mcu: mcu?,
        variants: Vec::new(),
        limits: limits?,
        prices: prices?,
        traversal: traversal?,
    })
}

/// The numbers of participants: one, or a list.
pub(super) fn participants(node: &Node<'_>) -> Option<Vec<u32>> {
    let Some(items) = node.as_items() else {
        return participant_number(node).map(|number| vec![number]);
    };
    distinct(
        node,
        &items,
        "write a number such as 4, or a list such as [4, 8]",
        participant_number,
    )
}

fn participant_number(node: &Node<'_>) -> Option<u32> {
    let range = u64::from(*PARTICIPANTS.start())..=u64::from(*PARTICIPANTS.end());
    node.integer(range)
        .and_then(|number| u32::try_from(number).ok())
}

fn question(node: &Node<'_>) -> Option<String> {
    match node.string()?.trim() {
        "" => node.fail("empty; write the question that the scenario answers, or drop the key"),
        text => Some(text.to_owned()),
    }
}

pub(super) fn topologies(node: &Node<'_>) -> Option<Vec<Topology>> {
    let items = node.items("[\"mesh\", \"sfu\"]")?;
    distinct(node, &items, "write [\"mesh\", \"sfu\", \"mcu\"]", topology)
}

pub(super) fn topology(node: &Node<'_>) -> Option<Topology> {
    let all = [Topology::Mesh, Topology::Sfu, Topology::Mcu];
    node.choice(&all.map(|topology| (topology.name(), topology)))
}

/// `None` is `auto`.
fn fidelity(node: &Node<'_>) -> Option<Option<Fidelity>> {
    let fixed = |fidelity: Fidelity| (fidelity.name(), Some(fidelity));
    node.choice(&[
        ("auto", None),
        fixed(Fidelity::Codec),
        fixed(Fidelity::Trace),
    ])
}

/// A word, or the name of a file, which is known by its ending.
fn cpu(node: &Node<'_>) -> Option<Cpu> {
    match node.string()? {
        "free" => Some(Cpu::Free),
        "modelled" => Some(Cpu::Modelled),
        file if file.ends_with(".toml") => Some(Cpu::Profile(file.to_owned())),
        word => node.unknown(word, "value", ["free", "modelled", "PROFILE.toml"]),
    }
}

/// Reads every item; reports an empty list, whose repair is `fix`, and items that come twice.
pub(super) fn distinct<T: PartialEq>(
    node: &Node<'_>,
    items: &[Node<'_>],
    fix: &str,
    read: fn(&Node<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    if items.is_empty() {
        return node.fail(format!("empty; {fix}"));
    }
    let values: Vec<Option<T>> = items.iter().map(read).collect();
    for (index, value) in values.iter().enumerate() {
        if value.is_some() && values[..index].contains(value) {
            return items[index].fail("listed twice; drop one of them");
        }
    }
    values.into_iter().collect()
}
