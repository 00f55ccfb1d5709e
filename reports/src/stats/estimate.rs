//! A figure with its confidence interval.

use serde::Serialize;

use super::{critical, moments};

/// The share of intervals that hold the true value.
pub const CONFIDENCE: f64 = 0.95;

/// A figure over the seeds of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Lower end of its interval of 95 %; `None` with one seed, which says nothing of its spread.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// How many seeds there are.
    pub seeds: usize,
}

impl Estimate {
    /// `value` between `value ± t s / sqrt(n)`, where `s` is the standard deviation of what the
    /// single seeds have and `t` is Student's.
    ///
    /// For a mean over seeds that is the textbook's interval. For a percentile of pooled samples
    /// too, to first order: its error is the mean of the errors that the seeds make at it.
    pub fn over_seeds(value: f64, seeds: &[f64]) -> Self {
        let half = moments(seeds).map(|(_, variance)| {
            let n = seeds.len() as f64;
            critical(CONFIDENCE, n - 1.0) * (variance / n).sqrt()
        });
        Estimate {
            value,
            low: half.map(|half| value - half),
            high: half.map(|half| value + half),
            seeds: seeds.len(),
        }
    }
}
