//! How the rate of a link goes on: steps, ramps and traces, each from a time that is known.

use std::time::Duration;

use super::changes::{Change, PipeChange, Upcoming};
use super::trace::Cursor;
use crate::time::nanos;

/// A ramp is made of steps of 10 ms, each at the rate that the line has in its middle: every step
/// carries what the line carries, but for the rounding of the rate to 1 bit/s.
const STEP: u64 = 10_000_000;

/// What says when packets leave.
#[derive(Debug)]
pub(super) enum Medium {
    /// Bits per second; `None` takes no time.
    Rate(Option<u64>),
    Trace(Cursor),
}

/// What is in force and what is to come.
#[derive(Debug)]
pub(super) struct Course {
    medium: Medium,
    ramp: Option<Ramp>,
    /// When the medium is another one, in nanoseconds; `u64::MAX` for never.
    until: u64,
    upcoming: Upcoming<Change>,
}

impl Course {
    /// From this rate on.
    pub(super) fn new(rate_bps: Option<u64>, changes: &[PipeChange]) -> Self {
        let of_rate = changes
            .iter()
            .filter(|change| matches!(change.what, Change::Rate { .. } | Change::Trace(_)));
        let upcoming =
            Upcoming::new(of_rate.map(|change| (change.at.as_nanos(), change.what.clone())));
        Course {
            medium: Medium::Rate(rate_bps),
            ramp: None,
            until: upcoming.next_at().unwrap_or(u64::MAX),
            upcoming,
        }
    }

    pub(super) fn medium(&mut self) -> &mut Medium {
        &mut self.medium
    }

    pub(super) fn until(&self) -> u64 {
        self.until
    }

    /// The rate, and until when it alone counts.
    pub(super) fn simple(&self) -> (Option<u64>, u64) {
        match self.medium {
            Medium::Rate(rate) => (rate, self.until),
            Medium::Trace(_) => (None, 0),
        }
    }

    /// Goes on at this rate until the next change.
    pub(super) fn set_rate(&mut self, rate_bps: Option<u64>) {
        self.medium = Medium::Rate(rate_bps);
        self.ramp = None;
        self.until = self.upcoming.next_at().unwrap_or(u64::MAX);
    }

    /// Goes on to what is in force when this stretch ends.
    pub(super) fn advance(&mut self) {
        let now = self.until;
        if let Some(change) = self.upcoming.due(now) {
            self.begin(now, change);
        }
        if let Some(ramp) = &self.ramp {
            self.medium = Medium::Rate(Some(ramp.step_from(now)));
        }
        let step = self.ramp.as_ref().and_then(|ramp| ramp.step_end(now));
        let next = self.upcoming.next_at().into_iter().chain(step);
        self.until = next.min().unwrap_or(u64::MAX);
    }

    fn begin(&mut self, now: u64, change: Change) {
        let before = self.rate_at(now);
        self.ramp = None;
        match change {
            Change::Rate { to_bps, over } => {
                self.medium = Medium::Rate(to_bps);
                self.ramp = Ramp::new(now, before, to_bps, over);
            }
            Change::Trace(trace) => self.medium = Medium::Trace(Cursor::new(trace, now)),
            Change::Buffer(_) | Change::Delay(_) | Change::Jitter(_) | Change::Loss(_) => {}
        }
    }

    /// The rate at this time, on the line of a ramp; `None` without one.
    fn rate_at(&self, now: u64) -> Option<u64> {
        match (&self.ramp, &self.medium) {
            (Some(ramp), _) => Some(ramp.at(now)),
            (None, Medium::Rate(rate)) => *rate,
            (None, Medium::Trace(_)) => None,
        }
    }
}

/// A rate that goes along a line. It goes on after its end, at the rate that it has there.
#[derive(Debug)]
struct Ramp {
    began: u64,
    length: u64,
    from: u64,
    to: u64,
}

impl Ramp {
    /// Between two rates that are known, if it takes time.
    fn new(began: u64, from: Option<u64>, to: Option<u64>, over: Duration) -> Option<Self> {
        let (from, to, length) = (from?, to?, nanos(over));
        (length > 0).then_some(Ramp {
            began,
            length,
            from,
            to,
        })
    }

    fn end(&self) -> u64 {
        self.began.saturating_add(self.length)
    }

    /// The rate on the line, rounded to the nearest bit per second.
    fn at(&self, now: u64) -> u64 {
        let passed = i128::from((now - self.began).min(self.length));
        let (from, to) = (i128::from(self.from), i128::from(self.to));
        let (rise, length) = ((to - from) * passed, i128::from(self.length));
        let rate = from + (2 * rise + length).div_euclid(2 * length);
        rate.max(1) as u64 // between two rates, which are u64
    }

    /// When the step that begins at `now` ends; `None` after the last one.
    fn step_end(&self, now: u64) -> Option<u64> {
        let step = (now - self.began) / STEP + 1;
        let end = self.began.saturating_add(step * STEP).min(self.end());
        (now < self.end()).then_some(end)
    }

    /// The rate of the step that begins at `now`.
    fn step_from(&self, now: u64) -> u64 {
        let end = self.step_end(now).unwrap_or(now);
        self.at(now + (end - now) / 2)
    }
}
