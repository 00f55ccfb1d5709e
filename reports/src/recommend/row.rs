//! `decisions.csv`: every limit of every candidate.

use super::{Candidate, Decision, Judged};
use crate::metrics::row;

row! {
    /// One limit of one topology at one size.
    pub struct DecisionRow {
        /// How many participants the calls have.
        pub participants: u32,
        /// `mesh`, `sfu` or `mcu`.
        pub topology: String,
        /// 1 is the best.
        pub rank: usize,
        /// Whether this is the one to build.
        pub recommended: bool,
        /// How many seeds there are.
        pub seeds: usize,
        /// How many of them give the same answer alone.
        pub agreeing: usize,
        /// What an hour costs in servers.
        pub money_per_hour: Option<f64>,
        /// The limited metric.
        pub metric: String,
        /// Whose figure it is; missing for the whole call.
        pub group: Option<String>,
        /// Whether the scenario states the limit.
        pub is_stated: bool,
        /// The figure.
        pub value: Option<f64>,
        /// The least that is good.
        pub min: Option<f64>,
        /// The most that is good.
        pub max: Option<f64>,
        /// How far the figure is from the nearer bound, in the metric's unit; below 0 beyond it.
        pub margin: Option<f64>,
        /// The same as a share of the bound; missing for a bound of 0.
        pub margin_ratio: Option<f64>,
        /// `pass`, `FAIL`, `MISSING`, or `-` where there is no such figure.
        pub outcome: &'static str,
    }
}

impl DecisionRow {
    /// The rows of decisions, in their order.
    pub fn all(decisions: &[Decision]) -> impl Iterator<Item = DecisionRow> {
        decisions.iter().flat_map(|decision| {
            let candidates = decision.candidates.iter().enumerate();
            candidates.flat_map(move |(place, candidate)| {
                let limits = candidate.limits.iter();
                limits.map(move |limit| DecisionRow::of(decision, place, candidate, limit))
            })
        })
    }

    fn of(decision: &Decision, place: usize, candidate: &Candidate, limit: &Judged) -> Self {
        let verdict = &limit.verdict;
        DecisionRow {
            participants: decision.participants,
            topology: candidate.topology.clone(),
            rank: place + 1,
            recommended: place == 0 && candidate.keeps(),
            seeds: decision.seeds,
            agreeing: decision.agreeing,
            money_per_hour: candidate.money_per_hour.map(|money| money.value),
            metric: verdict.metric.clone(),
            group: verdict.group.clone(),
            is_stated: limit.is_stated,
            value: verdict.estimate.map(|estimate| estimate.value),
            min: verdict.min,
            max: verdict.max,
            margin: verdict.margin,
            margin_ratio: verdict.margin_ratio,
            outcome: verdict.outcome.name(),
        }
    }
}
