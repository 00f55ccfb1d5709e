//! How sure a figure is over the seeds, and whether two runs differ by more than noise.
//!
//! A seed is one observation: frames and probes of one call hang together, so they are never
//! counted as independent. A percentile of a cell is that of the pooled samples of its seeds, never
//! a mean of percentiles; what the seeds say about it is its spread alone.

mod estimate;
mod family;
mod tests_of_means;

pub use estimate::{CONFIDENCE, Estimate};
pub use family::{FALSE_ALARMS, significant};
pub use tests_of_means::{paired, unpaired};

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Mean and variance (with n - 1) of at least two values.
fn moments(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() >= 2).then(|| (mean, squares / (n - 1.0)))
}

/// Student's t with this many degrees of freedom, above 0.
fn student(degrees: f64) -> StudentsT {
    StudentsT::new(0.0, 1.0, degrees).expect("a positive number of degrees of freedom")
}

/// The probability that Student's t is at least so far from 0, either way.
fn two_sided(t: f64, degrees: f64) -> f64 {
    (2.0 * student(degrees).cdf(-t.abs())).clamp(0.0, 1.0)
}

/// The t that Student's t exceeds, either way, in `1 - confidence` of cases.
fn critical(confidence: f64, degrees: f64) -> f64 {
    student(degrees).inverse_cdf(0.5 + confidence / 2.0)
}

#[cfg(test)]
mod tests;
