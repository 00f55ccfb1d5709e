//! Samples kept as counts of narrow buckets, so that percentiles are never averaged.
//!
//! Distributions of several streams merge without loss, and are sparse: one costs memory for the
//! buckets that hold samples and nothing for the others, since a call has thousands of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::rank::nearest_rank;

/// Leading binary digits kept of a sample. Samples below `2^14` are exact; above, a quantile is
/// the middle of a bucket at most `1 / 2^13` of its samples wide, hence within 0.0062 % of the
/// sample that it stands for.
const DIGITS: u32 = 14;

/// A distribution of whole, non-negative samples (microseconds, as a rule).
///
/// On disk it is the exact sum and a sorted list of `[lowest value of the bucket, count]` pairs,
/// which is all that it holds: reading a distribution back gives an equal one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(into = "Stored", try_from = "Stored")]
pub struct Distribution {
    /// Counts, never 0, by the lowest value of the bucket.
    counts: BTreeMap<u64, u64>,
    /// The number of samples.
    count: u64,
    /// Exact, since the buckets keep only [`DIGITS`] of a sample.
    sum: u128,
}

impl Distribution {
    /// Adds one sample.
    pub fn record(&mut self, value: u64) {
        self.add(bucket(value).0, 1);
        self.sum += u128::from(value);
    }

    /// Adds every sample of `other`.
    pub fn merge(&mut self, other: &Distribution) {
        for (&lowest, &count) in &other.counts {
            self.add(lowest, count);
        }
        self.sum += other.sum;
    }

    /// How many samples there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The arithmetic mean, exact; `None` without samples.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / self.count as f64)
    }

    /// The sample at quantile `q` (0 to 1, nearest rank), within 0.0062 %; `None` without samples.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let rank = nearest_rank(q, self.count)?;
        let mut seen = 0;
        self.counts.iter().find_map(|(&lowest, &count)| {
            seen += count;
            (seen >= rank).then(|| middle(bucket(lowest)))
        })
    }

    fn add(&mut self, lowest: u64, count: u64) {
        *self.counts.entry(lowest).or_default() += count;
        self.count += count;
    }
}

impl FromIterator<u64> for Distribution {
    fn from_iter<I: IntoIterator<Item = u64>>(samples: I) -> Self {
        let mut distribution = Distribution::default();
        samples
            .into_iter()
            .for_each(|value| distribution.record(value));
        distribution
    }
}

/// The bucket of `value`: the lowest and the highest sample that it holds.
fn bucket(value: u64) -> (u64, u64) {
    let dropped = (u64::BITS - value.leading_zeros()).saturating_sub(DIGITS);
    let width_less_one = (1 << dropped) - 1;
    (value & !width_less_one, value | width_less_one)
}

fn middle((lowest, highest): (u64, u64)) -> f64 {
    lowest as f64 + (highest - lowest) as f64 / 2.0
}

/// The form of a [`Distribution`] in a file.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Stored {
    sum: u128,
    counts: Vec<(u64, u64)>,
}

impl From<Distribution> for Stored {
    fn from(distribution: Distribution) -> Self {
        Stored {
            sum: distribution.sum,
            counts: distribution.counts.into_iter().collect(),
        }
    }
}

impl TryFrom<Stored> for Distribution {
    type Error = InvalidDistribution;

    fn try_from(stored: Stored) -> Result<Self, InvalidDistribution> {
        let mut distribution = Distribution {
            sum: stored.sum,
            ..Distribution::default()
        };
        let (mut least, mut most) = (0, 0);
        for (value, count) in stored.counts {
            let (lowest, highest) = bucket(value);
            let known = distribution.counts.contains_key(&lowest);
            if value != lowest || count == 0 || known {
                return Err(InvalidDistribution::Bucket { value, count });
            }
            distribution
                .count
                .checked_add(count)
                .ok_or(InvalidDistribution::TooMany)?;
            distribution.add(lowest, count);
            least += u128::from(lowest) * u128::from(count);
            most += u128::from(highest) * u128::from(count);
        }
        if !(least..=most).contains(&stored.sum) {
            return Err(InvalidDistribution::Sum {
                sum: stored.sum,
                least,
                most,
            });
        }
        Ok(distribution)
    }
}

