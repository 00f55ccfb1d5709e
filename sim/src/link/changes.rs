//! What becomes of a pipe while time passes: changes that are known from the start.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;

use super::config::{JitterConfig, LossConfig};
use super::trace::DeliveryTrace;
use super::validate::{LinkError, MIN_BUFFER_BYTES};
use crate::time::Time;

/// A pipe changes at some time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PipeChange {
    /// When.
    pub at: Time,
    /// What is different from then on.
    pub what: Change,
}

/// What can change. Each takes effect on a packet where it is just then: a rate on the bits that
/// are yet to be sent, a buffer on what enters it, delay, jitter and loss on what leaves it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// The rate goes to this one in bits per second, along a line that takes so long; at once if
    /// that is zero, or if one of the two rates is unlimited (`None`).
    Rate {
        /// In bits per second, above zero.
        to_bps: Option<u64>,
        /// How long the rate takes to get there.
        over: Duration,
    },
    /// The trace says when packets leave, from its start.
    Trace(DeliveryTrace),
    /// The limit of the buffer in bytes, at least 1,500; `None` is unbounded.
    Buffer(Option<u64>),
    /// The propagation delay.
    Delay(Duration),
    /// The random extra delay.
    Jitter(JitterConfig),
    /// The random loss.
    Loss(LossConfig),
}

impl PipeChange {
    /// Checks that the pipe can change so.
    ///
    /// # Errors
    ///
    /// Those of [`PipeConfig::validate`] that are about one field.
    ///
    /// [`PipeConfig::validate`]: super::config::PipeConfig::validate
    pub fn validate(&self) -> Result<(), LinkError> {
        match self.what {
            Change::Rate {
                to_bps: Some(0), ..
            } => Err(LinkError::ZeroRate),
            Change::Buffer(Some(bytes)) if bytes < MIN_BUFFER_BYTES => {
                Err(LinkError::SmallBuffer(bytes))
            }
            Change::Loss(loss) => loss.validate(),
            _ => Ok(()),
        }
    }
}

/// Values that are to come, each at its time.
#[derive(Debug)]
pub(super) struct Upcoming<T>(VecDeque<(u64, T)>);

impl<T> Upcoming<T> {
    /// In order of time; those of one time in the order given.
    pub(super) fn new(values: impl IntoIterator<Item = (u64, T)>) -> Self {
        let mut values: Vec<_> = values.into_iter().collect();
        values.sort_by_key(|(at, _)| *at);
        Upcoming(values.into())
    }

    /// Takes the next value if it is due at `now`.
    pub(super) fn due(&mut self, now: u64) -> Option<T> {
        let due = self.0.pop_front_if(|(at, _)| *at <= now);
        due.map(|(_, value)| value)
    }

    /// When the next one is due, in nanoseconds.
    pub(super) fn next_at(&self) -> Option<u64> {
        self.0.front().map(|(at, _)| *at)
    }
}

/// What is to come for the stages of a pipe that are not its transmitter.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) buffer: Upcoming<Option<u64>>,
    pub(super) after: Upcoming<After>,
}

/// What is to come for the stages after the transmitter.
#[derive(Clone, Copy, Debug)]
pub(super) enum After {
    Delay(Duration),
    Jitter(JitterConfig),
    Loss(LossConfig),
}

impl Script {
    pub(super) fn new(changes: &[PipeChange]) -> Self {
        let buffer = changes.iter().filter_map(|change| match change.what {
            Change::Buffer(limit) => Some((change.at.as_nanos(), limit)),
            _ => None,
        });
        let after = changes.iter().filter_map(|change| {
            let after = match change.what {
                Change::Delay(delay) => After::Delay(delay),
                Change::Jitter(jitter) => After::Jitter(jitter),
                Change::Loss(loss) => After::Loss(loss),
                Change::Rate { .. } | Change::Trace(_) | Change::Buffer(_) => return None,
            };
            Some((change.at.as_nanos(), after))
        });
        Script {
            buffer: Upcoming::new(buffer),
            after: Upcoming::new(after),
        }
    }
}
