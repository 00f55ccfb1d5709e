//! Events and their total order.

use std::cmp::Ordering;

use crate::time::Time;

/// What happens, as an index into the tables of whoever handles it.
///
/// The order of the variants is meaning: of two events at one instant, the earlier variant goes
/// first. A link is done with a packet before the next one enters, so that this one finds room.
/// Packets arrive before TCP runs, so that a segment is acknowledged in the pass of its own instant;
/// timers fire last, so that a timeout sees everything that arrived by its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// The transmitter of this lane is free.
    Transmitter(u32),
    /// The packet in this slot has crossed the link that it was on, or a CPU is done with it.
    Packet(u32),
    /// The same for this parcel of cross traffic, or it is due to be sent. Of one class with packets.
    Cross(u32),
    /// Every host's TCP stack runs once.
    Tcp,
    /// The timer in this slot is due.
    Timer(u32),
}

impl Event {
    const fn class(self) -> u64 {
        match self {
            Event::Transmitter(_) => 0,
            Event::Packet(_) | Event::Cross(_) => 1,
            Event::Tcp => 2,
            Event::Timer(_) => 3,
        }
    }
}

/// An event with its place in the total order: `(time, class, sequence)`, all ascending.
///
/// The sequence number counts scheduled events, so events of one class at one instant happen in
/// the order in which they were scheduled, and no two events are equal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scheduled {
    pub(crate) at: Time,
    /// The class in the top two bits, the sequence number below.
    order: u64,
    pub(crate) event: Event,
}

impl Scheduled {
    pub(crate) fn new(at: Time, sequence: u64, event: Event) -> Self {
        debug_assert!(sequence < 1 << 62, "a run has fewer than 2^62 events");
        Scheduled {
            at,
            order: event.class() << 62 | sequence,
            event,
        }
    }

    /// Time, class and sequence as one number, which compares without a branch: the queue spends
    /// its time on comparisons that no one can predict.
    fn key(&self) -> u128 {
        u128::from(self.at.as_nanos()) << 64 | u128::from(self.order)
    }
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}
