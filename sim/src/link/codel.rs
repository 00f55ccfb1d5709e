//! CoDel (RFC 8289): drops from the head of a queue whose packets have waited too long for too
//! long, or marks those that may be marked (RFC 3168).
//!
//! The names are those of the pseudo-code of RFC 8289 section 5. Like there, it works on what is
//! taken from the queue and not on what enters it, so what becomes of a packet is known only when
//! the transmitter is free for it. The pseudo-code has drops alone; as in Linux
//! (`include/net/codel_impl.h`) one counts as a drop, and ends the search, since the packet is sent.

use std::collections::VecDeque;

/// The wait of a packet that is acceptable for long: 5 ms (RFC 8289 section 4.4).
const TARGET: u64 = 5_000_000;

/// For how long waits must be above the target: 100 ms, the worst round trip of the flows that are
/// to fill the link (RFC 8289 section 4.4).
const INTERVAL: u64 = 100_000_000;

/// A queue of so many bytes is no standing queue: one full-size packet on Ethernet (RFC 894).
const MAX_PACKET: u64 = 1_500;

/// A packet that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    /// When it entered, in nanoseconds.
    pub(super) since: u64,
    pub(super) bytes: u32,
    /// Whether it is marked where it would be dropped.
    pub(super) markable: bool,
}

/// What the transmitter gets when it is free.
#[derive(Debug)]
pub(super) struct Dequeued {
    /// How many packets were dropped before, from the head of the queue.
    pub(super) dropped: u32,
    /// The one to send, if any is left.
    pub(super) packet: Option<Waiting>,
    /// Whether that one is marked.
    pub(super) marked: bool,
}

/// The queue and its state.
#[derive(Debug, Default)]
pub(super) struct Codel {
    queue: VecDeque<Waiting>,
    bytes: u64,
    first_above: Option<u64>,
    dropping: bool,
    drop_next: u64,
    count: u32,
    last_count: u32,
}

impl Codel {
    /// Bytes that wait.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn enqueue(&mut self, packet: Waiting) {
        self.bytes += u64::from(packet.bytes);
        self.queue.push_back(packet);
    }

    /// Takes the next packet for a transmitter that is free at `now`.
    pub(super) fn dequeue(&mut self, now: u64) -> Dequeued {
        let (mut dropped, mut marked) = (0, false);
        let markable = |packet: &Option<Waiting>| packet.is_some_and(|packet| packet.markable);
        let (mut packet, mut may_drop) = self.pop(now);
        if self.dropping {
            self.dropping = may_drop;
            while self.dropping && now >= self.drop_next {
                self.count += 1;
                if markable(&packet) {
                    marked = true;
                    self.drop_next = control_law(self.drop_next, self.count);
                    break;
                }
                dropped += 1;
                (packet, may_drop) = self.pop(now);
                self.dropping = may_drop;
                if may_drop {
                    self.drop_next = control_law(self.drop_next, self.count);
                }
            }
        } else if may_drop {
            if markable(&packet) {
                marked = true;
            } else {
                dropped += 1;
                (packet, _) = self.pop(now);
            }
            self.enter_dropping(now);
        }
        Dequeued {
            dropped,
            packet,
            marked,
        }
    }

    /// The head of the queue, and whether waits have been too long for an interval.
    fn pop(&mut self, now: u64) -> (Option<Waiting>, bool) {
        let Some(packet) = self.queue.pop_front() else {
            self.first_above = None;
            return (None, false);
        };
        self.bytes -= u64::from(packet.bytes);
        if now - packet.since < TARGET || self.bytes <= MAX_PACKET {
            self.first_above = None;
            return (Some(packet), false);
        }
        let first_above = *self.first_above.get_or_insert(now + INTERVAL);
        (Some(packet), now >= first_above)
    }

    /// Begins with the rate of drops that controlled the queue the last time, if that was lately.
    fn enter_dropping(&mut self, now: u64) {
        self.dropping = true;
        let delta = self.count - self.last_count;
        let lately = now.saturating_sub(self.drop_next) < 16 * INTERVAL;
        self.count = if delta > 1 && lately { delta } else { 1 };
        self.drop_next = control_law(now, self.count);
        self.last_count = self.count;
    }
}

/// Each drop follows the one before by the interval over the square root of their number.
fn control_law(from: u64, count: u32) -> u64 {
    from + (INTERVAL as f64 / f64::from(count).sqrt()) as u64
}
