//! The jitter stage: random extra delay, and whether it may change the order of packets.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::config::{JitterConfig, Reorder};
use crate::time::nanos;

/// Where the normal variate is truncated, in standard deviations. It bounds the extra delay, as
/// RFC 8868 asks of a delay variation model; one draw in 16,000 is beyond it and is drawn again.
const TRUNCATION: f64 = 4.0;

/// Draws extra delays. It draws only if there is jitter.
#[derive(Debug)]
pub(super) struct Jitter {
    std_nanos: f64,
    /// Boxed: it is larger than all else of a link together, and most links never draw.
    rng: Box<ChaCha8Rng>,
}

impl Jitter {
    pub(super) fn new(config: JitterConfig, rng: ChaCha8Rng) -> Self {
        Jitter {
            std_nanos: nanos(config.std) as f64,
            rng: Box::new(rng),
        }
    }

    pub(super) fn set_std(&mut self, config: JitterConfig) {
        self.std_nanos = nanos(config.std) as f64;
    }

    /// The next extra delay, in nanoseconds.
    pub(super) fn draw(&mut self) -> u64 {
        if self.std_nanos == 0.0 {
            return 0;
        }
        (half_normal(&mut self.rng) * self.std_nanos).round() as u64
    }
}

/// Keeps packets in order, or does not.
#[derive(Debug)]
pub(super) struct Order {
    policy: Reorder,
    latest: u64,
}

impl Order {
    pub(super) fn new(policy: Reorder) -> Self {
        Order { policy, latest: 0 }
    }

    pub(super) fn set_policy(&mut self, policy: Reorder) {
        self.policy = policy;
    }

    /// When a packet arrives that could arrive at `at`, in nanoseconds.
    pub(super) fn arrival(&mut self, at: u64) -> u64 {
        self.latest = self.latest.max(at);
        match self.policy {
            Reorder::Preserve => self.latest,
            Reorder::Allow => at,
        }
    }
}

/// The absolute value of a standard normal variate, truncated at [`TRUNCATION`].
///
/// Exact, by rejection from an exponential (L. Devroye, "Non-Uniform Random Variate Generation",
/// 1986, section II.3): the ratio of the densities is proportional to exp(-(x - 1)^2 / 2), so `x`
/// is accepted if a second exponential is at least (x - 1)^2 / 2, three times in four.
fn half_normal(rng: &mut ChaCha8Rng) -> f64 {
    loop {
        let x = exponential(rng);
        if x <= TRUNCATION && exponential(rng) >= 0.5 * (x - 1.0) * (x - 1.0) {
            return x;
        }
    }
}

fn exponential(rng: &mut ChaCha8Rng) -> f64 {
    -(1.0 - rng.random::<f64>()).ln() // the argument is in (0, 1]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::seed::Seed;

    const DRAWS: usize = 1_000_000;
    const STD: f64 = 5e6;

    fn draws() -> Vec<f64> {
        let std = Duration::from_nanos(STD as u64);
        let config = JitterConfig {
            std,
            reorder: Reorder::Preserve,
        };
        let mut jitter = Jitter::new(config, Seed(1).stream("jitter"));
        (0..DRAWS).map(|_| jitter.draw() as f64 / STD).collect()
    }

    #[test]
    fn extra_delay_has_the_moments_of_a_truncated_half_normal() {
        // With the density f(0) = sqrt(2 / pi) and P = P(|Z| <= 4) = 0.999936658:
        // E X = f(0) (1 - e^-8) / P = 0.7976674; E X^2 = 1 - 4 f(0) e^-8 / P = 0.9989293.
        // Var X = 0.3627, Var X^2 is just below 2 (that of chi-squared), so the standard errors
        // of the means of n = 1e6 are 0.00060 and 0.0014. Five of them both ways.
        let f0 = std::f64::consts::FRAC_2_PI.sqrt();
        let (tail, inside) = ((-8.0_f64).exp(), 0.999_936_658);
        let draws = draws();
        let mean = |power| draws.iter().map(|x| x.powi(power)).sum::<f64>() / DRAWS as f64;
        let first = f0 * (1.0 - tail) / inside;
        let second = 1.0 - 4.0 * f0 * tail / inside;
        assert!(
            (mean(1) - first).abs() < 5.0 * 0.000_60,
            "{} is not {first}",
            mean(1)
        );
        assert!(
            (mean(2) - second).abs() < 5.0 * 0.001_4,
            "{} is not {second}",
            mean(2)
        );
    }

    #[test]
    fn extra_delay_reaches_up_to_the_truncation_and_not_beyond() {
        // P(3.9 < |Z| <= 4) = 3.3e-5: 33 of a million draws are expected there.
        let largest = draws().into_iter().fold(0.0, f64::max);
        assert!(largest > 3.9 && largest <= TRUNCATION, "{largest}");
    }

    #[test]
    fn no_jitter_draws_nothing() {
        let rng = Seed(1).stream("off");
        let mut jitter = Jitter::new(JitterConfig::default(), rng.clone());
        assert_eq!(jitter.draw(), 0);
        assert_eq!(*jitter.rng, rng);
    }

    #[test]
    fn only_the_policy_decides_whether_a_packet_overtakes() {
        let mut order = Order::new(Reorder::Preserve);
        assert_eq!([30, 10, 40].map(|at| order.arrival(at)), [30, 30, 40]);
        order.set_policy(Reorder::Allow);
        assert_eq!([50, 20].map(|at| order.arrival(at)), [50, 20]);
        // Changed back, packets wait for all that were sent before.
        order.set_policy(Reorder::Preserve);
        assert_eq!(order.arrival(45), 50);
    }
}
