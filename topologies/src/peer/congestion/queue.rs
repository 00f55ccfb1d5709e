//! What waits in a connection's pacer, of which the stack does not tell.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;
use rtc::shared::marshal::MarshalSize;

use crate::peer::interceptors::passes;

/// Packets that went into a pacer and did not come out yet.
#[derive(Debug, Default)]
pub struct PacerQueue(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    packets: VecDeque<Queued>,
    bits: u64,
}

/// A packet, known by its stream and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Queued {
    ssrc: u32,
    number: u16,
    bits: u64,
}

impl PacerQueue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().expect("no panic while a queue is locked")
    }

    /// How many bits wait.
    pub fn bits(&self) -> u64 {
        self.lock().bits
    }

    fn enter(&self, packet: Queued) {
        let mut waiting = self.lock();
        waiting.bits += packet.bits;
        waiting.packets.push_back(packet);
    }

    /// Packets leave in the order in which they came. What came before one that leaves, and did not
    /// leave before it, was refused by a full pacer.
    fn leave(&self, packet: Queued) {
        let mut waiting = self.lock();
        while let Some(first) = waiting.packets.pop_front() {
            waiting.bits -= first.bits;
            if first == packet {
                return;
            }
        }
    }
}

/// On which side of the pacer packets are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Before it.
    Entrance,
    /// Behind it.
    Exit,
}

/// Notices RTP packets that go out.
pub struct Gate {
    queue: Arc<PacerQueue>,
    side: Side,
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

impl Gate {
    /// On one side of the pacer that has this queue.
    pub fn new(queue: Arc<PacerQueue>, side: Side) -> Self {
        Gate {
            queue,
            side,
            inbound: VecDeque::new(),
            outbound: VecDeque::new(),
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Gate {
    passes!(queues);
    passes!(reads);

    fn handle_write(&mut self, message: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtp(packet) = &message.message.packet {
            let queued = Queued {
                ssrc: packet.header.ssrc,
                number: packet.header.sequence_number,
                bits: 8 * packet.marshal_size() as u64,
            };
            match self.side {
                Side::Entrance => self.queue.enter(queued),
                Side::Exit => self.queue.leave(queued),
            }
        }
        self.outbound.push_back(message);
        Ok(())
    }
}

impl Interceptor for Gate {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(number: u16, bits: u64) -> Queued {
        Queued {
            ssrc: 7,
            number,
            bits,
        }
    }

    #[test]
    fn what_waits_is_what_came_less_what_went() {
        let queue = PacerQueue::default();
        queue.enter(packet(1, 800));
        queue.enter(packet(2, 9_600));
        assert_eq!(queue.bits(), 10_400);
        queue.leave(packet(1, 800));
        assert_eq!(queue.bits(), 9_600);
        queue.leave(packet(2, 9_600));
        assert_eq!(queue.bits(), 0);
    }

    #[test]
    fn what_was_refused_is_forgotten_when_the_next_one_leaves() {
        let queue = PacerQueue::default();
        for number in 1..=3 {
            queue.enter(packet(number, 100));
        }
        queue.leave(packet(1, 100));
        queue.leave(packet(3, 100));
        assert_eq!(queue.bits(), 0);
    }
}
