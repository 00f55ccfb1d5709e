//! What a CPU did: busy time and refused work, by kind.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::time::Time;

/// What CPUs are busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Work {
    /// Encoding video and sound.
    Encode,
    /// Decoding video and sound.
    Decode,
    /// Scaling pictures and composing them into one.
    Compose,
    /// Mixing sound.
    Mix,
    /// Packets: protecting, sending, receiving, forwarding.
    Transport,
}

impl Work {
    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Work::Encode => "encode",
            Work::Decode => "decode",
            Work::Compose => "compose",
            Work::Mix => "mix",
            Work::Transport => "transport",
        }
    }
}

/// What the CPU of a host did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuUsage {
    window: (Time, Time),
    busy: BTreeMap<Work, Duration>,
    refused: BTreeMap<Work, u64>,
}

impl CpuUsage {
    pub(crate) fn new(window: (Time, Time)) -> Self {
        CpuUsage {
            window,
            busy: BTreeMap::new(),
            refused: BTreeMap::new(),
        }
    }

    /// Books the work that a core does in `[start, end)`: what of it lies in the window.
    pub(crate) fn book(&mut self, work: Work, start: Time, end: Time) {
        let (from, to) = self.window;
        let inside = end.min(to).saturating_since(start.max(from));
        *self.busy.entry(work).or_default() += inside;
    }

    pub(crate) fn refuse(&mut self, work: Work) {
        *self.refused.entry(work).or_default() += 1;
    }

    /// Time that cores were busy in the window, over all cores, by kind of work.
    pub fn busy(&self) -> &BTreeMap<Work, Duration> {
        &self.busy
    }

    /// Pieces of work that were refused, whole run, by kind of work.
    pub fn refused(&self) -> &BTreeMap<Work, u64> {
        &self.refused
    }
}