/// Why a stored distribution is not one that this program wrote.
#[derive(Debug, thiserror::Error)]
pub enum InvalidDistribution {
    /// A bucket that starts at another value, is empty, or is there twice.
    #[error("[{value}, {count}] is not a bucket, or is there twice")]
    Bucket {
        /// The value that the bucket is said to start at.
        value: u64,
        /// The count that it is said to hold.
        count: u64,
    },
    /// More samples than can be counted.
    #[error("more than 2^64 samples")]
    TooMany,
    /// A sum that no samples in these buckets have.
    #[error("the sum {sum} cannot be that of these counts ({least} to {most})")]
    Sum {
        /// The stored sum.
        sum: u128,
        /// The smallest sum that the counts allow.
        least: u128,
        /// The largest sum that the counts allow.
        most: u128,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Nearest rank by its definition, on the samples themselves: the smallest sample such that
    /// at least `percent` % of all samples are not larger.
    fn exact_percentile(samples: &[u64], percent: u64) -> u64 {
        let mut sorted = samples.to_vec();
        sorted.sort_unstable();
        let enough = |&&x: &&u64| {
            let not_larger = sorted.iter().filter(|&&y| y <= x).count() as u64;
            100 * not_larger >= percent * sorted.len() as u64
        };
        *sorted
            .iter()
            .find(enough)
            .expect("all samples are not larger than the largest")
    }

    #[test]
    fn small_samples_are_exact() {
        // Ranks of 1..=20: p50 = ceil(10.0) = 10th, p95 = ceil(19.0) = 19th, p99 = ceil(19.8) =
        // 20th. The mean of 1..=20 is 21 / 2.
        let distribution: Distribution = (1..=20).rev().collect();
        assert_eq!(distribution.quantile(0.50), Some(10.0));
        assert_eq!(distribution.quantile(0.95), Some(19.0));
        assert_eq!(distribution.quantile(0.99), Some(20.0));
        assert_eq!(distribution.quantile(0.0), Some(1.0));
        assert_eq!(distribution.mean(), Some(10.5));
    }

    #[test]
    fn nothing_has_no_figures() {
        let nothing = Distribution::default();
        assert_eq!(
            (nothing.count(), nothing.mean(), nothing.quantile(0.5)),
            (0, None, None)
        );
    }

    #[test]
    fn buckets_start_to_be_wider_than_one_at_two_to_the_fourteenth() {
        assert_eq!(bucket(0), (0, 0));
        assert_eq!(bucket((1 << 14) - 1), ((1 << 14) - 1, (1 << 14) - 1));
        assert_eq!(bucket((1 << 14) + 1), (1 << 14, (1 << 14) + 1));
        assert_eq!(bucket(u64::MAX), (u64::MAX - ((1 << 50) - 1), u64::MAX));
    }

    #[test]
    fn the_stored_form_is_the_sum_and_the_counts() {
        // 16,385 = 2^14 + 1 falls in the bucket 16,384..=16,385; the sum keeps the odd one.
        let distribution: Distribution = [3, 16_385, 3].into_iter().collect();
        let text = serde_json::to_string(&distribution).unwrap();
        assert_eq!(text, r#"{"sum":16391,"counts":[[3,2],[16384,1]]}"#);
    }

    #[test]
    fn what_was_not_written_by_us_is_refused() {
        for foreign in [
            r#"{"sum":16385,"counts":[[16385,1]]}"#,
            r#"{"sum":0,"counts":[[3,0]]}"#,
            r#"{"sum":6,"counts":[[3,1],[3,1]]}"#,
            r#"{"sum":7,"counts":[[3,2]]}"#,
            r#"{"sum":0,"counts":[[0,18446744073709551615],[1,1]]}"#,
        ] {
            assert!(
                serde_json::from_str::<Distribution>(foreign).is_err(),
                "{foreign}"
            );
        }
    }

    proptest! {
        #[test]
        fn quantiles_are_the_exact_ones_within_the_stated_error(
            samples in prop::collection::vec(0..10_000_000_u64, 1..300),
            percent in 0..=100_u64,
        ) {
            let distribution: Distribution = samples.iter().copied().collect();
            let exact = exact_percentile(&samples, percent) as f64;
            let found = distribution.quantile(percent as f64 / 100.0).unwrap();
            prop_assert!((found - exact).abs() <= exact * 0.000_062, "{found} for {exact}");
        }

        #[test]
        fn merging_is_recording_everything_in_one(
            left in prop::collection::vec(any::<u64>(), 0..50),
            right in prop::collection::vec(any::<u64>(), 0..50),
        ) {
            let mut merged: Distribution = left.iter().copied().collect();
            merged.merge(&right.iter().copied().collect());
            prop_assert_eq!(merged, left.into_iter().chain(right).collect());
        }

        #[test]
        fn reading_back_gives_an_equal_distribution(
            samples in prop::collection::vec(any::<u64>(), 0..50),
        ) {
            let distribution: Distribution = samples.into_iter().collect();
            let text = serde_json::to_string(&distribution).unwrap();
            let back: Distribution = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(back.mean(), distribution.mean());
            prop_assert_eq!(back, distribution);
        }
    }
}
