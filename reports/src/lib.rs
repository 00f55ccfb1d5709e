//! Reports of rtclab: records, metrics, and their renderings.
//!
//! - [`record`]: what a run records, the contract between runs and readers.
//! - [`distribution`]: samples kept as a mergeable histogram, never as percentiles.

pub mod distribution;
pub mod record;
