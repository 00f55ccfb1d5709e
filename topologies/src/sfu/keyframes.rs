//! Keyframe requests of many receivers, as few requests to the sender.

use std::time::Duration;

use sim::Time;

/// What to do about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Pass it on.
    AskNow,
    /// Pass it on at that time: the last one was too short ago.
    AskAt(Time),
    /// One that will be passed on stands for it.
    Covered,
}

/// Lets at most one request through in each interval. A request that comes too early is not
/// forgotten: whoever asked has not got the keyframe that an earlier one led to, or lost it.
#[derive(Clone, Debug)]
pub struct KeyframeGate {
    interval: Duration,
    last: Option<Time>,
    waiting: bool,
}

impl KeyframeGate {
    /// A gate through which nothing has gone.
    pub fn new(interval: Duration) -> Self {
        KeyframeGate {
            interval,
            last: None,
            waiting: false,
        }
    }

    /// A receiver asks. After [`Decision::AskAt`], [`passed`](Self::passed) is to be called then.
    pub fn ask(&mut self, now: Time) -> Decision {
        if self.waiting {
            return Decision::Covered;
        }
        match self.last.map(|last| last + self.interval) {
            Some(next) if next > now => {
                self.waiting = true;
                Decision::AskAt(next)
            }
            _ => {
                self.last = Some(now);
                Decision::AskNow
            }
        }
    }

    /// A request that waited was passed on.
    pub fn passed(&mut self, now: Time) {
        self.waiting = false;
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_of_one_interval_are_passed_on_once_at_once_and_once_at_its_end() {
        let mut gate = KeyframeGate::new(Duration::from_millis(500));
        let at = Time::from_millis;
        assert_eq!(gate.ask(at(100)), Decision::AskNow);
        assert_eq!(gate.ask(at(100)), Decision::AskAt(at(600)));
        assert_eq!(gate.ask(at(599)), Decision::Covered);
        gate.passed(at(600));
        assert_eq!(gate.ask(at(1_099)), Decision::AskAt(at(1_100)));
        gate.passed(at(1_100));
        // 500 ms later the interval is over, and not a nanosecond earlier.
        assert_eq!(gate.ask(at(1_600)), Decision::AskNow);
    }
}
