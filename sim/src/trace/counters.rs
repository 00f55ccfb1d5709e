//! How many packets were sent, delivered and dropped, and why.

use std::collections::BTreeMap;

use super::{PacketEvent, Stage};
use crate::kernel::DropReason;

/// Packet counts: `sent = delivered + sum(dropped) + in flight`, at every instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Handed to the network.
    pub sent: u64,
    /// Handed to a socket.
    pub delivered: u64,
    /// Marked CE by a queue (RFC 3168), whatever became of them then.
    pub marked: u64,
    /// Dropped, by reason.
    pub dropped: BTreeMap<DropReason, u64>,
}

impl Counters {
    pub(crate) fn count(&mut self, event: &PacketEvent<'_>) {
        match event.stage {
            Stage::Sent => self.sent += 1,
            Stage::Delivered(_) => self.delivered += 1,
            Stage::Dropped(reason, _) => *self.dropped.entry(reason).or_default() += 1,
        }
    }

    /// Packets that are neither delivered nor dropped, by the counts alone.
    pub fn unaccounted(&self) -> u64 {
        self.sent - self.delivered - self.dropped.values().sum::<u64>()
    }
}
