//! From a scenario to the plans of its grid.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use sim::Seed;

use crate::apportion::apportion;
use crate::camera;
use crate::document::{Finding, Problems};
use crate::plan::{Device, Fidelity, McuPlan, Participant, Plan, SfuPlan, Topology};
use crate::spec::{Group, PARTICIPANTS, Sizes, Spec};

/// What the command line changes in a scenario; `None` keeps what the scenario says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The topologies to run instead: at least one, none twice.
    pub topologies: Option<Vec<Topology>>,
    /// The numbers of participants to run instead: at least one, none twice, each 2 to 200, and
    /// only what the counts add up to if the groups have counts.
    pub participants: Option<Vec<u32>>,
    /// The one seed to run instead of the scenario's seeds.
    pub seed: Option<u64>,
}

/// The plans of a scenario whose files are relative to `base`: topologies in their order, in each
/// the numbers of participants in theirs, in each the seeds upwards.
///
/// # Errors
///
/// Every override that does not fit and every camera that cannot be used.
pub(crate) fn resolve(
    spec: &Spec,
    base: &Path,
    overrides: &Overrides,
) -> Result<Vec<Plan>, Vec<Finding>> {
    let problems = Problems::default();
    let topologies = overrides.topologies.as_ref().unwrap_or(&spec.topologies);
    check_list("topologies", topologies, &problems);
    let participants = overrides
        .participants
        .as_ref()
        .unwrap_or(&spec.participants);
    check_list("participants", participants, &problems);
    check_numbers(spec, participants, &problems);
    let camera = |group: &Group| Some(camera::find(group.camera.as_ref()?, base, &problems));
    let cameras: Vec<_> = spec.groups.list.iter().map(camera).collect();
    problems.into_result(())?;

    let mut plans = Vec::new();
    for topology in topologies {
        for number in participants {
            let participants = gather(spec, &cameras, *number);
            let cell = |seed| plan(spec, *topology, participants.clone(), seed);
            plans.extend(seeds(spec, overrides).map(cell));
        }
    }
    Ok(plans)
}

fn seeds(spec: &Spec, overrides: &Overrides) -> RangeInclusive<u64> {
    match overrides.seed {
        Some(seed) => seed..=seed,
        None => spec.seed..=spec.seed + (spec.seeds - 1),
    }
}

fn plan(spec: &Spec, topology: Topology, participants: Vec<Participant>, seed: u64) -> Plan {
    Plan {
        scenario: spec.name.clone(),
        topology,
        seed: Seed(seed),
        participants,
        video: spec.video.clone(),
        audio: spec.audio.clone(),
        warmup: spec.warmup,
        duration: spec.duration,
        fidelity: Fidelity::Codec,
        costs: None,
        stack: spec.stack.clone(),
        servers: spec.servers.clone(),
        sfu: SfuPlan::default(),
        mcu: McuPlan {
            fps: spec.video.as_ref().map_or(30, |video| video.fps),
            ..McuPlan::default()
        },
        events: Vec::new(),
    }
}

/// The participants of a call of `number`, ordered by group, numbered from 1 in each.
fn gather(spec: &Spec, cameras: &[Option<PathBuf>], number: u32) -> Vec<Participant> {
    let sizes = match &spec.groups.sizes {
        Sizes::Shares(shares) => apportion(shares, number),
        Sizes::Counts(counts) => counts.clone(),
    };
    let groups = spec.groups.list.iter().zip(cameras).zip(sizes);
    groups
        .flat_map(|((group, camera), size)| (1..=size).map(move |rank| (group, camera, rank)))
        .zip(0..)
        .map(|((group, camera, rank), index)| Participant {
            index,
            name: format!("{}-{rank}", group.name),
            group: group.name.clone(),
            nats: group.nats.value.clone(),
            nat_label: group.nats.label.clone(),
            link: group.link.value,
            link_label: group.link.label.clone(),
            device: Device::default(),
            sends: true,
            camera: camera.clone(),
            join: group.join,
            leave: group.leave,
        })
        .collect()
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
    let Sizes::Counts(counts) = &spec.groups.sizes else {
        return;
    };
    let sum: u32 = counts.iter().sum();
    for number in numbers.iter().filter(|number| **number != sum) {
        let message = format!(
            "the override {number} does not fit groups whose counts add up to {sum}; drop the \
             override, or give the groups shares"
        );
        problems.add(None, key(), message);
    }
}
