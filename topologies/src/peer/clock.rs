//! Devices that tick on their own: displays and loudspeakers.

use std::time::Duration;

use sim::Time;
use sim::time::nanos;

/// Ticks of a device: at its phase and every period after it.
#[derive(Clone, Copy, Debug)]
pub struct DeviceClock {
    phase: u64,
    period: u64,
}

impl DeviceClock {
    /// A clock that ticks at `phase` (modulo the period) and every `period` after it.
    ///
    /// # Panics
    ///
    /// If the period is zero.
    pub fn new(phase: Duration, period: Duration) -> Self {
        let period = nanos(period);
        assert!(period > 0, "a device ticks");
        DeviceClock {
            phase: nanos(phase) % period,
            period,
        }
    }

    /// The first tick at or after `now`.
    pub fn next(&self, now: Time) -> Time {
        let now = now.as_nanos();
        let ticks = now.saturating_sub(self.phase).div_ceil(self.period);
        Time::from_nanos(self.phase + ticks * self.period)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_tick_is_at_or_after_now() {
        let clock = DeviceClock::new(Duration::from_millis(3), Duration::from_millis(20));
        let next = |millis| clock.next(Time::from_millis(millis));
        assert_eq!(next(0), Time::from_millis(3));
        assert_eq!(next(3), Time::from_millis(3));
        assert_eq!(next(4), Time::from_millis(23));
        assert_eq!(next(103), Time::from_millis(103));
    }
}
