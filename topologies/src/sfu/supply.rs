//! Whether a sender sends a layer: it may not have the room.

use std::time::Duration;

use sim::Time;

/// How long a layer may take to begin when it is wanted: a round trip, and an encoder.
const BEGINS: Duration = Duration::from_secs(1);

/// So many frames that do not come are the end of a layer.
const FRAMES: u32 = 10;

/// How long a layer that does not come is not asked for.
const RESTS: Duration = Duration::from_secs(5);

/// What is known about one layer of a sender.
#[derive(Clone, Copy, Debug, Default)]
pub struct Supply {
    wanted: Option<Time>,
    came: Option<Time>,
    absent_until: Option<Time>,
}

impl Supply {
    /// A packet of it came.
    pub fn came(&mut self, now: Time) {
        self.came = Some(now);
    }

    /// Whether somebody wants it, now; its camera has `fps`.
    pub fn wanted(&mut self, wanted: bool, now: Time, fps: u32) {
        if !wanted {
            self.wanted = None;
            return;
        }
        let since = *self.wanted.get_or_insert(now);
        let frames = Duration::from_secs(1) * FRAMES / fps;
        let due = match self.came.filter(|came| *came >= since) {
            Some(came) => came + frames,
            None => since + BEGINS + frames,
        };
        if now >= due {
            (self.wanted, self.absent_until) = (None, Some(now + RESTS));
        }
    }

    /// Whether it is there, or would be if it were wanted.
    pub fn is_there(&self, now: Time) -> bool {
        self.absent_until.is_none_or(|until| now >= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At 30 frames a second ten frames are 333 ms.
    #[test]
    fn a_layer_is_gone_when_it_does_not_begin_or_does_not_go_on() {
        let at = Time::from_millis;
        let mut supply = Supply::default();
        let mut there = |ms: u64, packet: bool| {
            if packet {
                supply.came(at(ms));
            }
            supply.wanted(true, at(ms), 30);
            supply.is_there(at(ms))
        };
        assert!(there(0, false));
        assert!(there(1_333, false));
        assert!(!there(1_334, false));
        assert!(!there(6_333, false));
        // It is asked for again, comes, and goes.
        assert!(there(6_334 + 1_000, true));
        assert!(there(7_667, false));
        assert!(!there(7_668, false));
    }

    #[test]
    fn what_nobody_wants_need_not_come() {
        let mut supply = Supply::default();
        supply.wanted(false, Time::from_millis(9_000), 30);
        assert!(supply.is_there(Time::from_millis(9_000)));
    }
}
