//! Gates: the limits of a scenario, and whether a run keeps to them.

use serde::Serialize;

use crate::metrics::{Block, Metric};
use crate::run::{Limit, Run};
use crate::stats::Estimate;

/// A limit, applied to the cells of one topology and size.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Verdict {
    /// The metric.
    pub metric: String,
    /// Its unit.
    pub unit: &'static str,
    /// `mesh`, `sfu` or `mcu`.
    pub topology: String,
    /// How many participants the calls have.
    pub participants: u32,
    /// Whose figure it is; `None` for the whole call.
    pub group: Option<String>,
    /// The least that is good.
    pub min: Option<f64>,
    /// The most that is good.
    pub max: Option<f64>,
    /// The figure; `None` if it does not apply, or a seed has none.
    pub estimate: Option<Estimate>,
    /// How far the figure is from the nearer bound, in the unit: negative beyond it.
    pub margin: Option<f64>,
    /// The same, as a share of that bound; `None` for a bound of 0.
    pub margin_ratio: Option<f64>,
    /// What follows.
    pub outcome: Outcome,
    /// Whether the whole interval of the figure is on one side of the bounds, so that other seeds
    /// would hardly change the outcome; `None` with one seed.
    pub sure: Option<bool>,
}

/// What became of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The figure is within the bounds.
    Pass,
    /// The figure is beyond one of them.
    Fail,
    /// There should be a figure, and there is none.
    Missing,
    /// Such a call has no such figure: a mesh has no server.
    NotApplicable,
}

impl Outcome {
    /// Whether the gate holds.
    pub const fn is_good(self) -> bool {
        matches!(self, Outcome::Pass | Outcome::NotApplicable)
    }

    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Fail => "FAIL",
            Outcome::Missing => "MISSING",
            Outcome::NotApplicable => "-",
        }
    }
}

/// A limit of a metric that this program does not know: another one wrote the file, or a person.
#[derive(Debug, thiserror::Error)]
#[error("limits.{metric}: an unknown metric; use the version that wrote the results")]
pub struct UnknownMetric {
    /// Its name.
    pub metric: String,
}

/// Applies every limit of `run` to all cells that it covers: by limit, then by topology and size in
/// the order of the grid.
///
/// # Errors
///
/// If a limit is of an unknown metric.
pub fn judge(run: &Run) -> Result<Vec<Verdict>, UnknownMetric> {
    let mut verdicts = Vec::new();
    for limit in &run.limits {
        let metric = Metric::named(&limit.metric).ok_or_else(|| UnknownMetric {
            metric: limit.metric.clone(),
        })?;
        let cells = sizes(run).into_iter();
        let covered = cells.filter(|(topology, number)| limit.covers(topology, *number));
        verdicts.extend(covered.map(|cell| verdict(run, limit, metric, cell)));
    }
    Ok(verdicts)
}

/// The topologies and sizes of a run, in the order of its grid.
pub(crate) fn sizes(run: &Run) -> Vec<(&str, u32)> {
    let numbers = |topology| {
        let numbers = run.grid.participants.iter();
        numbers.map(move |number| (topology, *number))
    };
    let topologies = run.grid.topologies.iter().map(String::as_str);
    topologies.flat_map(numbers).collect()
}

fn verdict(run: &Run, limit: &Limit, metric: &Metric, cell: (&str, u32)) -> Verdict {
    let block = Block::of(&run.cells, cell, limit.group.as_deref());
    applied(limit, metric, cell, block.as_ref())
}

/// A limit, applied to the `block` that it is about.
pub(crate) fn applied(
    limit: &Limit,
    metric: &Metric,
    cell: (&str, u32),
    block: Option<&Block>,
) -> Verdict {
    let figure = block.and_then(|block| block.figure(metric));
    let estimate = figure.as_ref().and_then(|figure| figure.estimate);
    let nearer = estimate.and_then(|estimate| nearer(limit, estimate.value));
    let outcome = match (&figure, nearer) {
        (None, _) => Outcome::NotApplicable,
        (Some(_), None) => Outcome::Missing,
        (Some(_), Some((margin, _))) if margin < 0.0 => Outcome::Fail,
        _ => Outcome::Pass,
    };
    Verdict {
        metric: metric.name.to_owned(),
        unit: metric.unit,
        topology: cell.0.to_owned(),
        participants: cell.1,
        group: limit.group.clone(),
        min: limit.min,
        max: limit.max,
        estimate,
        margin: nearer.map(|(margin, _)| margin),
        margin_ratio: nearer.and_then(|(margin, bound)| (bound > 0.0).then(|| margin / bound)),
        outcome,
        sure: estimate.and_then(|estimate| sure(limit, &estimate)),
    }
}

/// The distance to the nearer bound, and that bound.
fn nearer(limit: &Limit, value: f64) -> Option<(f64, f64)> {
    let above = limit.min.map(|min| (value - min, min));
    let below = limit.max.map(|max| (max - value, max));
    let distances = above.into_iter().chain(below);
    distances.min_by(|a, b| a.0.total_cmp(&b.0))
}

/// Whether no bound is inside of the interval. An end that is on a bound keeps to it.
fn sure(limit: &Limit, estimate: &Estimate) -> Option<bool> {
    let (low, high) = (estimate.low?, estimate.high?);
    let crosses_min = limit.min.is_some_and(|min| low < min && min <= high);
    let crosses_max = limit.max.is_some_and(|max| low <= max && max < high);
    Some(!crosses_min && !crosses_max)
}

#[cfg(test)]
mod tests;
