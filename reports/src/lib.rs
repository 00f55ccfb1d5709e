//! Reports of rtclab: records, metrics, and their renderings.
//!
//! Runs write records to files, and every table is made from the records alone: rendering never
//! runs a call again.
//!
//! - [`record`]: what a run records, the contract between runs and readers.
//! - [`distribution`]: samples kept as counts of buckets, never as percentiles.
//! - [`run`]: a whole run, the content of `run.json`, and where it came from.
//! - [`metrics`]: figures of one cell, as the rows of the tables.
//! - [`stats`]: how sure figures are over the seeds, and whether two runs differ by more than noise.
//! - [`gates`]: the limits of a scenario, judged; [`compare`]: a run against its baseline.
//! - [`recommend`]: which topology to build, by the limits and by price.
//! - [`render`]: rows as CSV, charts as SVG, a run as readable text or as a page.
//! - [`traversal`]: the traversal matrix, from its records to its renderings.
//! - [`store`]: a run's directory, written whole or not at all, and read back.

pub mod compare;
pub mod distribution;
pub mod gates;
pub mod metrics;
mod rank;
pub mod recommend;
pub mod record;
pub mod render;
pub mod run;
pub mod stats;
pub mod store;
pub mod traversal;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod schema;

pub use distribution::Distribution;
pub use run::{Grid, Limit, Provenance, Run, Source};
pub use store::{Capture, Format, Output, StoreError};
