//! A queue whose discipline decides when a packet is taken from it, and its transmitter.

use super::buffer::Buffer;
use super::codel::{Codel, Dequeued, Waiting};
use super::config::Queue;
use super::pipe::{LinkDrop, Verdict};
use crate::ecn::Ecn;

/// What waits for a transmitter and what is in it.
#[derive(Debug)]
pub(super) struct Held {
    queue: Codel,
    /// Whether it marks.
    marks: bool,
    /// Bytes in the transmitter, or that were: it is asked for the next packet when they are sent.
    sending: Option<u32>,
}

impl Held {
    /// What holds packets of this discipline, if it is one that has to.
    pub(super) fn new(queue: Queue) -> Option<Self> {
        let marks = match queue {
            Queue::DropTail => return None,
            Queue::Codel => false,
            Queue::CodelEcn => true,
        };
        Some(Held {
            queue: Codel::default(),
            marks,
            sending: None,
        })
    }

    /// Takes a packet in that enters at `now`, in nanoseconds, if the buffer's limit allows.
    pub(super) fn take(&mut self, now: u64, bytes: u32, ecn: Ecn, limit: &Buffer) -> Verdict {
        if !limit.fits(self.bytes(), bytes) {
            return Verdict::Drop(LinkDrop::BufferFull);
        }
        self.queue.enqueue(Waiting {
            since: now,
            bytes,
            markable: self.marks && ecn.is_capable(),
        });
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

    /// What the transmitter gets at `now`.
    pub(super) fn dequeue(&mut self, now: u64) -> Dequeued {
        let dequeued = self.queue.dequeue(now);
        self.sending = dequeued.packet.map(|packet| packet.bytes);
        dequeued
    }
}
