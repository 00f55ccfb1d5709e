//! Two runs of one scenario, metric by metric: what got worse, what got better, what is missing.
//!
//! A change counts if it is larger than the metric's tolerance *and* more than noise. Noise is
//! judged over the seeds, by [`stats`](crate::stats), all metrics of all cells together. With the
//! same seeds on both sides replay promises equal figures if nothing changed, so a count that
//! differs is a change; other figures are still tested, in pairs, because any change of the code
//! rolls the dice again. With a single seed there is nothing to test, and tolerance alone decides.

mod comparable;
mod evidence;
mod lost;

use serde::Serialize;

use crate::gates::sizes;
use crate::metrics::{Better, Block, METRICS, Metric};
use crate::run::Run;
use crate::stats::{Estimate, significant};
pub use comparable::Incomparable;
pub use evidence::Evidence;
use evidence::Weighed;
pub use lost::{Loss, LossKind};

/// What became of a run since its baseline.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Comparison {
    /// Whether both runs have the same seeds, so that calls were compared in pairs.
    pub same_seeds: bool,
    /// Every metric of every cell, as the metrics are listed, in the order of the baseline's grid.
    pub changes: Vec<Change>,
    /// Cells, streams and pairs that the baseline had and this run has not, or less well.
    pub losses: Vec<Loss>,
}

/// One metric of one cell, before and now.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Change {
    /// The metric.
    pub metric: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// `mesh`, `sfu` or `mcu`.
    pub topology: String,
    /// How many participants the calls have.
    pub participants: u32,
    /// Whose figure it is; `None` for the whole call.
    pub group: Option<String>,
    /// What the baseline has.
    pub baseline: Option<Estimate>,
    /// What this run has.
    pub current: Option<Estimate>,
    /// This run's less the baseline's, in the unit.
    pub difference: Option<f64>,
    /// The largest difference that does not matter, in the unit.
    pub tolerance: Option<f64>,
    /// What noise was judged by.
    pub evidence: Evidence,
    /// What follows.
    pub direction: Direction,
}

/// What a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Worse, by more than tolerance and noise.
    Worse,
    /// Better, by more than tolerance and noise.
    Better,
    /// Not more than the tolerance.
    Same,
    /// More than the tolerance, and not more than noise.
    Noise,
    /// The baseline has a figure, and this run has none.
    Missing,
    /// This run has a figure, and the baseline has none.
    New,
}

impl Change {
    /// The difference as a share of the baseline; `None` of a baseline of 0.
    pub fn ratio(&self) -> Option<f64> {
        let before = self.baseline?.value;
        (before != 0.0).then(|| self.difference.map(|difference| difference / before))?
    }
}

impl Comparison {
    /// The changes in this direction.
    pub fn all(&self, direction: Direction) -> impl Iterator<Item = &Change> {
        let changes = self.changes.iter();
        changes.filter(move |change| change.direction == direction)
    }

    /// Whether nothing is worse, and nothing is missing.
    pub fn is_good(&self) -> bool {
        let bad = [Direction::Worse, Direction::Missing];
        self.losses.is_empty() && bad.into_iter().all(|bad| self.all(bad).next().is_none())
    }
}

/// Compares `current` with `baseline`: of every cell that both have the whole call, and each group
/// that a limit names.
///
/// # Errors
///
/// If the two are not of the same scenario, schema and program.
pub fn compare(baseline: &Run, current: &Run) -> Result<Comparison, Incomparable> {
    comparable::check(baseline, current)?;
    let same_seeds = seeds(baseline) == seeds(current);
    let mut changes = Vec::new();
    let now = sizes(current);
    for cell in sizes(baseline)
        .into_iter()
        .filter(|cell| now.contains(cell))
    {
        for group in groups(current) {
            let block = |run: &Run| Block::of(&run.cells, cell, group);
            let blocks = [block(baseline), block(current)];
            let metrics = METRICS
                .iter()
                .filter(|metric| group.is_none() || metric.of_groups);
            changes.extend(metrics.filter_map(|metric| {
                let figures = Figures::of(metric, &blocks)?;
                Some(figures.change(metric, cell, group, same_seeds))
            }));
        }
    }
    Ok(Comparison {
        same_seeds,
        changes: decided(changes),
        losses: lost::all(baseline, current, same_seeds),
    })
}

