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
