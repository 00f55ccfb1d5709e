//! What waits, and which packet goes when.

use std::collections::BTreeMap;
use std::time::Duration;

use rtc::rtp::packet::Packet;
use sim::Time;

use super::Due;
use super::lateness::Lateness;
use super::timeline::Timeline;
use crate::media::assemble::begins_keyframe;
use crate::media::audio::{FRAME_SAMPLES, repeats_the_one_before};

/// Packets that a buffer may hold: 10 s of 800 kbps in packets of 1,000 bytes.
pub(super) const CAPACITY: usize = 1_000;

/// How long a packet of sound lasts.
const SOUND_PACKET: Duration = Duration::from_millis(20);

/// Holds the packets of one stream until they are due: the transit time of the fastest packet, and
/// the depth, after they were captured.
pub struct PlayoutBuffer {
    depth: Depth,
    /// Packets are those of sound and may repeat the one before.
    redundancy: bool,
    timeline: Timeline,
    /// By extended sequence number.
    waiting: BTreeMap<u64, Waiting>,
    last_sequence: u64,
    /// The last one that was let go: what comes later than its successors is not let go at all.
    released: Option<u64>,
}

/// How long packets wait.
enum Depth {
    Fixed(Duration),
    Adaptive(Lateness),
}

struct Waiting {
    packet: Packet,
    /// When it can have come at the earliest.
    earliest: Time,
    due: Time,
}

impl PlayoutBuffer {
    /// A buffer that holds packets of a stream with this RTP clock rate for `depth`.
    pub fn new(clock_rate: u32, depth: Duration) -> Self {
        PlayoutBuffer {
            depth: Depth::Fixed(depth),
            redundancy: false,
            timeline: Timeline::new(clock_rate),
            waiting: BTreeMap::new(),
            last_sequence: 0,
            released: None,
        }
    }

    /// The same buffer, for sound, whose depth follows how late packets are.
    pub fn adaptive(self) -> Self {
        self.following(Lateness::of_sound)
    }

    /// The same buffer, for pictures, whose depth follows how late pictures are, and which waits for
    /// what is missing. Whether it is asked for says how long.
    pub fn patient(self, asks: bool) -> Self {
        self.following(|start| Lateness::of_pictures(start, asks))
    }

