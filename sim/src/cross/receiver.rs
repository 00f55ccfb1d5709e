//! The receiver of a TCP transfer.

use std::collections::BTreeSet;

/// What a receiver says after each segment, counted in segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ack {
    /// All before this one have arrived.
    pub(crate) next: u64,
    /// The one that has just arrived: what the first block of a selective acknowledgement tells
    /// (RFC 2018).
    pub(crate) latest: u64,
}

/// What has arrived.
#[derive(Debug, Default)]
pub(crate) struct Receiver {
    next: u64,
    beyond: BTreeSet<u64>,
}

impl Receiver {
    /// Takes a segment, which may have come before, and acknowledges it.
    pub(crate) fn take(&mut self, segment: u64) -> Ack {
        if segment >= self.next {
            self.beyond.insert(segment);
        }
        while self.beyond.remove(&self.next) {
            self.next += 1;
        }
        Ack {
            next: self.next,
            latest: segment,
        }
    }
}
