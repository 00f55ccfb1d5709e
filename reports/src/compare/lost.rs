//! What the baseline had and a run has not: cells, streams, pairs, direct paths. By name, where
//! metrics only count.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::gates::sizes;
use crate::metrics::pairs;
use crate::record::CellRecord;
use crate::run::Run;

/// Something that is not there any more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Loss {
    /// `mesh`, `sfu` or `mcu`.
    pub topology: String,
    /// How many participants the call has.
    pub participants: u32,
    /// What was lost.
    pub kind: LossKind,
    /// Its name, such as `video of a for b`; empty for a whole cell.
    pub name: String,
    /// The seeds in which it was lost, upwards; all of them, if the runs have other seeds.
    pub seeds: Vec<u64>,
}

/// What can be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// A topology and size was not run, or not with each of its seeds.
    Cell,
    /// A pair connected, and does not now.
    Pair,
    /// A pair had a direct path, and is relayed now.
    DirectPath,
    /// A stream was shown or played, and is not now.
    Stream,
}

impl LossKind {
    /// What to call it.
    pub const fn name(self) -> &'static str {
        match self {
            LossKind::Cell => "cell not run",
            LossKind::Pair => "pair not connected",
            LossKind::DirectPath => "pair now relayed",
            LossKind::Stream => "stream missing",
        }
    }
}

/// What calls of a cell had, by seed.
type Had = BTreeMap<u64, BTreeSet<(LossKind, String)>>;

/// Everything that was lost. With the same seeds, in any of them; with others, what every call of
/// the baseline had and none has now: what comes and goes with the seed is for metrics to judge.
pub(super) fn all(baseline: &Run, current: &Run, same_seeds: bool) -> Vec<Loss> {
    let mut losses = Vec::new();
    for cell in sizes(baseline) {
        let (before, now) = (had(baseline, cell), had(current, cell));
        let lost = match (now.is_empty(), same_seeds) {
            (true, _) => vec![(LossKind::Cell, String::new(), before.into_keys().collect())],
            (false, true) => in_pairs(&before, &now),
            (false, false) => altogether(&before, &now),
        };
        losses.extend(lost.into_iter().map(|(kind, name, seeds)| Loss {
            topology: cell.0.to_owned(),
            participants: cell.1,
            kind,
            name,
            seeds,
        }));
    }
    losses
}

fn in_pairs(before: &Had, now: &Had) -> Vec<(LossKind, String, Vec<u64>)> {
    let mut lost: BTreeMap<(LossKind, String), Vec<u64>> = BTreeMap::new();
    for (seed, things) in before {
        match now.get(seed) {
            None => lost
                .entry((LossKind::Cell, String::new()))
                .or_default()
                .push(*seed),
            Some(left) => {
                for thing in things.difference(left) {
                    lost.entry(thing.clone()).or_default().push(*seed);
                }
            }
        }
    }
    lost.into_iter()
        .map(|((kind, name), seeds)| (kind, name, seeds))
        .collect()
}

fn altogether(before: &Had, now: &Had) -> Vec<(LossKind, String, Vec<u64>)> {
    let mut calls = before.values();
    let first = calls.next().cloned().unwrap_or_default();
    let always = calls.fold(first, |all, call| &all & call);
    let ever: BTreeSet<_> = now.values().flatten().collect();
    let lost = always.into_iter().filter(|thing| !ever.contains(thing));
    let seeds: Vec<u64> = now.keys().copied().collect();
    lost.map(|(kind, name)| (kind, name, seeds.clone()))
        .collect()
}

fn had(run: &Run, (topology, participants): (&str, u32)) -> Had {
    let cells = run.cells.iter();
    let cells = cells.filter(|cell| cell.topology == topology && cell.participants == participants);
    cells.map(|cell| (cell.seed, things(cell))).collect()
}

fn things(cell: &CellRecord) -> BTreeSet<(LossKind, String)> {
    let streams = cell
        .streams
        .iter()
        .filter(|stream| stream.frames_rendered > 0);
    let mut things: BTreeSet<_> = streams
        .map(|stream| {
            let (kind, sender, receiver) = (stream.kind.name(), &stream.sender, &stream.receiver);
            (
                LossKind::Stream,
                format!("{kind} of {sender} for {receiver}"),
            )
        })
        .collect();
    for pair in pairs(cell).iter().filter(|pair| pair.connected) {
        let name = format!(
            "{} - {}",
            pair.local.min(pair.remote),
            pair.local.max(pair.remote)
        );
        if !pair.relayed {
            things.insert((LossKind::DirectPath, name.clone()));
        }
        things.insert((LossKind::Pair, name));
    }
    things
}
