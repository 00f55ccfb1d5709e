//!
//! runs a call again.
//!
//! - [`distribution`]: samples kept as counts of buckets, never as percentiles.

pub mod distribution;
mod rank;
pub mod record;

pub use distribution::Distribution;
