//! What says that a change is more than noise.

use serde::Serialize;

use crate::metrics::Pool;
use crate::stats::{paired, unpaired};

/// What noise was judged by. Probabilities are two-sided, before the correction for their number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// Welch's test over different seeds, or Student's of one against several.
    Unpaired(f64),
    /// The paired test over the same seeds.
    Paired(f64),
    /// A count over the same seeds, which replay repeats: no noise.
    SameSeeds,
    /// Too few seeds to know the noise: tolerance alone.
    Tolerance,
    /// There is nothing to compare.
    None,
}

impl Evidence {
    /// Of a difference like this or more, if nothing had changed; `None` where nothing was tested.
    pub fn probability(self) -> Option<f64> {
        match self {
            Evidence::Unpaired(p) | Evidence::Paired(p) => Some(p),
            Evidence::SameSeeds | Evidence::Tolerance | Evidence::None => None,
        }
    }
}

/// What there is to know about two sets of seeds.
pub(super) struct Weighed {
    pub(super) pool: Pool,
    pub(super) same_seeds: bool,
}

impl Weighed {
    /// Of the figures of seeds, in order, of both runs.
    pub(super) fn evidence(&self, before: &[(u64, f64)], now: &[(u64, f64)]) -> Evidence {
        let values =
            |seeds: &[(u64, f64)]| -> Vec<f64> { seeds.iter().map(|(_, value)| *value).collect() };
        let (a, b) = (values(before), values(now));
        let tested = match self.same_seeds && a.len() == b.len() {
            true if self.pool == Pool::Count || a.len() == 1 => return Evidence::SameSeeds,
            true => paired(&a, &b).map(Evidence::Paired),
            false => unpaired(&a, &b).map(Evidence::Unpaired),
        };
        tested.unwrap_or(Evidence::Tolerance)
    }
}
