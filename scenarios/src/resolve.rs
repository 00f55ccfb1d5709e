//! From a scenario to the plans of its grid.

use std::collections::BTreeSet;
use std::iter::once;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sim::Seed;

use crate::document::{Finding, Problems};
use crate::plan::{
    Access, CostProfile, DataPlan, Event, Happening, NetworkPlan, Participant, Plan, Topology,
};
use crate::spec::{Data, Group, Interruption, PARTICIPANTS, Pause, Spec};
use crate::timeline::Traces;
use crate::{camera, feedback, fidelity, grid, timeline};

/// What the command line changes in a scenario; `None` keeps what the scenario says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The topologies to run instead: at least one, none twice.
    pub topologies: Option<Vec<Topology>>,
    /// The numbers of participants to run instead: at least one, none twice, each 2 to 200, and
    /// as many as the groups count; no more than that if all groups have counts.
    pub participants: Option<Vec<u32>>,
    /// The seeds to run instead of the scenario's: at least one, none twice.
    pub seeds: Option<Vec<u64>>,
}

/// The plans of a scenario whose files are relative to `base` and where work costs `costs`:
/// topologies in their order, in each the scenario as it is and then its variants, in each the numbers
/// of participants in theirs, in each the seeds in theirs, which is upwards if the scenario says them.
///
/// # Errors
///
/// Every override that does not fit, every grid of an MCU that is too small for its pictures, and
/// every camera and trace that cannot be used, and every ramp that has no rate to begin with.
pub(crate) fn resolve(
    spec: &Spec,
    base: &Path,
    costs: Option<&CostProfile>,
    overrides: &Overrides,
) -> Result<Vec<Plan>, Vec<Finding>> {
    let problems = Problems::default();
    let topologies = overrides.topologies.as_ref().unwrap_or(&spec.topologies);
    check_list("topologies", topologies, &problems);
    let seeds = seeds(spec, overrides);
    check_list("seed", &seeds, &problems);
    let participants = overrides
        .participants
        .as_ref()
        .unwrap_or(&spec.participants);
    check_list("participants", participants, &problems);
    check_numbers(spec, participants, &problems);
    check_senders(spec, participants, &problems);
    check_data(spec, participants, &problems);
    check_pauses(spec, topologies, &problems);
    check_watches(spec, topologies, &problems);
    if topologies.contains(&Topology::Mcu) {
        for (_, spec) in versions(spec, Topology::Mcu) {
            check_grids(spec, participants, &problems);
        }
    }
    let camera = |group: &Group| Some(camera::find(group.camera.as_ref()?, base, &problems));
    let cameras: Vec<_> = spec.groups.list.iter().map(camera).collect();
    let traces = Traces::load(&spec.network, base, &problems);
    let network = |place| timeline::of_group(place, &spec.network, &spec.cross, &traces);
    let networks: Vec<_> = (0..spec.groups.list.len()).map(network).collect();
    for (group, network) in spec.groups.list.iter().zip(&networks) {
        timeline::check_ramps(group, network, &problems);
    }
    problems.into_result(())?;
    let extras: Vec<_> = cameras.into_iter().zip(networks).collect();

    let (mut plans, crowded) = (Vec::new(), Problems::default());
    for topology in topologies {
        for (variant, spec) in versions(spec, *topology) {
            for number in participants {
                let cell = Plan {
                    variant: variant.map(str::to_owned),
                    ..cell(spec, costs, *topology, gather(spec, &extras, *number))
                };
                check_feedback(&cell, &crowded);
                let seeded = |seed| Plan {
                    seed: Seed(seed),
                    ..cell.clone()
                };
                plans.extend(seeds.iter().copied().map(seeded));
            }
        }
    }
    crowded.into_result(plans)
}

/// The scenario as it is, and its variants that have the topology, with their names.
fn versions(spec: &Spec, topology: Topology) -> impl Iterator<Item = (Option<&str>, &Spec)> {
    let variants = spec.variants.iter();
    let of = variants.filter(move |variant| variant.topologies.contains(&topology));
    let named = of.map(|variant| (Some(variant.name.as_str()), &variant.spec));
    once((None, spec)).chain(named)
}

fn seeds(spec: &Spec, overrides: &Overrides) -> Vec<u64> {
    match &overrides.seeds {
        Some(seeds) => seeds.clone(),
        None => (spec.seed..=spec.seed + (spec.seeds - 1)).collect(),
    }
}

