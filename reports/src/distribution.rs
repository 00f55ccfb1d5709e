//! Samples kept as a mergeable histogram, so that percentiles are never averaged.

use hdrhistogram::Histogram;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Significant decimal digits kept of a value: percentiles are within 0.05 % of the sample.
const DIGITS: u8 = 3;

/// A distribution of whole, non-negative samples (microseconds, as a rule).
///
/// On disk it is a sorted list of `[value, count]` pairs.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    histogram: Histogram<u64>,
    /// Exact, since the histogram keeps only [`DIGITS`] of a value.
    sum: u128,
}

impl Distribution {
    /// Adds one sample.
    pub fn record(&mut self, value: u64) {
        self.record_n(value, 1);
    }

    fn record_n(&mut self, value: u64, count: u64) {
        // The histogram resizes itself, so recording fails for no u64 value.
        self.histogram
            .record_n(value, count)
            .expect("an auto-resizing histogram takes every value");
        self.sum += u128::from(value) * u128::from(count);
    }

    /// Adds every sample of `other`.
    pub fn merge(&mut self, other: &Distribution) {
        self.histogram
            .add(&other.histogram)
            .expect("an auto-resizing histogram takes every value");
        self.sum += other.sum;
    }

    /// How many samples there are.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The arithmetic mean; `None` without samples.
    pub fn mean(&self) -> Option<f64> {
        (self.count() > 0).then(|| self.sum as f64 / self.count() as f64)
    }

    /// The sample at quantile `q` (0 to 1, nearest rank); `None` without samples.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        (self.count() > 0).then(|| {
            let value = self.histogram.value_at_quantile(q);
            self.histogram.median_equivalent(value) as f64
        })
    }
}

impl Default for Distribution {
    fn default() -> Self {
        Distribution {
            histogram: Histogram::new(DIGITS).expect("3 significant digits are supported"),
            sum: 0,
        }
    }
}

impl Serialize for Distribution {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            self.histogram
                .iter_recorded()
                .map(|step| (step.value_iterated_to(), step.count_at_value())),
        )
    }
}

impl<'de> Deserialize<'de> for Distribution {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut distribution = Distribution::default();
        for (value, count) in Vec::<(u64, u64)>::deserialize(deserializer)? {
            distribution.record_n(value, count);
        }
        Ok(distribution)
    }
}
