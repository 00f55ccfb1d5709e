//! A queue whose discipline decides when a packet is taken from it, and its transmitter.

use super::buffer::Buffer;
use super::codel::{Codel, Dequeued, Waiting};
use super::pipe::{LinkDrop, Verdict};

/// What waits for a transmitter and what is in it.
#[derive(Debug, Default)]
pub(super) struct Held {
    queue: Codel,
    /// Bytes in the transmitter, or that were: it is asked for the next packet when they are sent.
    sending: Option<u32>,
}

impl Held {
    /// Takes a packet in that enters at `now`, in nanoseconds, if the buffer's limit allows.
    pub(super) fn take(&mut self, now: u64, bytes: u32, limit: &Buffer) -> Verdict {
        if !limit.fits(self.bytes(), bytes) {
            return Verdict::Drop(LinkDrop::BufferFull);
        }
        self.queue.enqueue(now, bytes);
        Verdict::Wait
    }

    /// Bytes in queue and transmitter.
    pub(super) fn bytes(&self) -> u64 {
        self.queue.bytes() + u64::from(self.sending.unwrap_or(0))
    }

    /// When the transmitter takes the next packet, or finds that there is none, if it is free from
    /// `free_at` on, in nanoseconds.
    pub(super) fn next_at(&self, free_at: u64) -> Option<u64> {
        (self.sending.is_some() || !self.queue.is_empty()).then_some(free_at)
    }

    /// The number of packets that are dropped at `now`, and the one to send.
    pub(super) fn dequeue(&mut self, now: u64) -> (u32, Option<Waiting>) {
        let Dequeued { dropped, packet } = self.queue.dequeue(now);
        self.sending = packet.map(|packet| packet.bytes);
        (dropped, packet)
    }
}
