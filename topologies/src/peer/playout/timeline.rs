//! When packets of a stream can have come at the earliest.

use std::time::Duration;

use sim::Time;

/// A packet this far from where its timestamp belongs starts the timeline anew: the sender's clock
/// has jumped.
const RESTART: Duration = Duration::from_secs(10);

/// What the fastest packets so far say of the others.
pub struct Timeline {
    clock_rate: u32,
    newest: Option<Point>,
}

/// A timestamp and the earliest instant that a packet with it can have arrived.
#[derive(Clone, Copy)]
struct Point {
    timestamp: u32,
    arrival: Time,
}

impl Timeline {
    /// Of a stream with this RTP clock rate, of which no packet has come.
    pub fn new(clock_rate: u32) -> Self {
        Timeline {
            clock_rate,
            newest: None,
        }
    }

    /// Whether no packet has come.
    pub fn is_empty(&self) -> bool {
        self.newest.is_none()
    }

    /// The earliest arrival that a packet with this timestamp, which came at `arrival`, can have
    /// had.
    pub fn earliest(&mut self, timestamp: u32, arrival: Time) -> Time {
        let Some(newest) = self.newest else {
            self.newest = Some(Point { timestamp, arrival });
            return arrival;
        };
        let ticks = i64::from(timestamp.wrapping_sub(newest.timestamp) as i32);
        let offset = ticks * 1_000_000_000 / i64::from(self.clock_rate);
        let nanos = newest.arrival.as_nanos().checked_add_signed(offset);
        let earliest = nanos.map(Time::from_nanos).filter(|earliest| {
            // Faster than all before it, or from another timeline.
            *earliest <= arrival && arrival - *earliest < RESTART
        });
        // Moving along keeps the differences of timestamps small.
        let earliest = earliest.unwrap_or(arrival);
        if ticks >= 0 {
            self.newest = Some(Point {
                timestamp,
                arrival: earliest,
            });
        }
        earliest
    }
}
