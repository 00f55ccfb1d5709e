//! Percentiles by nearest rank: always a sample that was seen, never an interpolation.

/// The rank (from 1) of quantile `q` among `n` samples: `ceil(q n)`, at least 1; `None` of none.
///
/// `q` is cut to 0 to 1. The product is rounded twice (`q` to binary, the product itself), each
/// time by at most half an epsilon; taking that off keeps 7 % of 100 at rank 7, which would be 8
/// by `(0.07_f64 * 100.0).ceil()`.
pub(crate) fn nearest_rank(q: f64, n: u64) -> Option<u64> {
    let product = q.clamp(0.0, 1.0) * n as f64;
    let rank = (product * (1.0 - f64::EPSILON)).ceil() as u64;
    (n > 0).then(|| rank.clamp(1, n))
}

/// The sample at quantile `q` (0 to 1, nearest rank); `None` without samples.
pub(crate) fn quantile(samples: impl IntoIterator<Item = f64>, q: f64) -> Option<f64> {
    let mut sorted: Vec<f64> = samples.into_iter().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let rank = nearest_rank(q, sorted.len() as u64)?;
    Some(sorted[rank as usize - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_whole_percent_of_every_small_count_has_the_rank_of_integer_arithmetic() {
        // ceil(percent * n / 100) in whole numbers, which round nothing.
        for n in 1..=1_000_u64 {
            for percent in 0..=100_u64 {
                let expected = (percent * n).div_ceil(100).max(1);
                assert_eq!(
                    nearest_rank(percent as f64 / 100.0, n),
                    Some(expected),
                    "{percent} {n}"
                );
            }
        }
    }

    #[test]
    fn a_quantile_is_a_sample() {
        // Sorted: 1, 2, 3, 10. p50: ceil(2.0) = 2nd; p51: ceil(2.04) = 3rd; p95: ceil(3.8) = 4th.
        let samples = [10.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(samples, 0.50), Some(2.0));
        assert_eq!(quantile(samples, 0.51), Some(3.0));
        assert_eq!(quantile(samples, 0.95), Some(10.0));
        assert_eq!(quantile([], 0.5), None);
    }
}
