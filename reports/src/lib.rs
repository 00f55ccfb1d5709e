//!
//! runs a call again.
//!
//! - [`record`]: what a run records, the contract between runs and readers.
//! - [`distribution`]: samples kept as counts of buckets, never as percentiles.
//! - [`run`]: a whole run, the content of `run.json`, and where it came from.
//! - [`metrics`]: figures of one cell, as the rows of the tables.

pub mod distribution;
pub mod metrics;
mod rank;
pub mod record;
pub mod run;

#[cfg(test)]
mod fixture;

pub use distribution::Distribution;
pub use run::{Grid, Provenance, Run, Source};
