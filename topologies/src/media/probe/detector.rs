//! Finding words in what a listener hears.

use super::plan;
use crate::media::audio::FRAME_SAMPLES;

/// The signal is reduced to one complex value per carrier and hop: 0.5 ms.
const HOP: usize = 24;
/// Hops of a burst.
const BURST: usize = plan::BURST / HOP;
/// Hops from one position of a word to the next.
const POSITION: usize = plan::POSITION / HOP;
/// Hops from the first position of a word to the last.
const WORD: usize = (plan::POSITIONS - 1) * POSITION;

/// A word's peak is the largest within this many hops to each side: 20 ms.
const RIVALS: usize = 40;
/// The parabola through the peak spans this many hops to each side: 6 ms, wide enough to average
/// noise, narrow enough that the envelope is one.
const ARM: usize = 12;
/// Hops of envelope that are looked at before and after a word's outer bursts.
const BEFORE: usize = plan::SILENT_BEFORE * POSITION;
/// As [`BEFORE`].
const AFTER: usize = plan::SILENT_AFTER * POSITION;
/// Hops of envelope that are kept.
const HISTORY: usize = BEFORE + WORD + AFTER + 1;

const _: () = assert!(RIVALS <= BEFORE && RIVALS <= AFTER && ARM <= RIVALS);

/// Envelope of the outer bursts, relative to what was sent, below which there is no word. Above
/// the 0.47 that the filter gives 10 ms beside a burst, so that a word that was torn apart by 20 ms
/// does not fit in the middle.
const FAINTEST: f32 = 0.6;
/// Relative to the outer bursts: a position above the first holds a burst, below the second none,
/// and between them the word is unreadable.
const PRESENT: f32 = 0.6;
const ABSENT: f32 = 0.35;

/// A word of a sender, heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Whose word it is.
    pub sender: u16,
    /// Which word, modulo 14.
    pub number: u8,
    /// When its first burst began to be heard, in samples of the render timeline.
    pub at: u64,
}

impl Detection {
    /// From capture to rendering, in samples, if both timelines count from the same instant:
    /// between -24,000 (-0.5 s) and 312,000 (6.5 s), after which numbers repeat.
    pub fn latency(&self) -> i64 {
        let span = (plan::NUMBERS * plan::PERIOD) as i64;
        let first = plan::offset(self.sender) + u64::from(self.number) * plan::PERIOD;
        let period = plan::PERIOD as i64;
        (self.at as i64 - first as i64 + period).rem_euclid(span) - period
    }
}

/// Listens for the words of some senders.
#[derive(Clone, Debug)]
pub struct ProbeDetector {
    channels: Vec<Channel>,
    sine: Vec<f32>,
    window: Vec<f32>,
    /// Render time of the first sample since the last interruption.
    start: u64,
    /// Render time of the next block.
    next: u64,
}

impl ProbeDetector {
    /// A detector for the words of `senders`; all but the first of those that share a carrier
    /// ([`super::SENDERS`] apart) are indistinguishable.
    pub fn new(senders: &[u16]) -> Self {
        let window = (0..BURST)
            .map(|hop| plan::envelope((hop * HOP) as f64 + (HOP - 1) as f64 / 2.0) as f32)
            .collect();
        ProbeDetector {
            channels: senders.iter().map(|&sender| Channel::new(sender)).collect(),
            sine: plan::sine()
                .into_iter()
                .map(|s| f32::from(s) / 32_767.0)
                .collect(),
            window,
            start: 0,
            next: 0,
        }
    }

    /// Takes the 20 ms rendered from sample `at` of the render timeline on, and returns the words
    /// that they reveal: a word is certain one position after its end, 375 ms after its beginning. Blocks
    /// are expected one after the other; after a gap or a step back the detector begins anew.
    pub fn push(&mut self, at: u64, block: &[i16; FRAME_SAMPLES]) -> Vec<Detection> {
        if at != self.next {
            self.start = at;
            self.channels.iter_mut().for_each(Channel::reset);
        }
        self.next = at + FRAME_SAMPLES as u64;
        let mut found = Vec::new();
        for channel in &mut self.channels {
            for (hop, samples) in block.chunks_exact(HOP).enumerate() {
                channel.hear(samples, hop * HOP, &self.sine, &self.window);
                found.extend(channel.word(self.start));
            }
        }
        found.sort_by_key(|detection| detection.at);
        found
    }
}

/// One carrier.
#[derive(Clone, Debug)]
struct Channel {
    sender: u16,
    /// The signal at the carrier, the last [`BURST`] hops, as a ring.
    baseband: [(f32, f32); BURST],
    /// The output of the matched filter, relative to a burst as sent, the last [`HISTORY`] hops,
    /// as a ring.
    envelope: [f32; HISTORY],
    /// Hops heard, counted as if [`HISTORY`] silent ones had come before.
    hops: u64,
}

