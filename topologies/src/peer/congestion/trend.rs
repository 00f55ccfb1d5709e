//! Whether a queue grows, from how packets spread on their way.

use std::collections::VecDeque;
use std::time::Instant;

/// Points of the line: as many groups as libwebrtc's `TrendlineEstimator` takes.
const POINTS: usize = 20;

/// How much of the delay before stays in the smoothed one; the same source.
const SMOOTHING: f64 = 0.9;

/// Turns a slope into what thresholds are compared with; the same source.
const GAIN: f64 = 4.0;

/// Up to how many groups the slope counts for: one from few groups is not trusted (libwebrtc
/// `kMinNumDeltas`).
const MOST_DELTAS: u32 = 60;

/// The slope of the one-way delay over the latest groups of packets.
///
/// The stack's filter gives the growth of the delay per group, in ms, and compares that itself with
/// a threshold of 12.5 ms and never less than 6 ms. A sender of groups 10 ms apart would have to
/// send at 1.6 times the capacity for that. The line is over 20 groups, and counts for 60.
#[derive(Debug, Default)]
pub struct TrendLine {
    points: VecDeque<(f64, f64)>,
    deltas: u32,
    delay_ms: f64,
    smoothed_ms: f64,
    arrival_ms: f64,
    departure: Option<Instant>,
}

impl TrendLine {
    /// Adds a group that left at `departure` and took `delta_ms` longer than the one before it.
    /// Returns the modified trend, in ms, from [`POINTS`] groups on.
    pub fn add(&mut self, departure: Instant, delta_ms: f64) -> Option<f64> {
        let before = self.departure.replace(departure).unwrap_or(departure);
        let apart = departure.saturating_duration_since(before);
        self.arrival_ms += apart.as_secs_f64() * 1e3 + delta_ms;
        self.deltas = (self.deltas + 1).min(MOST_DELTAS);
        self.delay_ms += delta_ms;
        self.smoothed_ms = SMOOTHING * self.smoothed_ms + (1.0 - SMOOTHING) * self.delay_ms;
        if self.points.len() == POINTS {
            self.points.pop_front();
        }
        self.points.push_back((self.arrival_ms, self.smoothed_ms));
        Some(self.slope()? * f64::from(self.deltas) * GAIN)
    }

    /// By least squares; `None` before there are enough points.
    fn slope(&self) -> Option<f64> {
        if self.points.len() < POINTS {
            return None;
        }
        let mean = |of: fn(&(f64, f64)) -> f64| {
            self.points.iter().map(of).sum::<f64>() / self.points.len() as f64
        };
        let (x, y) = (mean(|point| point.0), mean(|point| point.1));
        let (mut xy, mut xx) = (0.0, 0.0);
        for point in &self.points {
            xy += (point.0 - x) * (point.1 - y);
            xx += (point.0 - x).powi(2);
        }
        (xx > 0.0).then(|| xy / xx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::bottleneck::epoch;
    use super::*;

    /// The trend after so many groups 10 ms apart, each `delta_ms` later than the one before.
    fn trend(groups: u32, delta_ms: f64) -> Option<f64> {
        let mut line = TrendLine::default();
        let add = |n| line.add(epoch() + Duration::from_millis(10) * n, delta_ms);
        (0..groups).map(add).last().flatten()
    }

    #[test]
    fn a_delay_that_grows_steadily_has_the_slope_that_it_grows_by() {
        // 1 ms more every 11 ms of arrivals: 1 / 11, times 60 and 4, when smoothing has settled
        // (0.9^200 is nothing).
        let expected = 60.0 * 4.0 / 11.0;
        let trend = trend(220, 1.0).unwrap();
        assert!((trend - expected).abs() < 1e-6, "{trend}, not {expected}");
        assert_eq!(super::tests::trend(220, 0.0), Some(0.0));
    }

    #[test]
    fn few_groups_say_nothing() {
        assert_eq!(trend(19, 1.0), None);
        assert!(trend(20, 1.0).is_some());
    }
}