/// The plan of a cell with the scenario's first seed.
fn cell(
    spec: &Spec,
    costs: Option<&CostProfile>,
    topology: Topology,
    participants: Vec<Participant>,
) -> Plan {
    let fidelity = fidelity::of(spec, topology, &participants);
    Plan {
        scenario: spec.name.clone(),
        topology,
        variant: None,
        seed: Seed(spec.seed),
        video: spec.video.clone(),
        audio: spec.audio.clone(),
        congestion: spec.congestion.clone(),
        repair: spec.repair.clone(),
        data: data(spec, &participants),
        warmup: spec.warmup,
        duration: spec.duration,
        fidelity,
        costs: costs.cloned(),
        stack: spec.stack.clone(),
        servers: spec.servers.plan.clone(),
        sfu: spec.sfu.clone(),
        mcu: spec.mcu.clone(),
        prices: spec.prices.clone(),
        events: events(spec, topology, &participants),
        participants,
    }
}

/// The workloads over data channels.
fn data(spec: &Spec, participants: &[Participant]) -> Vec<DataPlan> {
    let members = |group: &Option<String>| {
        let of = |peer: &&Participant| group.as_ref().is_none_or(|name| *name == peer.group);
        let members = participants.iter().filter(of);
        members.map(|peer| peer.index).collect()
    };
    let plan = |data: &Data| DataPlan {
        name: data.name.clone(),
        kind: data.kind,
        senders: members(&data.from),
        receivers: members(&data.to),
        start: data.start.unwrap_or(spec.warmup),
        payload_bytes: data.payload_bytes,
        ordered: data.ordered,
        reliability: data.reliability,
        buffer_bytes: data.buffer_bytes,
    };
    spec.data.iter().map(plan).collect()
}

/// What happens in mid-call, in order of time; at one time servers first, then participants.
fn events(spec: &Spec, topology: Topology, participants: &[Participant]) -> Vec<Event> {
    let event = |what: Happening| {
        move |interruption: &Interruption| Event {
            at: interruption.at,
            lasts: interruption.lasts,
            what: what.clone(),
        }
    };
    let restart = spec.servers.restart.iter();
    // A mesh has no server that could restart.
    let restart = restart.filter(|_| topology != Topology::Mesh);
    let outage = spec.servers.signaling_outage.iter();
    let mut events: Vec<_> = restart.map(event(Happening::ServerRestart)).collect();
    events.extend(outage.map(event(Happening::SignalingOutage)));
    for peer in participants {
        let mut groups = spec.groups.list.iter();
        if let Some(group) = groups.find(|group| group.name == peer.group) {
            events.extend(events_of(group, peer.index));
        }
    }
    events.extend(pauses(spec, participants));
    events.sort_by_key(|event| event.at);
    events
}

/// When participants send no media.
fn pauses(spec: &Spec, participants: &[Participant]) -> Vec<Event> {
    let members = |place: usize| {
        let name = &spec.groups.list[place].name;
        let of = participants.iter().filter(move |peer| peer.group == *name);
        of.map(|peer| peer.index)
    };
    let of_pause = |pause: &Pause| {
        let to = pause.to.as_ref();
        let to: Option<Vec<_>> = to.map(|(place, _)| members(*place).collect());
        let (at, lasts) = (pause.at, pause.lasts);
        let event = |participant| Event {
            at,
            lasts,
            what: Happening::Pause {
                participant,
                to: to.clone(),
            },
        };
        members(pause.group).map(event).collect::<Vec<_>>()
    };
    spec.pauses.iter().flat_map(of_pause).collect()
}

/// What happens to a participant of a group.
fn events_of(group: &Group, participant: u16) -> Vec<Event> {
    let at_once = |at, what| Event {
        at,
        lasts: Duration::ZERO,
        what,
    };
    let outages = group.outages.iter().map(|outage| Event {
        at: outage.at,
        lasts: outage.lasts,
        what: Happening::Outage { participant },
    });
    let reboots = group.nat_reboots.iter();
    let rebinds = group.nat_rebinds.iter();
    let roams = group.roam.iter().map(|roam| {
        let (nats, link) = (roam.nats.clone(), roam.link);
        let to = Box::new(Access { nats, link });
        at_once(roam.at, Happening::Roam { participant, to })
    });
    outages
        .chain(reboots.map(|at| at_once(*at, Happening::NatReboot { participant })))
        .chain(rebinds.map(|at| at_once(*at, Happening::NatRebind { participant })))
        .chain(roams)
        .collect()
}

