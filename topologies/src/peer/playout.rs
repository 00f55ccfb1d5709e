//! A playout buffer: absorbs jitter, restores order, waits for repairs.
//!
//! The stack has a jitter buffer too ([`super::interceptors::JitterBuffer`]), with two defects. It
//! measures how far a timestamp is from the first one of the stream and takes more than 10 s for a
//! restart, so once in 10 s of any stream it forgets what it holds: three frames lost, a keyframe
//! asked for, a quarter of a second frozen. This buffer compares a packet with the one before it.
//! And what any interceptor lets go on a timer, the stack's driver hands out with the next packet
//! that happens to arrive, milliseconds later. This buffer therefore sits behind the stack, in
//! front of the decoder.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rtc::rtp::packet::Packet;
use sim::Time;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

use super::environment::{Environment, sleep_until_some};
use crate::media::audio::{FRAME_SAMPLES, repeats_the_one_before};
use depth::Adaptive;

pub mod depth;

/// Packets that a buffer may hold: 10 s of 800 kbps in packets of 1,000 bytes.
const CAPACITY: usize = 1_000;

/// A packet this far from where its timestamp belongs starts the timeline anew: the sender's clock
/// has jumped.
const RESTART: Duration = Duration::from_secs(10);

/// How long a packet of sound lasts.
const SOUND: Duration = Duration::from_millis(20);

/// A packet that is due.
#[derive(Clone, Debug)]
pub struct Due {
    /// The packet.
    pub packet: Packet,
    /// It stands in for the one before it, which did not come, and has its timestamp.
    pub redundant: bool,
}

/// The packets of a track, when they are due.
pub struct Playout {
    environment: Arc<dyn Environment>,
    track: Arc<dyn TrackRemote>,
    buffer: Option<PlayoutBuffer>,
}

impl Playout {
    /// Packets come out of `buffer`; without one, as the stack hands them out.
    pub fn new(
        environment: Arc<dyn Environment>,
        track: Arc<dyn TrackRemote>,
        buffer: Option<PlayoutBuffer>,
    ) -> Self {
        Playout {
            environment,
            track,
            buffer,
        }
    }

    /// The next packet; `None` when the track has ended.
    pub async fn next(&mut self) -> Option<Due> {
        loop {
            let Some(buffer) = &mut self.buffer else {
                match self.track.poll().await? {
                    TrackRemoteEvent::OnRtpPacket(packet) => return Some(Due::itself(packet)),
                    _ => continue,
                }
            };
            let now = self.environment.now();
            let redundant = buffer.pop_redundant(now);
            if let Some(due) = redundant.or_else(|| buffer.pop(now).map(Due::itself)) {
                return Some(due);
            }
            let wait = sleep_until_some(self.environment.as_ref(), buffer.next_due());
            tokio::select! {
                biased;
                event = self.track.poll() => if let TrackRemoteEvent::OnRtpPacket(packet) = event? {
                    buffer.push(self.environment.now(), packet);
                },
                () = wait => {}
            }
        }
    }
}

impl Due {
    fn itself(packet: Packet) -> Self {
        Due {
            packet,
            redundant: false,
        }
    }
}

/// Holds the packets of one stream until they are due: the transit time of the fastest packet, and
/// the depth, after they were captured.
pub struct PlayoutBuffer {
    clock_rate: u32,
    depth: Depth,
    /// Packets are those of sound and may repeat the one before.
    redundancy: bool,
    timeline: Option<Timeline>,
    /// With the instant at which each is due, by extended sequence number.
    waiting: BTreeMap<u64, (Time, Packet)>,
    last_sequence: u64,
    /// The last one that was let go: what comes later than its successors is not let go at all.
    released: Option<u64>,
}

/// How long packets wait.
enum Depth {
    Fixed(Duration),
    Adaptive(Adaptive),
}

impl Depth {
    /// For a packet that came at `now`, so long after the earliest time.
    fn of(&mut self, now: Time, late: Duration) -> Duration {
        match self {
            Depth::Fixed(depth) => *depth,
            Depth::Adaptive(adaptive) => adaptive.note(now, late),
        }
    }
}

