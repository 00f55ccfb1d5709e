//! How the rate goes up and down.

use std::time::{Duration, Instant};

use rtc::interceptor::Usage;

/// To how much of what arrives the rate falls when a queue grows (draft-ietf-rmcat-gcc-02 section
/// 5.5 has 0.8 to 0.95, 0.85 recommended).
const DECREASE: f64 = 0.85;

/// Between two decreases: what arrives is known 100 ms later, and a path's round trip counts.
const DECREASE_INTERVAL: Duration = Duration::from_millis(200);

/// By how much the rate grows in a second while nobody knows the capacity. The draft's 8 % are for
/// senders that also probe; this one does not, and would need 16 s from 300 kbps to 1 Mbps.
const SEARCH: f64 = 1.25;

/// How much of the known capacity the rate grows by in a second near it.
const APPROACH: f64 = 0.05;

/// The most that the rate may be of what arrives, and beyond that: who sends less than allowed
/// learns nothing about more (the draft, section 5.5).
const BEYOND_ACKED: (f64, f64) = (1.5, 10_000.0);

/// How much a decrease moves the capacity that is known (libwebrtc `LinkCapacityEstimator`).
const CAPACITY_WEIGHT: f64 = 0.05;
/// The range of its variance, relative to its mean, in bits per second; the same source.
const VARIANCES: (f64, f64) = (400.0, 2_500.0);

/// The delay-based rate: additive increase, multiplicative decrease.
#[derive(Debug)]
pub struct Aimd {
    target_bps: f64,
    capacity: Option<Capacity>,
    updated: Option<Instant>,
    decreased: Option<Instant>,
}

/// What arrived when queues grew.
#[derive(Clone, Copy, Debug)]
struct Capacity {
    mean_bps: f64,
    variance: f64,
}

impl Aimd {
    /// Starts at a rate in bits per second.
    pub fn new(start_bps: f64) -> Self {
        Aimd {
            target_bps: start_bps,
            capacity: None,
            updated: None,
            decreased: None,
        }
    }

    /// Bits per second.
    pub fn target_bps(&self) -> f64 {
        self.target_bps
    }

    /// Makes the rate another one, which something else than delay called for.
    pub fn limit(&mut self, target_bps: f64) {
        self.target_bps = target_bps;
    }

    /// Feedback came: what the delay says, what arrives, and whether the rate may grow. Returns
    /// whether the rate was decreased.
    pub fn update(
        &mut self,
        now: Instant,
        usage: Usage,
        acked_bps: Option<f64>,
        may_grow: bool,
    ) -> bool {
        let before = self.updated.replace(now).unwrap_or(now);
        let elapsed = now.saturating_duration_since(before).as_secs_f64().min(1.0);
        match usage {
            Usage::Over => return self.decrease(now, acked_bps),
            // The queue empties: there is room only when it has.
            Usage::Under => {}
            Usage::Normal if may_grow => self.increase(elapsed, acked_bps),
            Usage::Normal => {}
        }
        false
    }

    fn decrease(&mut self, now: Instant, acked_bps: Option<f64>) -> bool {
        let soon = |at: Instant| now.saturating_duration_since(at) < DECREASE_INTERVAL;
        let Some(acked) = acked_bps.filter(|_| !self.decreased.is_some_and(soon)) else {
            return false;
        };
        self.decreased = Some(now);
        self.target_bps = self.target_bps.min(DECREASE * acked);
        self.capacity = Some(match self.capacity {
            Some(known) if known.agrees(acked) => known.refined(acked),
            _ => Capacity::of(acked),
        });
        true
    }

    fn increase(&mut self, elapsed: f64, acked_bps: Option<f64>) {
        // More arrives than was known to be possible.
        if let (Some(acked), Some(known)) = (acked_bps, self.capacity)
            && acked > known.mean_bps
            && !known.agrees(acked)
        {
            self.capacity = None;
        }
        let grown = match self.capacity {
            Some(known) => self.target_bps + APPROACH * known.mean_bps * elapsed,
            None => self.target_bps * SEARCH.powf(elapsed),
        };
        let (share, more) = BEYOND_ACKED;
        let most = acked_bps.map_or(f64::INFINITY, |acked| share * acked + more);
        self.target_bps = grown.min(most.max(self.target_bps));
    }
}

impl Capacity {
    fn of(acked: f64) -> Self {
        Capacity {
            mean_bps: acked,
            variance: VARIANCES.0,
        }
    }

    /// Whether a rate is within three standard deviations.
    fn agrees(&self, acked: f64) -> bool {
        (acked - self.mean_bps).abs() <= 3.0 * (self.variance * self.mean_bps).sqrt()
    }

    fn refined(self, acked: f64) -> Self {
        let mix = |old: f64, new: f64| (1.0 - CAPACITY_WEIGHT) * old + CAPACITY_WEIGHT * new;
        let mean_bps = mix(self.mean_bps, acked);
        let error = (mean_bps - acked).powi(2) / mean_bps;
        Capacity {
            mean_bps,
            variance: mix(self.variance, error).clamp(VARIANCES.0, VARIANCES.1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bottleneck::epoch;
    use super::*;

    fn at(ms: u64) -> Instant {
        epoch() + Duration::from_millis(ms)
    }

    #[test]
    fn it_searches_by_a_quarter_a_second_up_to_what_the_acknowledged_rate_allows() {
        let mut rate = Aimd::new(400_000.0);
        for n in 0..=10 {
            rate.update(at(100 * n), Usage::Normal, Some(1e6), true);
        }
        assert!((rate.target_bps() - 500_000.0).abs() < 1.0, "{rate:?}");
        // 1.5 x 320 kbps and 10 kbps is less than there is already: it stays.
        rate.update(at(1_100), Usage::Normal, Some(320_000.0), true);
        assert!((rate.target_bps() - 500_000.0).abs() < 1.0, "{rate:?}");
        rate.update(at(1_200), Usage::Normal, Some(1e6), false);
        assert!((rate.target_bps() - 500_000.0).abs() < 1.0, "{rate:?}");
    }

    #[test]
    fn a_queue_takes_it_to_85_percent_of_what_arrives_and_it_comes_back_slowly() {
        let mut rate = Aimd::new(1_200_000.0);
        assert!(!rate.update(at(0), Usage::Over, None, true));
        assert!(rate.update(at(0), Usage::Over, Some(1e6), true));
        assert_eq!(rate.target_bps(), 850_000.0);
        // Too soon to know what that did.
        assert!(!rate.update(at(100), Usage::Over, Some(5e5), true));
        assert_eq!(rate.target_bps(), 850_000.0);
        rate.update(at(200), Usage::Under, Some(9e5), true);
        for n in 2..=12 {
            rate.update(at(100 * n), Usage::Normal, Some(850_000.0), true);
        }
        // 5 % of 1 Mbps in a second.
        assert!((rate.target_bps() - 900_000.0).abs() < 1.0, "{rate:?}");
        // 3 sqrt(400 x 1e6) = 60 kbps above what was known, the search begins again: 25 %.
        for n in 13..=22 {
            rate.update(at(100 * n), Usage::Normal, Some(1_061_000.0), true);
        }
        assert!((rate.target_bps() - 1_125_000.0).abs() < 1.0, "{rate:?}");
    }
}