/// The participants of a call of `number`, ordered by group, numbered from 1 in each.
fn gather(spec: &Spec, extras: &[(Option<PathBuf>, NetworkPlan)], number: u32) -> Vec<Participant> {
    let sizes = spec.groups.sizes.split(number);
    let members = members(&sizes);
    let watches = |group: &Group, index: u16| {
        let watched = group.watches.as_ref()?.groups.iter();
        let all = watched.flat_map(|place| members[*place].clone());
        Some(all.filter(|other| *other != index).collect::<BTreeSet<_>>())
    };
    let groups = spec.groups.list.iter().zip(extras).zip(sizes);
    groups
        .flat_map(|((group, extra), size)| (1..=size).map(move |rank| (group, extra, rank)))
        .zip(0..)
        .map(|((group, (camera, network), rank), index)| Participant {
            index,
            name: format!("{}-{rank}", group.name),
            group: group.name.clone(),
            nats: group.nats.value.clone(),
            nat_label: group.nats.label.clone(),
            behind_same: None,
            link: group.link.value,
            link_label: group.link.label.clone(),
            network: network.clone(),
            device: group.device.clone(),
            sends: group.sends,
            watches: watches(group, index),
            camera: camera.clone(),
            join: group.join,
            leave: group.leave,
        })
        .collect()
}

/// The indices of each group's members, if the groups have these sizes.
fn members(sizes: &[u32]) -> Vec<Range<u16>> {
    let mut next = 0;
    let range = |size: &u32| {
        let first = next;
        next += *size as u16;
        first..next
    };
    sizes.iter().map(range).collect()
}

fn check_list<T: PartialEq + std::fmt::Display>(key: &str, values: &[T], problems: &Problems) {
    if values.is_empty() {
        let message = "the override is empty; name at least one".to_owned();
        problems.add(None, key.to_owned(), message);
    }
    for (index, value) in values.iter().enumerate() {
        if values[..index].contains(value) {
            let message = format!("the override names {value} twice; drop one of them");
            problems.add(None, key.to_owned(), message);
        }
    }
}

fn check_numbers(spec: &Spec, numbers: &[u32], problems: &Problems) {
    let key = || "participants".to_owned();
    let (least, most) = (PARTICIPANTS.start(), PARTICIPANTS.end());
    for number in numbers {
        if !PARTICIPANTS.contains(number) {
            let message = format!("the override {number} is out of range; write {least} to {most}");
            problems.add(None, key(), message);
        }
    }
    let (sizes, counted) = (&spec.groups.sizes, spec.groups.sizes.counted());
    let misfit = |number: &&u32| match sizes.are_fixed() {
        true => **number != counted,
        false => **number < counted,
    };
    for number in numbers.iter().filter(misfit) {
        let message = match sizes.are_fixed() {
            true => format!(
                "the override {number} does not fit groups whose counts add up to {counted}; \
                 drop the override, or give the groups shares"
            ),
            false => format!(
                "the override {number} is less than the {counted} that the groups count; write \
                 at least {counted}"
            ),
        };
        problems.add(None, key(), message);
    }
}

/// Somebody sends in each of the calls: a small share of a small call may be nobody.
fn check_senders(spec: &Spec, numbers: &[u32], problems: &Problems) {
    for number in possible(spec, numbers).filter(|number| senders(spec, *number) == 0) {
        let message = format!(
            "of {number} participants nobody sends, by the shares of the groups; write more \
             participants, or give a group that sends a count"
        );
        problems.add(None, "participants".to_owned(), message);
    }
    let silent = |number: &u32| senders(spec, *number) > 0 && !is_anybody_watched(spec, *number);
    for number in possible(spec, numbers).filter(silent) {
        let message = format!(
            "of {number} participants nobody watches anybody else, by the sizes of the groups; \
             write other `watches`, or larger groups"
        );
        problems.add(None, "participants".to_owned(), message);
    }
}

/// An MCU makes one mix of everybody.
fn check_watches(spec: &Spec, topologies: &[Topology], problems: &Problems) {
    if !topologies.contains(&Topology::Mcu) {
        return;
    }
    for watches in spec.groups.list.iter().flat_map(|group| &group.watches) {
        let place = watches.place.clone();
        let message = "an MCU mixes everybody; drop the key, or run mesh and SFU only".to_owned();
        problems.add(Some(place.at), place.path, message);
    }
}

