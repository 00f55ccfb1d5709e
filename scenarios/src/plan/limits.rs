//! What the results of a scenario have to keep to.

use serde::Serialize;

use super::Topology;

/// Bounds of one metric, for all cells of a scenario or some of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Limit {
    /// The metric, as a column of `summary.csv` is called; its unit is in the name.
    pub metric: String,
    /// The least that is good, at most `max`; one of the two is there.
    pub min: Option<f64>,
    /// The most that is good.
    pub max: Option<f64>,
    /// The topologies that it holds for; `None` for all.
    pub topologies: Option<Vec<Topology>>,
    /// The numbers of participants that it holds for; `None` for all.
    pub participants: Option<Vec<u32>>,
    /// The group whose members it is about, each taken as a receiver; `None` for the whole call.
    pub group: Option<String>,
}
