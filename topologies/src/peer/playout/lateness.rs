//! What a buffer that adapts learns from how late its stream is.

use std::collections::BTreeSet;
use std::time::Duration;

use sim::Time;

use super::depth::{self, Adaptive};
use super::patience::Patience;

/// Packets that were given up are remembered for so many after them.
const REMEMBERED: u64 = 1_000;

/// The depth that follows from how late packets of sound are, or pictures as a whole.
#[derive(Debug)]
pub struct Lateness {
    depth: Adaptive,
    /// Packets that were given up and have not come since. Those that come in vain count, too:
    /// otherwise a depth that is too small would never learn of it.
    given_up: BTreeSet<u64>,
    pictures: Option<Pictures>,
}

/// A picture needs all its packets, and the pictures before.
#[derive(Debug)]
struct Pictures {
    patience: Patience,
    /// The first packet that has not come, of those that are not given up.
    expected: Option<u64>,
}

impl Lateness {
    /// Of a stream of sound, whose depth begins with `start`.
    pub fn of_sound(start: Duration) -> Self {
        Lateness {
            depth: Adaptive::new(start, depth::SOUND),
            given_up: BTreeSet::new(),
            pictures: None,
        }
    }

    /// Of a stream of pictures, whose depth begins with `start`, and whose receiver asks for what
    /// is missing, or does not.
    pub fn of_pictures(start: Duration, asks: bool) -> Self {
        Lateness {
            depth: Adaptive::new(start, depth::PICTURES),
            given_up: BTreeSet::new(),
            pictures: Some(Pictures {
                patience: Patience::new(asks),
                expected: None,
            }),
        }
    }

    /// How long packets wait.
    pub fn depth(&self) -> Duration {
        self.depth.depth()
    }

    /// How late a packet may be before it is given up; `None` where each is when its successor is
    /// due.
    pub fn patience(&self) -> Option<Duration> {
        let pictures = self.pictures.as_ref();
        pictures.map(|pictures| pictures.patience.lateness())
    }

    /// A packet came at `now`, so much later than it can have.
    pub fn came(&mut self, now: Time, sequence: u64, late: Duration) {
        let in_vain = self.given_up.remove(&sequence);
        let Some(pictures) = &mut self.pictures else {
            return self.depth.note(now, late);
        };
        pictures.patience.note(now, late);
        pictures.expected.get_or_insert(sequence);
        if in_vain {
            self.depth.note(now, late);
        }
    }

    /// Notes which pictures are whole at `now`, those before them included. `waits` says of a packet
    /// that came and was not let go how late it is, and whether it ends its picture.
    pub fn note_whole(&mut self, now: Time, waits: impl Fn(u64) -> Option<(Duration, bool)>) {
        let pictures = self.pictures.as_mut();
        let Some(expected) = pictures.and_then(|pictures| pictures.expected.as_mut()) else {
            return;
        };
        while let Some((late, ends)) = waits(*expected) {
            if ends {
                self.depth.note(now, late);
            }
            *expected += 1;
        }
    }

    /// Whether a packet was given up and has not come.
    pub fn was_given_up(&self, sequence: u64) -> bool {
        self.given_up.contains(&sequence)
    }

    /// What has not come of the packets before `first`, from `from`, is given up. `waits` says
    /// whether a packet from there on came: pictures of these do not count, since they were whole
    /// at another time.
    pub fn give_up(
        &mut self,
        missing: impl Iterator<Item = u64>,
        first: u64,
        waits: impl Fn(u64) -> bool,
    ) {
        self.given_up.extend(missing);
        self.given_up = self.given_up.split_off(&first.saturating_sub(REMEMBERED));
        let pictures = self.pictures.as_mut();
        if let Some(expected) = pictures.and_then(|pictures| pictures.expected.as_mut()) {
            *expected = first.max(*expected);
            while waits(*expected) {
                *expected += 1;
            }
        }
    }
}
