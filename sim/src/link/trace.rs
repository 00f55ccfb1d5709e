//! Delivery traces, in the format of Mahimahi.
//!
//! Netravali et al., "Mahimahi: Accurate Record-and-Replay for HTTP", USENIX ATC 2015; the format
//! is that of the manual page of `mm-link`: each line is a time in whole milliseconds from the
//! start of the trace, at which 1,500 bytes may leave the link. Times do not go down; one that is
//! repeated lets as many packets pass. The trace repeats when its last time is reached.

use std::sync::Arc;

use serde::{Serialize, Serializer};
use thiserror::Error;

/// Bytes at the IP layer that leave at each opportunity: a full packet.
pub const OPPORTUNITY_BYTES: u32 = 1_500;

/// The longest trace: a day.
const LONGEST_MS: u64 = 24 * 3_600_000;

/// Why a text is not a delivery trace.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TraceError {
    /// Something else than a time.
    #[error("line {line} is {text:?}, not a time in whole milliseconds, of a day at most")]
    NotATime {
        /// From 1.
        line: usize,
        /// What it says.
        text: String,
    },
    /// Time goes backwards.
    #[error("line {line} is {millis}, before the {before} above it")]
    Backwards {
        /// From 1.
        line: usize,
        /// What it says.
        millis: u64,
        /// What the line above says.
        before: u64,
    },
    /// It is over at once, so that it would repeat without end.
    #[error("the trace has no time after 0")]
    Empty,
}

/// When a link may deliver, again and again. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryTrace {
    /// In nanoseconds from the start, ascending; the last one is the period, and above 0.
    times: Arc<[u64]>,
}

impl DeliveryTrace {
    /// Reads a trace from the text of a file.
    ///
    /// # Errors
    ///
    /// [`TraceError`] for the first line that is wrong.
    pub fn parse(text: &str) -> Result<Self, TraceError> {
        let mut times = Vec::new();
        let mut before = 0;
        for (line, text) in (1..).zip(text.lines()) {
            let read: Option<u64> = text.trim().parse().ok();
            let not_a_time = || TraceError::NotATime {
                line,
                text: text.to_owned(),
            };
            let millis = read
                .filter(|millis| *millis <= LONGEST_MS)
                .ok_or_else(not_a_time)?;
            if millis < before {
                return Err(TraceError::Backwards {
                    line,
                    millis,
                    before,
                });
            }
            times.push(millis * 1_000_000);
            before = millis;
        }
        match before {
            0 => Err(TraceError::Empty),
            _ => Ok(DeliveryTrace {
                times: times.into(),
            }),
        }
    }

    /// How many opportunities it has.
    pub fn opportunities(&self) -> usize {
        self.times.len()
    }

    /// The rate at which it delivers if every opportunity is used, in bits per second.
    pub fn mean_bps(&self) -> f64 {
        let bits = self.times.len() as f64 * f64::from(OPPORTUNITY_BYTES) * 8.0;
        bits * 1e9 / self.period() as f64
    }

    fn period(&self) -> u64 {
        self.times.last().copied().unwrap_or(1) // never empty, by construction
    }

    /// When the opportunity of this number is, in nanoseconds from the start.
    fn at(&self, number: u64) -> u64 {
        let count = self.times.len() as u64;
        let round = (number / count).saturating_mul(self.period());
        round.saturating_add(self.times[(number % count) as usize])
    }

    /// The number of the first opportunity after `elapsed` nanoseconds.
    fn first_after(&self, elapsed: u64) -> u64 {
        let (rounds, rest) = (elapsed / self.period(), elapsed % self.period());
        let passed = self.times.partition_point(|time| *time <= rest) as u64;
        rounds * self.times.len() as u64 + passed
    }
}

/// As its outline, for records of what was run: thousands of times say little to a reader.
impl Serialize for DeliveryTrace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mean = self.mean_bps().round();
        serializer.collect_str(&format_args!(
            "{} opportunities in {} ms, {mean} bit/s",
            self.times.len(),
            self.period() / 1_000_000
        ))
    }
}

/// A place in a trace that began at some time.
#[derive(Debug)]
pub(super) struct Cursor {
    trace: DeliveryTrace,
    began: u64,
    /// The opportunity that is next or in use.
    number: u64,
    /// Its bytes that are not used yet.
    left: u32,
}

impl Cursor {
    pub(super) fn new(trace: DeliveryTrace, began: u64) -> Self {
        Cursor {
            trace,
            began,
            number: 0,
            left: OPPORTUNITY_BYTES,
        }
    }

    /// Sends as much of `bytes` as leaves before `until`, from what came at `from`: when the last
    /// of them leaves, or how many are left. What is there when an opportunity comes may use it;
    /// what is not used then is lost.
    pub(super) fn send(&mut self, from: u64, bytes: u32, until: u64) -> Result<u64, u32> {
        self.skip_to(from);
        let mut bytes = bytes;
        loop {
            let at = self.began.saturating_add(self.trace.at(self.number));
            if at >= until {
                return Err(bytes);
            }
            let used = bytes.min(self.left);
            bytes -= used;
            self.left -= used;
            if bytes == 0 {
                return Ok(at);
            }
            (self.number, self.left) = (self.number + 1, OPPORTUNITY_BYTES);
        }
    }

    /// Loses every opportunity up to `from`. The one in use is after it if the packet before is
    /// still waiting for that.
    fn skip_to(&mut self, from: u64) {
        let Some(elapsed) = from.checked_sub(self.began) else {
            return;
        };
        let first = self.trace.first_after(elapsed);
        if first > self.number {
            (self.number, self.left) = (first, OPPORTUNITY_BYTES);
        }
    }
}
