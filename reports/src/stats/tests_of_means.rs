//! Whether two sets of seeds differ by more than noise: the probability that they would differ at
//! least so much, either way, if nothing had changed.
//!
//! Tests by rank or permutation are exact, but with three seeds on each side the least probability
//! that they can give is 0.1, which no correction for the number of metrics lets pass. Student's t
//! has power with few seeds, and figures of calls, each a mean or a percentile of many frames, are
//! near enough to normal for it.

use super::{moments, two_sided};

/// The test for runs of different seeds; `None` with fewer than three seeds in all.
///
/// Welch's, which lets both sides vary as they do; of one seed against several Student's, which
/// takes the one to vary as the others do.
pub fn unpaired(a: &[f64], b: &[f64]) -> Option<f64> {
    let (n, m) = (a.len() as f64, b.len() as f64);
    let (difference, square, degrees) = match (moments(a), moments(b)) {
        (Some((mean_a, variance_a)), Some((mean_b, variance_b))) => {
            let (part_a, part_b) = (variance_a / n, variance_b / m);
            let square = part_a + part_b;
            // Welch-Satterthwaite.
            let parts = part_a.powi(2) / (n - 1.0) + part_b.powi(2) / (m - 1.0);
            (mean_b - mean_a, square, square.powi(2) / parts)
        }
        (Some((mean, variance)), None) => (b.first()? - mean, variance * (1.0 + 1.0 / n), n - 1.0),
        (None, Some((mean, variance))) => (mean - a.first()?, variance * (1.0 + 1.0 / m), m - 1.0),
        (None, None) => return None,
    };
    match square == 0.0 {
        true => Some(certain(difference)),
        false => Some(two_sided(difference / square.sqrt(), degrees)),
    }
}

/// The paired test, for runs of the same seeds, in the same order; `None` with fewer than two.
///
/// # Panics
///
/// If there are not as many of one as of the other.
pub fn paired(a: &[f64], b: &[f64]) -> Option<f64> {
    assert_eq!(a.len(), b.len(), "pairs");
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| b - a).collect();
    let (mean, variance) = moments(&differences)?;
    let n = differences.len() as f64;
    match variance == 0.0 {
        true => Some(certain(mean)),
        false => Some(two_sided(mean / (variance / n).sqrt(), n - 1.0)),
    }
}

/// Where nothing varies, any difference is one.
fn certain(difference: f64) -> f64 {
    if difference == 0.0 { 1.0 } else { 0.0 }
}
