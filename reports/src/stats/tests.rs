use super::*;
use crate::fixture::Noise;
use crate::rank::quantile;

fn normals(noise: &mut Noise, n: usize, mean: f64, deviation: f64) -> Vec<f64> {
    (0..n).map(|_| mean + deviation * noise.normal()).collect()
}

/// Within 3.5 standard deviations of a binomial share: a fair one is outside once in 2,000 times.
fn is_share(hits: usize, of: usize, expected: f64) -> bool {
    let deviation = (expected * (1.0 - expected) / of as f64).sqrt();
    (hits as f64 / of as f64 - expected).abs() < 3.5 * deviation
}

#[test]
fn the_interval_is_that_of_the_tables() {
    // 1 to 5: mean 3, variance 10 / 4. Student's t for 95 % and 4 degrees of freedom is 2.776 in
    // every table: 2.7764 sqrt(2.5 / 5) = 1.9632.
    let estimate = Estimate::over_seeds(3.0, &[1.0, 2.0, 3.0, 4.0, 5.0]);
    let (low, high) = (estimate.low.unwrap(), estimate.high.unwrap());
    assert!((low - (3.0 - 1.9632)).abs() < 1e-3, "{low}");
    assert!((high - (3.0 + 1.9632)).abs() < 1e-3, "{high}");
    // One seed has no spread, which is not a spread of 0.
    assert_eq!(Estimate::over_seeds(3.0, &[3.0]).low, None);
}

#[test]
fn nineteen_of_twenty_intervals_hold_the_mean() {
    let mut noise = Noise(1);
    for n in [2, 3, 5, 10] {
        let holds = |values: Vec<f64>| {
            let mean = values.iter().sum::<f64>() / n as f64;
            let estimate = Estimate::over_seeds(mean, &values);
            estimate.low.unwrap() <= 7.0 && 7.0 <= estimate.high.unwrap()
        };
        let hits = (0..4_000)
            .filter(|_| holds(normals(&mut noise, n, 7.0, 3.0)))
            .count();
        assert!(is_share(hits, 4_000, CONFIDENCE), "{hits} with {n} seeds");
    }
}

/// Each seed shifts all of its 200 exponential samples (mean 20) by 100 + 5 z, z normal. The true
/// 95th percentile of the mixture is found from a million samples. The formula is of first order, so
/// it gets a point of room beside the binomial bounds: 0.95 ± 0.012 ± 0.01.
#[test]
fn nineteen_of_twenty_intervals_hold_a_pooled_percentile() {
    let mut noise = Noise(2);
    let exponential = |noise: &mut Noise| -20.0 * noise.uniform().ln();
    let many: Vec<f64> = (0..1_000_000)
        .map(|_| 100.0 + 5.0 * noise.normal() + exponential(&mut noise))
        .collect();
    let truth = quantile(many, 0.95).unwrap();
    let hits = (0..4_000).filter(|_| {
        let seeds: Vec<Vec<f64>> = (0..8)
            .map(|_| {
                let shift = 100.0 + 5.0 * noise.normal();
                (0..200).map(|_| shift + exponential(&mut noise)).collect()
            })
            .collect();
        let single: Vec<f64> = seeds
            .iter()
            .map(|s| quantile(s.clone(), 0.95).unwrap())
            .collect();
        let pooled = quantile(seeds.concat(), 0.95).unwrap();
        let estimate = Estimate::over_seeds(pooled, &single);
        estimate.low.unwrap() <= truth && truth <= estimate.high.unwrap()
    });
    let share = hits.count() as f64 / 4_000.0;
    assert!((0.928..=0.972).contains(&share), "{share}");
}

#[test]
fn welch_gives_the_published_probability() {
    // The first example of "Welch's t-test" in Wikipedia: t = -2.46, 25.0 degrees of freedom,
    // P = 0.021.
    let a = [
        27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4,
    ];
    let b = [
        27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 20.5, 24.4,
    ];
    let p = unpaired(&a, &b).unwrap();
    assert!((0.0205..0.0215).contains(&p), "{p}");
    assert_eq!(unpaired(&b, &a), Some(p));
    // 1 to 5 have the variance 2.5: 3 + 2.776 sqrt(2.5 (1 + 1 / 5)) = 7.808 is what a sixth value
    // exceeds, either way, in 5 % of cases (t of 4 degrees of freedom).
    let one_to_five = [1.0, 2.0, 3.0, 4.0, 5.0];
    let p = unpaired(&one_to_five, &[7.808]).unwrap();
    assert!((p - 0.05).abs() < 1e-4, "{p}");
    assert_eq!(unpaired(&[7.808], &one_to_five), Some(p));
    assert_eq!(unpaired(&[1.0], &[2.0]), None);
}

#[test]
fn what_does_not_vary_differs_for_certain_or_not_at_all() {
    assert_eq!(unpaired(&[3.0, 3.0], &[3.0, 3.0]), Some(1.0));
    assert_eq!(unpaired(&[3.0, 3.0], &[4.0, 4.0]), Some(0.0));
    assert_eq!(paired(&[1.0, 9.0], &[1.0, 9.0]), Some(1.0));
    assert_eq!(paired(&[1.0, 9.0], &[2.0, 10.0]), Some(0.0));
    assert_eq!(paired(&[1.0], &[2.0]), None);
}

/// Without a change p is below 0.05 in 5 % of cases; of two sides with the same spread and size
/// Welch's test is exact but for its degrees of freedom, and of pairs the paired one is exact.
#[test]
fn tests_alarm_as_often_as_they_say() {
    let mut noise = Noise(3);
    let welched = (0..4_000).filter(|_| {
        let (a, b) = (
            normals(&mut noise, 10, 5.0, 1.0),
            normals(&mut noise, 10, 5.0, 1.0),
        );
        unpaired(&a, &b).unwrap() < 0.05
    });
    let welched = welched.count();
    assert!(is_share(welched, 4_000, 0.05), "{welched}");
    let single = (0..4_000).filter(|_| {
        let (a, b) = (
            normals(&mut noise, 5, 5.0, 1.0),
            normals(&mut noise, 1, 5.0, 1.0),
        );
        unpaired(&a, &b).unwrap() < 0.05
    });
    let single = single.count();
    assert!(is_share(single, 4_000, 0.05), "{single}");
    let pairs = (0..4_000).filter(|_| {
        let a = normals(&mut noise, 4, 5.0, 2.0);
        let b: Vec<f64> = a.iter().map(|a| a + noise.normal()).collect();
        paired(&a, &b).unwrap() < 0.05
    });
    let pairs = pairs.count();
    assert!(is_share(pairs, 4_000, 0.05), "{pairs}");
}

#[test]
fn holm_lets_pass_what_his_steps_let_pass() {
    // Sorted: 0.005 x 4 = 0.02, 0.01 x 3 = 0.03, 0.03 x 2 = 0.06 > 0.05: the first two.
    assert_eq!(
        significant(&[0.01, 0.04, 0.03, 0.005]),
        [true, false, false, true]
    );
    // Bonferroni would refuse 0.02 of three; with 0.001 gone two are left: 0.02 x 2 = 0.04.
    assert_eq!(significant(&[0.02, 0.9, 0.001]), [true, false, true]);
    assert!(significant(&[]).is_empty());
}
