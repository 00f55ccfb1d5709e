//! The receiver of a TCP transfer.

use std::collections::BTreeSet;

use super::sender::Segment;
use crate::ecn::Ecn;

/// What a receiver says after each segment, counted in segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ack {
    /// All before this one have arrived.
    pub(crate) next: u64,
    /// The one that has just arrived: what the first block of a selective acknowledgement tells
    /// (RFC 2018).
    pub(crate) latest: u64,
    /// ECN-Echo (RFC 3168 section 6.1.3): a mark came that the sender has not said it answered.
    pub(crate) echo: bool,
}

/// What has arrived.
#[derive(Debug, Default)]
pub(crate) struct Receiver {
    next: u64,
    beyond: BTreeSet<u64>,
    echoes: bool,
}

impl Receiver {
    /// Takes a segment, which may have come before, and acknowledges it.
    pub(crate) fn take(&mut self, segment: Segment) -> Ack {
        if segment.number >= self.next {
            self.beyond.insert(segment.number);
        }
        while self.beyond.remove(&self.next) {
            self.next += 1;
        }
        // A segment that says that a mark was answered may have one of its own.
        self.echoes = segment.ecn == Ecn::Ce || self.echoes && !segment.reduced;
        Ack {
            next: self.next,
            latest: segment.number,
            echo: self.echoes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3168 section 6.1.3: from a mark on until the sender says that it answered.
    #[test]
    fn a_mark_is_echoed_until_it_is_answered() {
        let mut receiver = Receiver::default();
        let mut echo = |number, ecn, reduced| {
            receiver
                .take(Segment {
                    number,
                    ecn,
                    reduced,
                })
                .echo
        };
        assert!(!echo(0, Ecn::Ect0, false));
        assert!(echo(1, Ecn::Ce, false));
        assert!(echo(2, Ecn::Ect0, false));
        assert!(!echo(3, Ecn::Ect0, true));
        assert!(!echo(4, Ecn::Ect0, false));
        assert!(echo(5, Ecn::Ce, true), "one may come with the answer");
    }
}
