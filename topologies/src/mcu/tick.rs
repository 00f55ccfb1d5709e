//! When an MCU composes: the mixing clock, as decisions.
//!
//! At each tick a picture is composed of the newest of everybody. If somebody's picture is late,
//! the composition waits for it, up to a limit; then it goes on with what is there. Late is who
//! should have sent one by the tick, counted from the one before, and has not. A late picture is
//! waited for once: whoever does not send it within that wait is frozen, and nobody waits for them
//! until they send again. So one participant costs the others one wait, not one at every tick.
//!
//! A composition begins at a tick and lasts until its pictures are encoded. A tick that comes
//! before is missed, as an MCU misses it whose CPU is too slow.

use std::collections::BTreeMap;
use std::time::Duration;

use sim::Time;

/// What a clock is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickSettings {
    /// The first tick.
    pub start: Time,
    /// Ticks per second, 1 or more.
    pub per_second: u32,
    /// How long after its tick a composition waits for pictures that are late, at most. Of a wait
    /// that reaches the next tick, that one is missed.
    pub wait: Duration,
    /// Between two pictures of one participant.
    pub picture_interval: Duration,
}

/// How a clock's ticks ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TickCounts {
    /// Ticks that were composed.
    pub composed: u64,
    /// Of them, those that waited.
    pub waited: u64,
    /// Of them, those that waited in vain.
    pub waited_in_vain: u64,
    /// Ticks that were missed.
    pub missed: u64,
}

/// The mixing clock. Tell it what happens, and ask what to do by [`MixingClock::advance`] after each
/// of these and at [`MixingClock::wake_at`].
#[derive(Debug)]
pub struct MixingClock {
    settings: TickSettings,
    /// Ticks that are over or under way.
    ticks: u64,
    state: State,
    senders: BTreeMap<u16, Sender>,
    counts: TickCounts,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing is under way.
    Idle,
    /// The composition of a tick waits.
    Waiting { tick: Time },
    /// A composition is under way.
    Composing,
}

/// Somebody whose pictures are composed.
#[derive(Clone, Copy, Debug)]
struct Sender {
    /// When the newest picture came.
    newest: Time,
    /// Whether it is in no composition yet.
    fresh: bool,
    /// Whether the one after it was waited for in vain.
    frozen: bool,
}

impl MixingClock {
    /// A clock before its first tick.
    ///
    /// # Panics
    ///
    /// If there are no ticks in a second.
    pub fn new(settings: TickSettings) -> Self {
        assert!(settings.per_second > 0, "a clock ticks");
        MixingClock {
            settings,
            ticks: 0,
            state: State::Idle,
            senders: BTreeMap::new(),
            counts: TickCounts::default(),
        }
    }

    /// Nobody was there to compose for: ticks before `now` were not missed.
    pub fn skip_to(&mut self, now: Time) {
        while self.next_tick() < now {
            self.ticks += 1;
        }
    }

    /// Which tick of the clock that is, counted from 0.
    pub fn number(&self, tick: Time) -> u32 {
        let since = u128::from(tick.saturating_since(self.settings.start).as_nanos() as u64);
        // The instants of ticks are rounded down to whole nanoseconds.
        (since * u128::from(self.settings.per_second)).div_ceil(1_000_000_000) as u32
    }

    /// A picture of `participant` came at `now`. Before their first one, nobody waits for them.
    pub fn arrived(&mut self, participant: u16, now: Time) {
        let sender = Sender {
            newest: now,
            fresh: true,
            frozen: false,
        };
        self.senders.insert(participant, sender);
    }

    /// `participant` left.
    pub fn left(&mut self, participant: u16) {
        self.senders.remove(&participant);
    }

    /// The composition that [`advance`](Self::advance) asked for is done at `now`. A tick of that
    /// very instant is not missed.
    pub fn finished(&mut self, now: Time) {
        debug_assert_eq!(self.state, State::Composing);
        while self.next_tick() < now {
            self.ticks += 1;
            self.counts.missed += 1;
        }
        self.state = State::Idle;
    }

    /// When to call [`advance`](Self::advance) next, if nothing happens before.
    pub fn wake_at(&self) -> Time {
        match self.state {
            State::Waiting { tick } => self.next_tick().min(tick + self.settings.wait),
            State::Idle | State::Composing => self.next_tick(),
        }
    }

    /// The tick whose picture is to be composed at `now`, if one is. It may be up to the wait ago.
    pub fn advance(&mut self, now: Time) -> Option<Time> {
        if let State::Waiting { tick } = self.state
            && !self.keeps_waiting(tick, now)
        {
            return Some(self.compose(tick));
        }
        let tick = self.pass_ticks(now)?;
        if self.state != State::Idle {
            self.counts.missed += 1;
            return None;
        }
        if self.keeps_waiting(tick, now) {
            self.state = State::Waiting { tick };
            self.counts.waited += 1;
            return None;
        }
        Some(self.compose(tick))
    }

    /// How the ticks so far ended.
    pub fn counts(&self) -> TickCounts {
        self.counts
    }

    /// Exact instants, without the drift of a rounded period.
    fn next_tick(&self) -> Time {
        let since = u128::from(self.ticks) * 1_000_000_000 / u128::from(self.settings.per_second);
        self.settings.start + Duration::from_nanos(since as u64)
    }

    /// Passes all ticks up to `now`, and returns the last one. Those before it are missed: nobody
    /// asked in time.
    fn pass_ticks(&mut self, now: Time) -> Option<Time> {
        let mut last = None;
        while self.next_tick() <= now {
            self.counts.missed += u64::from(last.is_some());
            last = Some(self.next_tick());
            self.ticks += 1;
        }
        last
    }

    fn keeps_waiting(&self, tick: Time, now: Time) -> bool {
        let mut senders = self.senders.values();
        now < tick + self.settings.wait && senders.any(|sender| self.is_late(sender, tick))
    }

    fn is_late(&self, sender: &Sender, tick: Time) -> bool {
        let due = sender.newest + self.settings.picture_interval;
        !sender.fresh && !sender.frozen && due <= tick
    }

    fn compose(&mut self, tick: Time) -> Time {
        let late: Vec<u16> = (self.senders.iter())
            .filter(|(_, sender)| self.is_late(sender, tick))
            .map(|(participant, _)| *participant)
            .collect();
        self.counts.composed += 1;
        if matches!(self.state, State::Waiting { .. }) && !late.is_empty() {
            self.counts.waited_in_vain += 1;
        }
        for (participant, sender) in &mut self.senders {
            sender.fresh = false;
            sender.frozen |= late.contains(participant);
        }
        self.state = State::Composing;
        tick
    }
}

#[cfg(test)]
mod tests;
