//! How long a missing packet of a picture is waited for.

use std::collections::VecDeque;
use std::time::Duration;

use sim::Time;

/// What is remembered: repairs of a stream that loses one packet in a thousand.
const MEMORY: Duration = Duration::from_secs(10);

/// How much later than the latest one so far a packet may come: one that is asked for a second time
/// is a round trip and a period of requests later than one that is asked for once.
const MARGIN: u32 = 2;

/// Where packets are asked for: two requests 100 ms apart, the first one up to 100 ms after the loss
/// shows, and a round trip of 200 ms (ITU-T G.114: 400 ms across and back are the most for planning).
const ASKING: Duration = Duration::from_millis(400);

/// Where they are not: as long as a buffer that adapts waits at the least.
const NOT_ASKING: Duration = Duration::from_millis(20);

/// Then a keyframe, for a round trip, is no later than a repair.
const MOST: Duration = Duration::from_secs(1);

/// How late a packet may be before it is given up, if others need it: twice as late as the latest
/// one of the last 10 s, and at least 400 ms where packets are asked for.
#[derive(Debug)]
pub struct Patience {
    least: Duration,
    /// Packets that were later than all after them: when each came, and how late.
    latest: VecDeque<(Time, Duration)>,
}

impl Patience {
    /// That of a receiver that asks for what is missing, or does not.
    pub fn new(asks: bool) -> Self {
        Patience {
            least: if asks { ASKING } else { NOT_ASKING },
            latest: VecDeque::new(),
        }
    }

    /// A packet came at `now`, so much later than the fastest ones would have, in time or not.
    pub fn note(&mut self, now: Time, late: Duration) {
        while self.latest.pop_back_if(|(_, of)| *of <= late).is_some() {}
        self.latest.push_back((now, late));
        let old = |(at, _): &mut (Time, Duration)| now.saturating_since(*at) > MEMORY;
        while self.latest.pop_front_if(old).is_some() {}
    }

    /// How much later than the fastest ones a packet may come.
    pub fn lateness(&self) -> Duration {
        let latest = self
            .latest
            .front()
            .map_or(Duration::ZERO, |(_, late)| *late);
        (latest * MARGIN).clamp(self.least, MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Patience after a packet that came at so many ms, and so late.
    fn after(patience: &mut Patience, at: u64, late: u64) -> u64 {
        patience.note(Time::from_millis(at), Duration::from_millis(late));
        patience.lateness().as_millis() as u64
    }

    #[test]
    fn it_is_twice_the_latest_of_ten_seconds() {
        let mut patience = Patience::new(false);
        assert_eq!(patience.lateness(), NOT_ASKING);
        assert_eq!(after(&mut patience, 0, 70), 140);
        assert_eq!(after(&mut patience, 5_000, 30), 140);
        assert_eq!(after(&mut patience, 10_000, 5), 140);
        // From here on the packets of 5,000 ms and 10,000 ms are the latest.
        assert_eq!(after(&mut patience, 10_001, 5), 60);
        assert_eq!(after(&mut patience, 15_001, 5), 20);
    }

    #[test]
    fn who_asks_waits_for_two_requests_and_nobody_longer_than_a_second() {
        let mut patience = Patience::new(true);
        assert_eq!(patience.lateness(), ASKING);
        assert_eq!(after(&mut patience, 0, 150), 400);
        assert_eq!(after(&mut patience, 1, 300), 600);
        assert_eq!(after(&mut patience, 2, 900), 1_000);
    }
}