impl Channel {
    fn new(sender: u16) -> Self {
        Channel {
            sender,
            baseband: [(0.0, 0.0); BURST],
            envelope: [0.0; HISTORY],
            hops: HISTORY as u64,
        }
    }

    fn reset(&mut self) {
        *self = Channel::new(self.sender);
    }

    /// Takes one hop of samples; `phase` is the position of the first in the carriers' cycle.
    fn hear(&mut self, samples: &[i16], phase: usize, sine: &[f32], window: &[f32]) {
        let step = plan::carrier(self.sender);
        let (mut re, mut im) = (0.0, 0.0);
        let mut angle = phase * step % plan::CYCLE;
        for &sample in samples {
            re += f32::from(sample) * sine[(angle + plan::CYCLE / 4) % plan::CYCLE];
            im += f32::from(sample) * sine[angle];
            angle = (angle + step) % plan::CYCLE;
        }
        let newest = (self.hops % BURST as u64) as usize;
        self.baseband[newest] = (re, im);
        let slot = (self.hops % HISTORY as u64) as usize;
        self.envelope[slot] = self.matched(newest, window);
        self.hops += 1;
    }

    /// The matched filter over the last burst's length, 1 for a burst as sent.
    fn matched(&self, newest: usize, window: &[f32]) -> f32 {
        // Oldest first: the ring from behind the newest on.
        let (young, old) = self.baseband.split_at(newest + 1);
        let (mut re, mut im) = (0.0, 0.0);
        for (value, weight) in old.iter().chain(young).zip(window) {
            re += value.0 * weight;
            im += value.1 * weight;
        }
        // A burst of amplitude A leaves A/2 times the sum of its squared window, 3/8 of its length.
        const SENT: f32 = plan::AMPLITUDE as f32 / 2.0 * 0.375 * plan::BURST as f32;
        (re * re + im * im).sqrt() / SENT
    }

    /// The word whose first burst filled the matched filter `WORD + AFTER` hops ago.
    fn word(&self, start: u64) -> Option<Detection> {
        let peak = self.hops - 1 - (WORD + AFTER) as u64;
        let outer = [self.at(peak, 0), self.at(peak, WORD as i64)];
        if outer[0].min(outer[1]) < FAINTEST || !self.is_peak(peak) {
            return None;
        }
        let level = (outer[0] + outer[1]) / 2.0;
        let bursts = self.bursts(peak, level)?;
        let number = plan::number(bursts)?;
        let heard_from =
            (peak + 1) as f64 + f64::from(self.vertex(peak, bursts)) - (BURST + HISTORY) as f64;
        let at = start + (heard_from * HOP as f64).round() as u64;
        Some(Detection {
            sender: self.sender,
            number,
            at,
        })
    }

    /// The envelope `offset` hops after `hop`.
    fn at(&self, hop: u64, offset: i64) -> f32 {
        let hop = hop.strict_add_signed(offset);
        self.envelope[(hop % HISTORY as u64) as usize]
    }

    /// Whether the outer bursts of a word fit at `hop` better than anywhere near.
    fn is_peak(&self, hop: u64) -> bool {
        let score = |offset| self.at(hop, offset) + self.at(hop, offset + WORD as i64);
        let here = score(0);
        let rivals = 1..=RIVALS as i64;
        // Of equals the first one wins.
        rivals.clone().all(|i| score(-i) < here) && rivals.clone().all(|i| score(i) <= here)
    }

    /// Which positions of the word at `hop` hold a burst; `None` if that is unclear or there is no
    /// silence around the word.
    fn bursts(&self, hop: u64, level: f32) -> Option<[bool; plan::POSITIONS]> {
        let clear = |position: isize| {
            let relative = self.at(hop, (position * POSITION as isize) as i64) / level;
            (!(ABSENT..=PRESENT).contains(&relative)).then_some(relative > PRESENT)
        };
        let before = -(plan::SILENT_BEFORE as isize)..0;
        let after = (plan::POSITIONS..plan::POSITIONS + plan::SILENT_AFTER).map(|p| p as isize);
        for position in before.chain(after) {
            if clear(position)? {
                return None;
            }
        }
        let mut bursts = [false; plan::POSITIONS];
        for (position, burst) in bursts.iter_mut().enumerate() {
            *burst = clear(position as isize)?;
        }
        Some(bursts)
    }

    /// Where the sum of all bursts of a word peaks, in hops from `hop`: the vertex of a parabola.
    fn vertex(&self, hop: u64, bursts: [bool; plan::POSITIONS]) -> f32 {
        let sum = |offset: i64| -> f32 {
            let positions = bursts.iter().enumerate().filter(|(_, burst)| **burst);
            positions
                .map(|(i, _)| self.at(hop, (i * POSITION) as i64 + offset))
                .sum()
        };
        let (before, here, after) = (sum(-(ARM as i64)), sum(0), sum(ARM as i64));
        let bend = before - 2.0 * here + after;
        if bend < 0.0 {
            ARM as f32 * (before - after) / (2.0 * bend)
        } else {
            0.0
        }
    }
}
