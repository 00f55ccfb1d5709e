//! A playout buffer of fixed depth: absorbs jitter, restores order, waits for repairs.
//!
//! The stack has a jitter buffer too ([`super::interceptors::JitterBuffer`]). It measures how far
//! a timestamp is from the first one of the stream and takes more than 10 s for a restart, so once
//! in 10 s of any stream it forgets what it holds: three frames lost, a keyframe asked for, a
//! quarter of a second frozen. This buffer compares a packet with the one before it.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use rtc::interceptor::{Interceptor, Packet, StreamInfo, TaggedPacket};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;

/// Packets that one stream may hold: 10 s of 800 kbps in packets of 1,000 bytes.
const CAPACITY: usize = 1_000;

/// A packet this far from where its timestamp belongs starts the timeline anew: the sender's clock
/// has jumped.
const RESTART: Duration = Duration::from_secs(10);

/// Holds the packets of streams with one RTP clock rate until they are due: the transit time of
/// the fastest packet, and the depth, after they were captured.
pub struct PlayoutBuffer {
    clock_rate: u32,
    depth: Duration,
    streams: BTreeMap<u32, Stream>,
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

/// One SSRC.
#[derive(Default)]
struct Stream {
    timeline: Option<Timeline>,
    /// By extended sequence number.
    waiting: BTreeMap<u64, (Instant, TaggedPacket)>,
    last_sequence: u64,
    /// The last one that was let go: what comes later than its successors is not let go at all.
    released: Option<u64>,
}

/// A timestamp and the earliest instant that a packet with it can have arrived.
#[derive(Clone, Copy)]
struct Timeline {
    timestamp: u32,
    arrival: Instant,
}

impl PlayoutBuffer {
    /// A buffer that holds packets of streams with this RTP clock rate for `depth`.
    pub fn new(clock_rate: u32, depth: Duration) -> Self {
        PlayoutBuffer {
            clock_rate,
            depth,
            streams: BTreeMap::new(),
            inbound: VecDeque::new(),
            outbound: VecDeque::new(),
        }
    }

    fn release(&mut self, now: Instant) {
        for stream in self.streams.values_mut() {
            while let Some(entry) = stream.waiting.first_entry() {
                if entry.get().0 > now {
                    break;
                }
                stream.released = Some(*entry.key());
                let (_, mut packet) = entry.remove();
                // What follows must not take the time in here for the network's.
                packet.now = now;
                self.inbound.push_back(packet);
            }
        }
    }
}

impl Stream {
    /// The sequence number without its wrap (RFC 3550 appendix A.1), and whether it is new.
    fn sequence(&mut self, sequence: u16) -> Option<u64> {
        if self.timeline.is_none() {
            // One turn of room for packets from before the first one.
            self.last_sequence = 0x1_0000 + u64::from(sequence);
        }
        let ahead = sequence.wrapping_sub(self.last_sequence as u16) as i16;
        let extended = self.last_sequence.checked_add_signed(i64::from(ahead))?;
        self.last_sequence = self.last_sequence.max(extended);
        let late = self.released.is_some_and(|released| extended <= released);
        (!late && !self.waiting.contains_key(&extended)).then_some(extended)
    }

    /// The earliest arrival that a packet with this timestamp can have had.
    fn earliest(&mut self, timestamp: u32, arrival: Instant, clock_rate: u32) -> Instant {
        let start = Timeline { timestamp, arrival };
        let Some(timeline) = self.timeline else {
            self.timeline = Some(start);
            return arrival;
        };
        let ticks = timestamp.wrapping_sub(timeline.timestamp) as i32;
        let offset = Duration::from_nanos(
            u64::from(ticks.unsigned_abs()) * 1_000_000_000 / u64::from(clock_rate),
        );
        let earliest = match ticks >= 0 {
            true => Some(timeline.arrival + offset),
            false => timeline.arrival.checked_sub(offset),
        };
        let earliest = earliest.filter(|earliest| {
            // Faster than all before it, or from another timeline.
            *earliest <= arrival && arrival - *earliest < RESTART
        });
        // Moving along keeps the differences of timestamps small.
        let earliest = earliest.unwrap_or(arrival);
        if ticks >= 0 {
            self.timeline = Some(Timeline {
                timestamp,
                arrival: earliest,
            });
        }
        earliest
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for PlayoutBuffer {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        let Packet::Rtp(packet) = &message.message.packet else {
            self.inbound.push_back(message);
            return Ok(());
        };
        let Some(stream) = self.streams.get_mut(&packet.header.ssrc) else {
            self.inbound.push_back(message);
            return Ok(());
        };
        let (timestamp, now) = (packet.header.timestamp, message.now);
        let Some(sequence) = stream.sequence(packet.header.sequence_number) else {
            return Ok(());
        };
        let due = stream.earliest(timestamp, now, self.clock_rate) + self.depth;
        if stream.waiting.len() < CAPACITY {
            stream.waiting.insert(sequence, (due, message));
        }
        self.release(now);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.inbound.pop_front()
    }

    fn handle_write(&mut self, message: TaggedPacket) -> Result<(), Error> {
        self.outbound.push_back(message);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outbound.pop_front()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        self.release(now);
        Ok(())
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        let first = |stream: &Stream| stream.waiting.values().next().map(|(due, _)| *due);
        self.streams.values().filter_map(first).min()
    }
}

impl Interceptor for PlayoutBuffer {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}

    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        if info.clock_rate == self.clock_rate {
            self.streams.entry(info.ssrc).or_default();
        }
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        self.streams.remove(&info.ssrc);
    }
}

#[cfg(test)]
mod tests;
