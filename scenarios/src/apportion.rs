//! Whole participants from shares: the largest-remainder method.

/// The resolution of remainders: quotas that differ by less are equal, because decimal shares are
/// not exact in binary (0.29 x 100 is 28.999999999999996).
const RESOLUTION: f64 = 1e-9;

/// Splits `total` by `shares`, fractions that add up to 1, with the largest-remainder method of
/// Hamilton (1792): each entry gets the whole part of its quota, `share x total`; what is left
/// goes, one each, to the largest fractional parts, and among equal ones to the earlier entry.
///
/// The result adds up to `total`, and each entry is within 1 of its quota.
pub(crate) fn apportion(shares: &[f64], total: u32) -> Vec<u32> {
    let quotas: Vec<f64> = shares
        .iter()
        .map(|share| share * f64::from(total))
        .collect();
    let mut seats: Vec<u32> = quotas
        .iter()
        .map(|quota| (quota + RESOLUTION) as u32)
        .collect();
    let remainder = |index: usize| {
        let fraction = (quotas[index] - f64::from(seats[index])).max(0.0);
        (fraction / RESOLUTION).round() as u64
    };
    let mut order: Vec<(u64, usize)> = (0..shares.len())
        .map(|index| (remainder(index), index))
        .collect();
    order.sort_by_key(|&(remainder, index)| (std::cmp::Reverse(remainder), index));
    let left = total.saturating_sub(seats.iter().sum());
    for (_, index) in order.into_iter().take(left as usize) {
        seats[index] += 1;
    }
    seats
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hand_made_cases() {
        for (shares, total, expected) in [
            // Quotas 2.4 and 1.6: 2 and 1, and the one left goes to .6.
            (vec![0.6, 0.4], 4, vec![2, 2]),
            // Quotas 4.8 and 3.2: 4 and 3, and the one left goes to .8.
            (vec![0.6, 0.4], 8, vec![5, 3]),
            // Quotas 0.5, 1.0 and 3.5: a tie for the one left, which the earlier entry gets.
            (vec![0.1, 0.2, 0.7], 5, vec![1, 1, 3]),
            // Quotas 29 and 71, though 0.29 x 100 is below 29 in binary.
            (vec![0.29, 0.71], 100, vec![29, 71]),
            // Quotas 0.1 and 1.9: a small share of a small call may be nobody.
            (vec![0.05, 0.95], 2, vec![0, 2]),
            (vec![1.0], 7, vec![7]),
        ] {
            assert_eq!(apportion(&shares, total), expected, "{shares:?} of {total}");
        }
    }

    proptest! {
        #[test]
        fn it_adds_up_and_keeps_to_the_quotas(
            weights in prop::collection::vec(1u32..1_000, 1..12),
            total in 2u32..=200,
        ) {
            let sum: f64 = weights.iter().copied().map(f64::from).sum();
            let shares: Vec<f64> = weights.iter().map(|weight| f64::from(*weight) / sum).collect();
            let seats = apportion(&shares, total);
            prop_assert_eq!(seats.iter().sum::<u32>(), total);
            for (share, seats) in shares.iter().zip(seats) {
                let quota = share * f64::from(total);
                prop_assert!((f64::from(seats) - quota).abs() < 1.0 + RESOLUTION);
            }
        }
    }
}
