//! A figure with its spread and the number of values behind it.

use crate::rank::quantile;

/// A figure that several values stand for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Estimate {
    /// The figure itself.
    pub value: f64,
    /// Lower end of the spread.
    pub low: f64,
    /// Upper end of the spread.
    pub high: f64,
    /// How many values there are.
    pub n: u64,
}

impl Estimate {
    /// The median (a value that was seen) between the lowest and the highest.
    pub(super) fn median(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let values = finite(values);
        Some(Estimate {
            value: quantile(values.iter().copied(), 0.5)?,
            ..Self::spread(&values)?
        })
    }

    /// The mean between the lowest and the highest.
    pub(super) fn mean(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let values = finite(values);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let spread = Self::spread(&values)?;
        mean.is_finite().then_some(Estimate {
            value: mean,
            ..spread
        })
    }

    fn spread(values: &[f64]) -> Option<Self> {
        let low = values.iter().copied().min_by(f64::total_cmp)?;
        let high = values.iter().copied().max_by(f64::total_cmp)?;
        let n = values.len() as u64;
        Some(Estimate {
            value: low,
            low,
            high,
            n,
        })
    }
}

/// What no axis can hold (an edited file may have it, or a sum of huge figures) is missing.
fn finite(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    values
        .into_iter()
        .filter(|value| value.is_finite())
        .collect()
}

/// From the least to the most of some counts, such as `12` or `3 to 12`.
pub(super) fn range(counts: impl Iterator<Item = u64> + Clone) -> String {
    let (least, most) = (counts.clone().min().unwrap_or(0), counts.max().unwrap_or(0));
    match least == most {
        true => most.to_string(),
        false => format!("{least} to {most}"),
    }
}
