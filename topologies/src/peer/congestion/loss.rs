//! What losses call for where delay says nothing.

use std::time::{Duration, Instant};

/// Losses are counted for this long, and over so many packets, before they mean something: a tenth
/// of a second of a slow stream has ten packets, of which one lost is ten per cent.
const WINDOW: Duration = Duration::from_secs(1);
const LEAST_PACKETS: usize = 20;

/// Below this nothing is wrong, above that too much is sent (draft-ietf-rmcat-gcc-02 section 6).
const LOW: f64 = 0.02;
const HIGH: f64 = 0.10;

/// The share of packets that are lost.
#[derive(Debug, Default)]
pub struct Losses {
    since: Option<Instant>,
    lost: usize,
    total: usize,
    share: f64,
}

impl Losses {
    /// Feedback on `total` packets, of which `lost` did not arrive. Returns by what the rate is to be
    /// multiplied, when it is known that too many are lost.
    pub fn update(&mut self, now: Instant, lost: usize, total: usize) -> Option<f64> {
        let since = *self.since.get_or_insert(now);
        self.lost += lost;
        self.total += total;
        if now.saturating_duration_since(since) < WINDOW || self.total < LEAST_PACKETS {
            return None;
        }
        self.share = self.lost as f64 / self.total as f64;
        (self.since, self.lost, self.total) = (Some(now), 0, 0);
        (self.share > HIGH).then_some(1.0 - 0.5 * self.share)
    }

    /// Whether so few are lost that more may be sent.
    pub fn are_low(&self) -> bool {
        self.share < LOW
    }

    /// The share that was lost lately.
    pub fn share(&self) -> f64 {
        self.share
    }
}

#[cfg(test)]
mod tests {
    use super::super::bottleneck::epoch;
    use super::*;

    #[test]
    fn a_second_of_losses_above_a_tenth_takes_half_of_them_off_the_rate() {
        let mut losses = Losses::default();
        let at = |ms| epoch() + Duration::from_millis(ms);
        // One of ten lost in one report is no reason; 2 of 110 are 1.8 %.
        assert_eq!(losses.update(at(0), 1, 10), None);
        for n in 1..10 {
            assert_eq!(losses.update(at(100 * n), 0, 10), None);
        }
        assert_eq!(losses.update(at(1_000), 1, 10), None);
        assert!(losses.are_low());
        // 40 of 100: 1 - 0.5 x 0.4.
        assert_eq!(losses.update(at(1_500), 40, 60), None);
        assert_eq!(losses.update(at(2_000), 0, 40), Some(0.8));
        assert!(!losses.are_low());
        // 5 % holds the rate.
        assert_eq!(losses.update(at(3_000), 5, 100), None);
        assert!(!losses.are_low());
    }
}