fn seeds(run: &Run) -> Vec<u64> {
    let mut seeds = run.grid.seeds.clone();
    seeds.sort_unstable();
    seeds
}

/// The whole call, and the groups that limits name, each once.
fn groups(run: &Run) -> Vec<Option<&str>> {
    let mut groups = vec![None];
    for limit in &run.limits {
        let group = limit.group.as_deref();
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

/// A metric before and now, where either has it.
struct Figures {
    before: Option<crate::metrics::Figure>,
    now: Option<crate::metrics::Figure>,
}

impl Figures {
    fn of(metric: &Metric, [before, now]: &[Option<Block>; 2]) -> Option<Self> {
        let figure = |block: &Option<Block>| block.as_ref()?.figure(metric);
        let (before, now) = (figure(before), figure(now));
        let is_there = before.as_ref().or(now.as_ref()).is_some();
        is_there.then_some(Figures { before, now })
    }

    /// The change, still undecided: its direction is what it is if it is more than noise.
    fn change(
        &self,
        metric: &'static Metric,
        (topology, participants): (&str, u32),
        group: Option<&str>,
        same_seeds: bool,
    ) -> Change {
        let estimate = |figure: &Option<crate::metrics::Figure>| figure.as_ref()?.estimate;
        let (baseline, current) = (estimate(&self.before), estimate(&self.now));
        let both = baseline.zip(current);
        let difference = both.map(|(before, now)| now.value - before.value);
        let tolerance = baseline.map(|before| metric.tolerance(before.value));
        let evidence = match (&self.before, &self.now) {
            (Some(before), Some(now)) if both.is_some() => Weighed {
                pool: metric.pool,
                same_seeds,
            }
            .evidence(&before.by_seed, &now.by_seed),
            _ => Evidence::None,
        };
        let direction = match (baseline, current) {
            (Some(_), None) => Direction::Missing,
            (None, Some(_)) => Direction::New,
            (None, None) => Direction::Same,
            (Some(before), Some(now)) => direction(metric, before.value, now.value),
        };
        Change {
            metric: metric.name,
            unit: metric.unit,
            topology: topology.to_owned(),
            participants,
            group: group.map(str::to_owned),
            baseline,
            current,
            difference,
            tolerance,
            evidence,
            direction,
        }
    }
}

/// Which way it went, by tolerance alone.
fn direction(metric: &Metric, before: f64, now: f64) -> Direction {
    let tolerance = metric.tolerance(before);
    // Sums of floats in another order are not a change.
    let rounding = 1e-9 * before.abs().max(now.abs());
    let worse = match metric.better {
        Better::Lower => now - before,
        Better::Higher => before - now,
    };
    if worse.abs() <= tolerance + rounding {
        return Direction::Same;
    }
    match worse > 0.0 {
        true => Direction::Worse,
        false => Direction::Better,
    }
}

/// Takes back what is not more than noise, all tests together.
fn decided(mut changes: Vec<Change>) -> Vec<Change> {
    let tested = |change: &Change| change.evidence.probability();
    let probabilities: Vec<f64> = changes.iter().filter_map(tested).collect();
    let mut found = significant(&probabilities).into_iter();
    for change in &mut changes {
        let is_noise = change.evidence.probability().is_some() && found.next() == Some(false);
        if is_noise && matches!(change.direction, Direction::Worse | Direction::Better) {
            change.direction = Direction::Noise;
        }
    }
    changes
}

#[cfg(test)]
mod tests;