/// To a server everybody sends once for all; and connections that share go on counting those that
/// pause.
fn check_pauses(spec: &Spec, topologies: &[Topology], problems: &Problems) {
    let variants = spec.variants.iter().map(|variant| &variant.spec);
    if once(spec)
        .chain(variants)
        .any(|spec| spec.congestion.coupled)
    {
        for (_, place) in spec.pauses.iter().filter_map(|pause| pause.to.as_ref()) {
            let message = "connections that share would keep a part for one that pauses; write \
                           coupled = false, or drop the key"
                .to_owned();
            problems.add(Some(place.at), place.path.clone(), message);
        }
    }
    let Some(other) = topologies.iter().find(|&&other| other != Topology::Mesh) else {
        return;
    };
    for (_, place) in spec.pauses.iter().filter_map(|pause| pause.to.as_ref()) {
        let message = format!(
            "in a call with an {} nobody sends to some of the others alone; drop the key, or \
             run a mesh only",
            other.name().to_uppercase()
        );
        problems.add(Some(place.at), place.path.clone(), message);
    }
}

/// Where feedback tells of marks, it tells of all packets.
fn check_feedback(plan: &Plan, problems: &Problems) {
    if plan.congestion.ecn && !feedback::has_room(plan) {
        let call = match plan.topology {
            Topology::Mesh => "a mesh",
            Topology::Sfu => "an SFU call",
            Topology::Mcu => "an MCU call",
        };
        let number = plan.participants.len();
        let message = format!(
            "reports of RFC 8888 have no room for all that comes in {call} of {number}; write ecn = \
             false, fewer participants, or a lower bitrate"
        );
        problems.add(None, "congestion.ecn".to_owned(), message);
    }
}

/// Every workload has somebody to send and somebody else to receive, in each of the calls.
fn check_data(spec: &Spec, numbers: &[u32], problems: &Problems) {
    for number in possible(spec, numbers) {
        let sizes = spec.groups.sizes.split(number);
        let size = |group: &Option<String>| {
            let groups = spec.groups.list.iter().zip(&sizes);
            let of = |known: &Group| group.as_ref().is_none_or(|name| *name == known.name);
            groups
                .filter(|(known, _)| of(known))
                .map(|(_, size)| size)
                .sum::<u32>()
        };
        for data in workloads(spec) {
            let (from, to) = (size(&data.from), size(&data.to));
            // Who is alone in a group has nobody there to send to.
            let to_themselves = data.from == data.to && from == 1;
            if from == 0 || to == 0 || to_themselves {
                let message = format!(
                    "of {number} participants nobody sends it to somebody else, by the sizes of \
                     the groups; write another `from` or `to`, or larger groups"
                );
                problems.add(Some(data.at), data.path.clone(), message);
            }
        }
    }
}

/// Those of the scenario and of its variants, each once: what a variant does not change is the
/// scenario's.
fn workloads(spec: &Spec) -> impl Iterator<Item = &Data> {
    let changed = |data: &&Data| spec.data.iter().all(|known| known.at != data.at);
    let of_variants = spec.variants.iter().flat_map(|variant| &variant.spec.data);
    spec.data.iter().chain(of_variants.filter(changed))
}

/// The pictures in an MCU's grids are large enough for their markers to be read.
fn check_grids(spec: &Spec, numbers: &[u32], problems: &Problems) {
    let Some(video) = &spec.video else { return };
    let mcu = &spec.mcu;
    for number in possible(spec, numbers) {
        let tiles = grid::most_tiles(mcu, senders(spec, number), number);
        if !grid::is_legible(mcu, video, tiles) {
            let (width, height) = (mcu.width, mcu.height);
            let message = format!(
                "on {width}x{height} a grid of {tiles} has pictures below 160x90, too small to \
                 tell whose they are; write a larger size, or fewer participants"
            );
            problems.add(None, "mcu.size".to_owned(), message);
        }
    }
}

/// The numbers that the groups can share.
fn possible(spec: &Spec, numbers: &[u32]) -> impl Iterator<Item = u32> {
    let counted = spec.groups.sizes.counted();
    let fits = move |number: &u32| PARTICIPANTS.contains(number) && *number >= counted;
    numbers.iter().copied().filter(fits)
}

/// How many send, of so many.
fn senders(spec: &Spec, number: u32) -> u32 {
    let sizes = spec.groups.sizes.split(number);
    let groups = spec.groups.list.iter().zip(sizes);
    groups
        .filter(|(group, _)| group.sends)
        .map(|(_, size)| size)
        .sum()
}

/// Whether of so many anybody gets the media of somebody else.
fn is_anybody_watched(spec: &Spec, number: u32) -> bool {
    let groups = &spec.groups;
    let sizes = groups.sizes.split(number);
    let places = 0..sizes.len();
    let gets = |receivers: usize, senders: usize| {
        // Who is alone in a group has nobody else there to watch.
        let enough = if receivers == senders { 1 } else { 0 };
        groups.watches(receivers, senders) && sizes[receivers] > 0 && sizes[senders] > enough
    };
    places.clone().any(|a| places.clone().any(|b| gets(a, b)))
}
