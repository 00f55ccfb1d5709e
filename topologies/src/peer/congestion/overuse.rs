//! When a trend means that too much is sent.

use std::time::{Duration, Instant};

use rtc::interceptor::Usage;
use scenarios::Threshold;

/// Where the threshold begins, and the range it stays in, ms (draft-ietf-rmcat-gcc-02 section 5.4).
const INITIAL: f64 = 12.5;
const LEAST: f64 = 6.0;
const MOST: f64 = 600.0;

/// How fast the threshold follows trends above and below it, per ms.
#[derive(Clone, Copy, Debug)]
struct Gains {
    up: f64,
    down: f64,
}

/// Those of `TrendlineEstimator::UpdateThreshold`.
const LIBWEBRTC: Gains = Gains {
    up: 0.0087,
    down: 0.039,
};

/// Those of draft-ietf-rmcat-gcc-02 section 5.4.
const DRAFT: Gains = Gains {
    up: 0.01,
    down: 0.000_18,
};

/// A trend this far above the threshold is no evidence of where that belongs, ms.
const OUTLIER: f64 = 15.0;

/// An update counts for this long at most.
const LONGEST_STEP: Duration = Duration::from_millis(100);

/// How long a trend stays above the threshold before it means overuse.
const OVERUSE_TIME: Duration = Duration::from_millis(10);

/// Compares trends with a threshold that adapts to how noisy they are.
#[derive(Debug)]
pub struct OveruseDetector {
    gains: Gains,
    threshold_ms: f64,
    last: Option<(Instant, f64)>,
    /// How long trends have been above the threshold, and how many.
    above: (Duration, u32),
    usage: Usage,
}

impl OveruseDetector {
    /// A detector whose threshold follows trends so.
    pub fn new(threshold: Threshold) -> Self {
        OveruseDetector {
            gains: match threshold {
                Threshold::Libwebrtc => LIBWEBRTC,
                Threshold::Draft => DRAFT,
            },
            threshold_ms: INITIAL,
            last: None,
            above: (Duration::ZERO, 0),
            usage: Usage::Normal,
        }
    }

    /// What the last trend meant.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// A trend of `trend_ms` was seen at `at`.
    pub fn update(&mut self, at: Instant, trend_ms: f64) {
        let (before, previous) = self.last.replace((at, trend_ms)).unwrap_or((at, trend_ms));
        let step = at.saturating_duration_since(before);
        if trend_ms > self.threshold_ms {
            self.above = (self.above.0 + step, self.above.1 + 1);
            // A queue that is shrinking again needs no reaction.
            if self.above.0 > OVERUSE_TIME && self.above.1 > 1 && trend_ms >= previous {
                self.above = (Duration::ZERO, 0);
                self.usage = Usage::Over;
            }
        } else {
            self.above = (Duration::ZERO, 0);
            self.usage = match trend_ms < -self.threshold_ms {
                true => Usage::Under,
                false => Usage::Normal,
            };
        }
        self.adapt(step.min(LONGEST_STEP), trend_ms.abs());
    }

    fn adapt(&mut self, step: Duration, size: f64) {
        if size > self.threshold_ms + OUTLIER {
            return;
        }
        let gain = match size > self.threshold_ms {
            true => self.gains.up,
            false => self.gains.down,
        };
        let step_ms = step.as_secs_f64() * 1e3;
        let threshold = self.threshold_ms + gain * (size - self.threshold_ms) * step_ms;
        self.threshold_ms = threshold.clamp(LEAST, MOST);
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
    fn a_trend_means_overuse_when_it_lasts_and_does_not_shrink() {
        let mut detector = OveruseDetector::new(Threshold::Libwebrtc);
        detector.update(at(0), 40.0);
        detector.update(at(10), 40.0);
        assert_eq!(detector.usage(), Usage::Normal);
        detector.update(at(20), 39.0);
        assert_eq!(detector.usage(), Usage::Normal);
        detector.update(at(30), 40.0);
        assert_eq!(detector.usage(), Usage::Over);
        detector.update(at(40), -40.0);
        assert_eq!(detector.usage(), Usage::Under);
        detector.update(at(50), 0.0);
        assert_eq!(detector.usage(), Usage::Normal);
    }

    /// 20 ms up and down, within the outlier's margin: the threshold moves towards 20.
    fn after_noise(threshold: Threshold) -> OveruseDetector {
        let mut detector = OveruseDetector::new(threshold);
        for n in 0..100 {
            detector.update(at(10 * n), 20.0 * (-1f64).powi(n as i32));
        }
        let noisy = detector.threshold_ms;
        assert!((19.0..=20.0).contains(&noisy), "{noisy}");
        detector
    }

    #[test]
    fn the_threshold_rises_with_noise_and_falls_back_within_a_second() {
        let mut detector = after_noise(Threshold::Libwebrtc);
        // At 0.039 per ms a step of 10 ms takes 39 % of the way to 0, up to the least.
        for n in 100..110 {
            detector.update(at(10 * n), 0.0);
        }
        assert_eq!(detector.threshold_ms, LEAST);
    }

    /// At 0.00018 per ms a step of 10 ms takes 0.18 % of the way: after 5 s, 500 of them, e^-0.9 of
    /// 20 ms are left, 8.1 ms.
    #[test]
    fn the_threshold_of_the_draft_falls_back_within_seconds() {
        let mut detector = after_noise(Threshold::Draft);
        for n in 100..600 {
            detector.update(at(10 * n), 0.0);
        }
        let threshold = detector.threshold_ms;
        assert!((7.7..=8.2).contains(&threshold), "{threshold}");
    }
}
