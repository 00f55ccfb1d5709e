//! The pauses between attempts to connect.

use std::time::Duration;

use rand::{Rng, RngExt};

/// Exponential back-off with jitter: the n-th pause is drawn from the upper half of
/// `first * 2^(n-1)`, which is at most `max`. The jitter keeps clients that lost the same server
/// from coming back all at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The longest first pause.
    pub first: Duration,
    /// The longest pause.
    pub max: Duration,
}

impl Backoff {
    /// The pause after `failures` attempts in a row failed, from 1.
    pub fn pause(&self, failures: u32, rng: &mut impl Rng) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let longest = self.first.saturating_mul(1 << doublings).min(self.max);
        longest.mul_f64(rng.random_range(0.5..=1.0))
    }
}

impl Default for Backoff {
    /// 250 ms to 4 s.
    fn default() -> Self {
        Backoff {
            first: Duration::from_millis(250),
            max: Duration::from_secs(4),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn doubles_up_to_the_longest_pause() {
        // 250, 500, 1000, 2000, 4000, 4000, ... ms, each halved at most.
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let backoff = Backoff::default();
        for (failures, longest) in [(1, 250), (2, 500), (3, 1000), (5, 4000), (6, 4000)] {
            let pauses: Vec<_> = (0..100)
                .map(|_| backoff.pause(failures, &mut rng))
                .collect();
            let longest = Duration::from_millis(longest);
            assert!(
                pauses
                    .iter()
                    .all(|pause| (longest / 2..=longest).contains(pause))
            );
            // 100 uniform draws all in one half of the range: 2 * 2^-100.
            assert!(pauses.iter().any(|pause| *pause < longest * 3 / 4));
            assert!(pauses.iter().any(|pause| *pause > longest * 3 / 4));
        }
        assert!(backoff.pause(u32::MAX, &mut rng) <= Duration::from_secs(4));
    }
}
