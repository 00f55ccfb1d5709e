//! How much arrives, by the receiver's clock.

use std::collections::VecDeque;
use std::time::Duration;

/// Over how long the rate is taken.
const WINDOW: Duration = Duration::from_millis(500);

/// Less than this says too little.
const LEAST: Duration = Duration::from_millis(250);

/// The rate at which packets arrive, from their times of arrival.
///
/// The stack's calculator takes the times at which feedback comes, which is a tenth of a second of
/// packets at once: five or six batches over four or five intervals, 20 to 25 % too much. A decrease
/// to 85 % of that is none.
#[derive(Debug, Default)]
pub struct AckedRate {
    arrivals: VecDeque<(Duration, usize)>,
}

impl AckedRate {
    /// A packet of `bytes` arrived at `at`. Arrivals that are late in the order are left out.
    pub fn add(&mut self, at: Duration, bytes: usize) {
        if self.arrivals.back().is_some_and(|(last, _)| at < *last) {
            return;
        }
        self.arrivals.push_back((at, bytes));
        while let Some((first, _)) = self.arrivals.front()
            && at - *first > WINDOW
        {
            self.arrivals.pop_front();
        }
    }

    /// Bits per second; `None` if there is too little to tell.
    pub fn bps(&self) -> Option<f64> {
        let (first, _) = self.arrivals.front()?;
        let (last, _) = self.arrivals.back()?;
        let span = *last - *first;
        if span < LEAST {
            return None;
        }
        // What came first came before the span.
        let bytes: usize = self.arrivals.iter().skip(1).map(|(_, bytes)| bytes).sum();
        Some(bytes as f64 * 8.0 / span.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_stream_has_its_rate() {
        let mut rate = AckedRate::default();
        // 1,250 bytes every 10 ms are 1 Mbps.
        for n in 0..=25 {
            assert_eq!(rate.bps(), None, "{n}");
            rate.add(Duration::from_millis(10 * n), 1_250);
        }
        assert_eq!(rate.bps(), Some(1e6));
        // Half of it for longer than the window.
        for n in 0..=60 {
            rate.add(Duration::from_millis(260 + 10 * n), 625);
        }
        assert_eq!(rate.bps(), Some(5e5));
    }
}