    fn following(self, lateness: impl FnOnce(Duration) -> Lateness) -> Self {
        let depth = match self.depth {
            Depth::Fixed(start) => Depth::Adaptive(lateness(start)),
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
        let Some(sequence) = self.extended(packet.header.sequence_number) else {
            return;
        };
        let gone = self.released.is_some_and(|released| sequence <= released);
        let copy = match gone {
            true => !self.was_given_up(sequence),
            false => self.waiting.contains_key(&sequence),
        };
        if copy {
            return;
        }
        let earliest = self.timeline.earliest(packet.header.timestamp, now);
        if let Depth::Adaptive(lateness) = &mut self.depth {
            lateness.came(now, sequence, now - earliest);
        }
        if !gone && self.waiting.len() < CAPACITY {
            let due = earliest;
            let waiting = Waiting {
                packet,
                earliest,
                due,
            };
            self.waiting.insert(sequence, waiting);
            self.set_due(now, sequence);
        }
    }

    /// Says when a packet is due that came at `now`, once it is known what became whole with it.
    fn set_due(&mut self, now: Time, sequence: u64) {
        let depth = match &mut self.depth {
            Depth::Fixed(depth) => *depth,
            Depth::Adaptive(lateness) => {
                lateness.note_whole(now, |sequence| {
                    let waiting = self.waiting.get(&sequence)?;
                    Some((now - waiting.earliest, waiting.packet.header.marker))
                });
                lateness.depth()
            }
        };
        if let Some(waiting) = self.waiting.get_mut(&sequence) {
            waiting.due = waiting.earliest + depth;
        }
    }

    /// When the next packet is let go, or stands in for the one before it; `None` if there is none.
    pub fn next_due(&self) -> Option<Time> {
        let due = self.next().map(|(_, due)| due);
        self.redundant_due().or(due)
    }

    /// The first packet, in place of the one before it, if that has not come and would be due at
    /// `now`.
    pub fn pop_redundant(&mut self, now: Time) -> Option<Due> {
        self.redundant_due().filter(|due| *due <= now)?;
        let (sequence, waiting) = self.waiting.first_key_value()?;
        let (sequence, mut packet) = (*sequence, waiting.packet.clone());
        self.give_up_before(sequence);
        self.released = Some(sequence - 1);
        let header = &mut packet.header;
        header.sequence_number = header.sequence_number.wrapping_sub(1);
        header.timestamp = header.timestamp.wrapping_sub(FRAME_SAMPLES as u32);
        Some(Due {
            redundant: true,
            ..Due::itself(packet)
        })
    }

    /// When the first packet stands in for the one before it, if it does.
    fn redundant_due(&self) -> Option<Time> {
        if !self.redundancy {
            return None;
        }
        let (sequence, waiting) = self.waiting.first_key_value()?;
        let stands_in = self.is_gap(*sequence) && repeats_the_one_before(&waiting.packet.payload);
        let due = waiting.due.as_nanos();
        let due = due.checked_sub(sim::time::nanos(SOUND_PACKET))?;
        stands_in.then_some(Time::from_nanos(due))
    }

    /// The next packet, if it is to be let go at `now`.
    pub fn pop(&mut self, now: Time) -> Option<Due> {
        let (sequence, _) = self.next().filter(|(_, due)| *due <= now)?;
        let gap = self.is_gap(sequence);
        if gap {
            self.give_up_before(sequence);
        }
        self.released = Some(sequence);
        let Waiting { packet, due, .. } = self.waiting.remove(&sequence)?;
        let patient = self.patience().is_some();
        Some(Due {
            held: patient && due < now,
            anew: patient && gap && begins_keyframe(&packet.payload),
            ..Due::itself(packet)
        })
    }

    /// The next packet that is let go, and when. One behind a gap waits for what is missing, until
    /// that is given up, or a keyframe is due that needs nothing of it.
    fn next(&self) -> Option<(u64, Time)> {
        let (&first, waiting) = self.waiting.first_key_value()?;
        let Some(patience) = self.patience().filter(|_| self.is_gap(first)) else {
            return Some((first, waiting.due));
        };
        let given_up = waiting.due.max(waiting.earliest + patience);
        let keyframe = self.whole_keyframe().filter(|(_, due)| *due < given_up);
        Some(keyframe.unwrap_or((first, given_up)))
    }

    /// The first keyframe of which all packets wait, and when the last of them is due.
    fn whole_keyframe(&self) -> Option<(u64, Time)> {
        let keyframes = self.waiting.iter();
        let mut keyframes = keyframes.filter(|(_, first)| begins_keyframe(&first.packet.payload));
        keyframes.find_map(|(&first, _)| {
            let packets = self.waiting.range(first..).zip(first..);
            let mut in_a_row = packets.take_while(|((sequence, _), n)| *sequence == n);
            let last = in_a_row.find(|((_, waiting), _)| waiting.packet.header.marker);
            last.map(|((_, last), _)| (first, last.due))
        })
    }

    /// Whether packets are missing before this one.
    fn is_gap(&self, sequence: u64) -> bool {
        self.released
            .is_some_and(|released| released + 1 < sequence)
    }

    /// Nothing before this packet is let go any more.
    fn give_up_before(&mut self, first: u64) {
        let kept = self.waiting.split_off(&first);
        let skipped = std::mem::replace(&mut self.waiting, kept);
        if let Depth::Adaptive(lateness) = &mut self.depth {
            let from = self.released.map_or(first, |released| released + 1);
            let from = from.max(first.saturating_sub(CAPACITY as u64));
            let missing = (from..first).filter(|sequence| !skipped.contains_key(sequence));
            let waits = |sequence| self.waiting.contains_key(&sequence);
            lateness.give_up(missing, first, waits);
        }
    }

    fn was_given_up(&self, sequence: u64) -> bool {
        match &self.depth {
            Depth::Fixed(_) => false,
            Depth::Adaptive(lateness) => lateness.was_given_up(sequence),
        }
    }

    fn patience(&self) -> Option<Duration> {
        match &self.depth {
            Depth::Fixed(_) => None,
            Depth::Adaptive(lateness) => lateness.patience(),
        }
    }

    /// The sequence number without its wrap (RFC 3550 appendix A.1).
    fn extended(&mut self, sequence: u16) -> Option<u64> {
        if self.timeline.is_empty() {
            // One turn of room for packets from before the first one.
            self.last_sequence = 0x1_0000 + u64::from(sequence);
        }
        let ahead = sequence.wrapping_sub(self.last_sequence as u16) as i16;
        let extended = self.last_sequence.checked_add_signed(i64::from(ahead))?;
        self.last_sequence = self.last_sequence.max(extended);
        Some(extended)
    }
}
