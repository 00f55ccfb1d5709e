//! Which topology to build, for each size of the call.
//!
//! The rule, all of it:
//!
//! 1. A topology **keeps to** the limits if none of them is broken by its figures over all seeds:
//!    the limits of the scenario, and the usual ones for what it does not limit. A stated limit
//!    whose figure is missing is broken; a usual one says nothing then.
//! 2. Of those that do, the one whose servers cost least is recommended; of equal prices, and of
//!    unknown ones, the one with most room to its tightest limit; then the first of the grid.
//! 3. If none does, none is recommended, and the nearest is the one that breaks fewest limits, and
//!    of those the one that is least far beyond.
//!
//! How sure that is: the rule is applied to each seed alone, and the seeds that give the same
//! answer are counted.

mod limits;
mod row;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::gates::{Outcome, Verdict, applied};
use crate::metrics::{Block, Metric};
use crate::record::CellRecord;
use crate::run::Run;
use crate::stats::Estimate;
use limits::Rule;
pub use row::DecisionRow;

/// What is recommended for calls of one size.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Decision {
    /// How many participants the calls have.
    pub participants: u32,
    /// The topologies that were run, the best first.
    pub candidates: Vec<Candidate>,
    /// How many seeds there are.
    pub seeds: usize,
    /// How many of them give the same answer alone.
    pub agreeing: usize,
}

/// One topology at one size.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Candidate {
    /// `mesh`, `sfu` or `mcu`.
    pub topology: String,
    /// Every limit that applies.
    pub limits: Vec<Judged>,
    /// What an hour costs in servers, in the currency of the run; `None` if that is not known.
    pub money_per_hour: Option<Estimate>,
}

/// A limit as it turned out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judged {
    /// Whether the scenario states it; otherwise it is a usual one.
    pub is_stated: bool,
    /// What became of it.
    pub verdict: Verdict,
}

impl Decision {
    /// The topology to build, if there is one.
    pub fn recommended(&self) -> Option<&Candidate> {
        self.candidates.first().filter(|best| best.keeps())
    }
}

impl Candidate {
    /// Whether no limit is broken.
    pub fn keeps(&self) -> bool {
        self.broken() == 0
    }

    /// How many limits are broken.
    pub fn broken(&self) -> usize {
        let all = self.limits.iter();
        all.filter(|limit| !limit.verdict.outcome.is_good()).count()
    }

    /// The limit that it is nearest to breaking, or furthest beyond; `None` if none tells how far
    /// it is.
    pub fn tightest(&self) -> Option<&Judged> {
        let tight = self
            .limits
            .iter()
            .filter(|limit| limit.room() < f64::INFINITY);
        tight.min_by(|a, b| a.room().total_cmp(&b.room()))
    }

    fn room(&self) -> f64 {
        self.tightest().map_or(f64::INFINITY, Judged::room)
    }
}

impl Judged {
    /// How far from breaking, as a share of the bound: below 0 if broken. A bound of 0 is kept with
    /// any room, or broken without measure.
    fn room(&self) -> f64 {
        match (self.verdict.outcome, self.verdict.margin_ratio) {
            (Outcome::NotApplicable, _) => f64::INFINITY,
            (_, Some(ratio)) => ratio,
            (Outcome::Pass, None) => f64::INFINITY,
            (Outcome::Fail | Outcome::Missing, None) => f64::NEG_INFINITY,
        }
    }
}

/// A decision for each size of the run's calls, ascending.
pub fn all(run: &Run) -> Vec<Decision> {
    let rules = limits::of(run);
    let mut sizes = run.grid.participants.clone();
    sizes.sort_unstable();
    let decisions = sizes.into_iter().map(|size| decide(run, &rules, size));
    decisions
        .filter(|decision| !decision.candidates.is_empty())
        .collect()
}

fn decide(run: &Run, rules: &[Rule], size: u32) -> Decision {
    let cells: Vec<&CellRecord> = run
        .cells
        .iter()
        .filter(|cell| cell.participants == size)
        .collect();
    let candidates = ranked(run, rules, size, &cells);
    let mut seeds: Vec<u64> = cells.iter().map(|cell| cell.seed).collect();
    seeds.sort_unstable();
    seeds.dedup();
    let answer = |candidates: &[Candidate]| {
        let best = candidates.first().filter(|best| best.keeps());
        best.map(|best| best.topology.clone())
    };
    let agrees = |seed: &&u64| {
        let of_seed: Vec<_> = cells
            .iter()
            .copied()
            .filter(|cell| cell.seed == **seed)
            .collect();
        answer(&ranked(run, rules, size, &of_seed)) == answer(&candidates)
    };
    let agreeing = match seeds.len() {
        1 => 1,
        _ => seeds.iter().filter(agrees).count(),
    };
    Decision {
        participants: size,
        seeds: seeds.len(),
        agreeing,
        candidates,
    }
}

/// The topologies that were run, the best first, by these cells.
fn ranked(run: &Run, rules: &[Rule], size: u32, cells: &[&CellRecord]) -> Vec<Candidate> {
    let names = run.grid.topologies.iter();
    let candidates = names.filter_map(|name| candidate(rules, (name, size), cells));
    let mut candidates: Vec<_> = candidates.collect();
    // Stable, so that of equal ones the first of the grid is first.
    candidates.sort_by(better);
    candidates
}

fn candidate(rules: &[Rule], cell: (&str, u32), cells: &[&CellRecord]) -> Option<Candidate> {
    let block = |group| Block::of(cells.iter().copied(), cell, group);
    let whole = block(None)?;
    let groups = rules.iter().filter_map(|rule| rule.limit.group.as_deref());
    let groups: BTreeMap<&str, Option<Block>> =
        groups.map(|group| (group, block(Some(group)))).collect();
    let judged = rules
        .iter()
        .filter(|rule| rule.limit.covers(cell.0, cell.1))
        .map(|rule| {
            let seen = match rule.limit.group.as_deref() {
                None => Some(&whole),
                Some(group) => groups.get(group).and_then(Option::as_ref),
            };
            Judged {
                is_stated: rule.is_stated,
                verdict: applied(&rule.limit, rule.metric, cell, seen),
            }
        });
    let is_said = |limit: &Judged| limit.is_stated || limit.verdict.outcome != Outcome::Missing;
    let money = Metric::named("money_per_hour").and_then(|metric| whole.figure(metric));
    Some(Candidate {
        topology: cell.0.to_owned(),
        limits: judged.filter(is_said).collect(),
        money_per_hour: money.and_then(|figure| figure.estimate),
    })
}

/// The rule: which of two candidates comes first.
fn better(a: &Candidate, b: &Candidate) -> Ordering {
    let room = || b.room().total_cmp(&a.room());
    let broken = a.broken().cmp(&b.broken());
    match a.keeps() && b.keeps() {
        true => cheaper(a, b).then_with(room),
        false => broken.then_with(room),
    }
}

/// A known price comes before an unknown one.
fn cheaper(a: &Candidate, b: &Candidate) -> Ordering {
    let price = |candidate: &Candidate| candidate.money_per_hour.map(|money| money.value);
    match (price(a), price(b)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    }
}

#[cfg(test)]
mod tests;
