//! How many messages a client may send.

use std::time::{Duration, Instant};

/// The generic cell rate algorithm (ITU-T I.371): `burst` messages at once, then one per
/// `interval`.
#[derive(Debug)]
pub(super) struct RateLimit {
    interval: Duration,
    tolerance: Duration,
    expected: Instant,
}

impl RateLimit {
    pub(super) fn new(now: Instant, per_second: u32, burst: u32) -> Self {
        let interval = Duration::from_secs(1) / per_second.max(1);
        RateLimit {
            interval,
            tolerance: interval * burst.saturating_sub(1),
            expected: now,
        }
    }

    /// Whether a message at `now` conforms.
    pub(super) fn admit(&mut self, now: Instant) -> bool {
        let expected = self.expected.max(now);
        let conforms = expected.duration_since(now) <= self.tolerance;
        if conforms {
            self.expected = expected + self.interval;
        }
        conforms
    }
}

#[cfg(test)]
mod tests {
    use webrtc::runtime::{Runtime, TokioRuntime};

    use super::*;

    #[test]
    fn a_burst_and_then_the_rate() {
        // 10 a second, 5 at once: the sixth at 0 is too much; one more fits every 100 ms, also
        // when the refused ones keep coming.
        let start = TokioRuntime.now();
        let mut limit = RateLimit::new(start, 10, 5);
        let admitted = |limit: &mut RateLimit, ms: u64, tries: usize| {
            let now = start + Duration::from_millis(ms);
            (0..tries).filter(|_| limit.admit(now)).count()
        };
        assert_eq!(admitted(&mut limit, 0, 9), 5);
        assert_eq!(admitted(&mut limit, 99, 9), 0);
        assert_eq!(admitted(&mut limit, 100, 9), 1);
        assert_eq!(admitted(&mut limit, 350, 9), 2);
        assert_eq!(admitted(&mut limit, 60_000, 9), 5);
    }
}
