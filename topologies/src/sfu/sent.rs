//! What went over a leg lately.

use std::collections::VecDeque;
use std::time::Duration;

use sim::Time;

/// Over how long rates are taken.
const SPAN: Duration = Duration::from_secs(1);

/// Counts of bytes, and when they were taken.
#[derive(Clone, Debug, Default)]
pub struct Sent(VecDeque<(Time, u64)>);

impl Sent {
    /// Adds the count of all bytes so far. Returns the rate of about the last second, bits per second;
    /// 0 in the beginning, and when a count went back because somebody left.
    pub fn bps(&mut self, now: Time, bytes: u64) -> f64 {
        if self.0.back().is_some_and(|(_, last)| *last > bytes) {
            self.0.clear();
        }
        self.0.push_back((now, bytes));
        while self
            .0
            .get(1)
            .is_some_and(|(at, _)| now.saturating_since(*at) >= SPAN)
        {
            self.0.pop_front();
        }
        let (from, before) = self.0[0];
        let elapsed = now.saturating_since(from).as_secs_f64();
        match elapsed > 0.0 {
            true => (bytes - before) as f64 * 8.0 / elapsed,
            false => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_last_second() {
        let (mut sent, at) = (Sent::default(), Time::from_millis);
        assert_eq!(sent.bps(at(0), 1_000), 0.0);
        // 12.5 kB in 100 ms are 1 Mbps, and then nothing comes.
        assert_eq!(sent.bps(at(100), 13_500), 1e6);
        assert_eq!(sent.bps(at(1_000), 13_500), 1e5);
        assert_eq!(sent.bps(at(1_100), 13_500), 0.0);
        assert_eq!(sent.bps(at(1_200), 100), 0.0);
    }
}
