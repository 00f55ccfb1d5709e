//! The buffer stage: drop-tail, in bytes.

use std::collections::VecDeque;

/// What waits for or is in transmission. A packet leaves when its last bit is sent.
///
/// Departures are noticed lazily, when the next packet is offered, so that no event is needed for
/// them; each packet is pushed and popped once.
#[derive(Debug)]
pub(super) struct Buffer {
    limit: u64,
    occupied: u64,
    /// When each packet leaves, in nanoseconds, and its bytes; in order of leaving.
    inside: VecDeque<(u64, u32)>,
}

impl Buffer {
    /// A limit in bytes; `None` is unbounded.
    pub(super) fn new(limit: Option<u64>) -> Self {
        Buffer {
            limit: limit.unwrap_or(u64::MAX),
            occupied: 0,
            inside: VecDeque::new(),
        }
    }

    /// Changes the limit for packets that are yet to come; what is inside stays.
    pub(super) fn set_limit(&mut self, limit: Option<u64>) {
        self.limit = limit.unwrap_or(u64::MAX);
    }

    /// Whether a packet fits beside `occupied` bytes that are kept elsewhere.
    pub(super) fn fits(&self, occupied: u64, bytes: u32) -> bool {
        occupied + u64::from(bytes) <= self.limit
    }

    /// Whether a packet that arrives at `now` fits.
    pub(super) fn has_room(&mut self, now: u64, bytes: u32) -> bool {
        while let Some(&(leaves, size)) = self.inside.front() {
            if leaves > now {
                break;
            }
            self.occupied -= u64::from(size);
            self.inside.pop_front();
        }
        self.fits(self.occupied, bytes)
    }

    /// Holds a packet until `leaves`, not before that of any packet held already.
    pub(super) fn hold(&mut self, leaves: u64, bytes: u32) {
        self.occupied += u64::from(bytes);
        self.inside.push_back((leaves, bytes));
    }

    /// Bytes inside at `now`, in nanoseconds.
    pub(super) fn occupied_at(&self, now: u64) -> u64 {
        let gone = self.inside.iter().take_while(|&&(leaves, _)| leaves <= now);
        self.occupied - gone.map(|&(_, size)| u64::from(size)).sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_exactly_when_the_limit_would_be_passed() {
        // 3,000 bytes hold two packets of 1,500 and not one byte more.
        let mut buffer = Buffer::new(Some(3_000));
        for leaves in [10, 20] {
            assert!(buffer.has_room(0, 1_500));
            buffer.hold(leaves, 1_500);
        }
        assert!(!buffer.has_room(0, 1));
        // The first leaves at 10, not at 9.
        assert!(!buffer.has_room(9, 1));
        assert!(buffer.has_room(10, 1_500));
        assert!(!buffer.has_room(10, 1_501));
    }

    #[test]
    fn occupancy_falls_as_packets_leave_without_being_asked_first() {
        let mut buffer = Buffer::new(None);
        buffer.hold(10, 100);
        buffer.hold(20, 7);
        assert_eq!(
            [9, 10, 19, 20].map(|now| buffer.occupied_at(now)),
            [107, 7, 7, 0]
        );
    }

    #[test]
    fn a_smaller_limit_keeps_what_is_inside() {
        let mut buffer = Buffer::new(None);
        buffer.hold(10, 4_000);
        buffer.set_limit(Some(1_500));
        assert_eq!(buffer.occupied_at(0), 4_000);
        assert!(!buffer.has_room(0, 1));
        assert!(buffer.has_room(10, 1_500));
    }
}