/// A timestamp and the earliest instant that a packet with it can have arrived.
#[derive(Clone, Copy)]
struct Timeline {
    timestamp: u32,
    arrival: Time,
}

impl PlayoutBuffer {
    /// A buffer that holds packets of a stream with this RTP clock rate for `depth`.
    pub fn new(clock_rate: u32, depth: Duration) -> Self {
        PlayoutBuffer {
            clock_rate,
            depth: Depth::Fixed(depth),
            redundancy: false,
            timeline: None,
            waiting: BTreeMap::new(),
            last_sequence: 0,
            released: None,
        }
    }

    /// The same buffer, whose depth follows how late packets are.
    pub fn adaptive(self) -> Self {
        let depth = match self.depth {
            Depth::Fixed(start) => Depth::Adaptive(Adaptive::new(start)),
            adaptive => adaptive,
        };
        PlayoutBuffer { depth, ..self }
    }

    /// The same buffer, for sound with in-band FEC.
    pub fn redundant(self) -> Self {
        PlayoutBuffer {
            redundancy: true,
            ..self
        }
    }

    /// Takes a packet that arrived at `now`.
    pub fn push(&mut self, now: Time, packet: Packet) {
        let Some(sequence) = self.sequence(packet.header.sequence_number) else {
            return;
        };
        let earliest = self.earliest(packet.header.timestamp, now);
        let due = earliest + self.depth.of(now, now - earliest);
        if self.waiting.len() < CAPACITY {
            self.waiting.insert(sequence, (due, packet));
        }
    }

    /// When the first packet is due, or stands in for the one before it; `None` if there is none.
    pub fn next_due(&self) -> Option<Time> {
        let due = self.waiting.values().next().map(|(due, _)| *due);
        self.redundant_due().or(due)
    }

    /// The first packet, in place of the one before it, if that has not come and would be due at
    /// `now`.
    pub fn pop_redundant(&mut self, now: Time) -> Option<Due> {
        self.redundant_due().filter(|due| *due <= now)?;
        let (sequence, (_, packet)) = self.waiting.first_key_value()?;
        self.released = Some(sequence - 1);
        let mut packet = packet.clone();
        let header = &mut packet.header;
        header.sequence_number = header.sequence_number.wrapping_sub(1);
        header.timestamp = header.timestamp.wrapping_sub(FRAME_SAMPLES as u32);
        let redundant = true;
        Some(Due { packet, redundant })
    }

    /// When the first packet stands in for the one before it, if it does.
    fn redundant_due(&self) -> Option<Time> {
        let (sequence, (due, packet)) = self.waiting.first_key_value()?;
        let gap = self
            .released
            .is_some_and(|released| released + 1 < *sequence);
        let stands_in = self.redundancy && gap && repeats_the_one_before(&packet.payload);
        let due = due.as_nanos().checked_sub(sim::time::nanos(SOUND))?;
        stands_in.then_some(Time::from_nanos(due))
    }

    /// The first packet, if it is due at `now`.
    pub fn pop(&mut self, now: Time) -> Option<Packet> {
        let entry = self.waiting.first_entry()?;
        if entry.get().0 > now {
            return None;
        }
        self.released = Some(*entry.key());
        Some(entry.remove().1)
    }

    /// The sequence number without its wrap (RFC 3550 appendix A.1), if it is new.
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
    fn earliest(&mut self, timestamp: u32, arrival: Time) -> Time {
        let start = Timeline { timestamp, arrival };
        let Some(timeline) = self.timeline else {
            self.timeline = Some(start);
            return arrival;
        };
        let ticks = i64::from(timestamp.wrapping_sub(timeline.timestamp) as i32);
        let offset = ticks * 1_000_000_000 / i64::from(self.clock_rate);
        let nanos = timeline.arrival.as_nanos().checked_add_signed(offset);
        let earliest = nanos.map(Time::from_nanos).filter(|earliest| {
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

#[cfg(test)]
mod tests;
