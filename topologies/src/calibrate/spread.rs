//! What many samples of one figure say.

/// The middle of some samples, and how far they are from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Half of the samples are below, half above.
    pub median: f64,
    /// A quarter of the samples is below.
    pub lower_quartile: f64,
    /// A quarter of the samples is above.
    pub upper_quartile: f64,
    /// How many samples there are.
    pub n: usize,
}

impl Spread {
    /// The spread of `samples`, in any order. Between two samples quantiles are interpolated.
    ///
    /// # Panics
    ///
    /// If there are none.
    pub fn of(mut samples: Vec<f64>) -> Self {
        assert!(!samples.is_empty(), "nothing was measured");
        samples.sort_by(f64::total_cmp);
        Spread {
            median: quantile(&samples, 0.5),
            lower_quartile: quantile(&samples, 0.25),
            upper_quartile: quantile(&samples, 0.75),
            n: samples.len(),
        }
    }
}

/// Quantile `q` of sorted samples: the first is that of 0, the last that of 1.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * (sorted.len() - 1) as f64;
    let below = sorted[place.floor() as usize];
    let above = sorted[place.ceil() as usize];
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_sorted_samples() {
        // Sorted 1, 2, 4, 8: the median is at place 1.5, 3; the quartiles at 0.75, 1.75, and at
        // 2.25, 5.
        let spread = Spread::of(vec![8.0, 1.0, 4.0, 2.0]);
        let expected = Spread {
            median: 3.0,
            lower_quartile: 1.75,
            upper_quartile: 5.0,
            n: 4,
        };
        assert_eq!(spread, expected);
    }

    #[test]
    fn one_sample_is_all_of_its_quantiles() {
        let spread = Spread::of(vec![7.0]);
        let all = (spread.lower_quartile, spread.median, spread.upper_quartile);
        assert_eq!((all, spread.n), ((7.0, 7.0, 7.0), 1));
    }
}
