//! The sound of one sender on its way into the mix.

use bytes::Bytes;

use crate::media::audio::FRAME_SAMPLES;
use crate::media::{AudioDecoder, AudioError, Backlog};

/// Ticks for which a decoder fills in for packets that do not come: 100 ms, after which Opus has
/// faded out anyway.
const CONCEALED: u32 = 5;

/// A sender's packets, decoded at the tick.
pub struct Voice {
    packets: Backlog<(u32, Bytes)>,
    decoder: AudioDecoder,
    /// Ticks without a packet since the last one.
    missing: u32,
}

/// 20 ms of a voice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// The sound.
    pub samples: [i16; FRAME_SAMPLES],
    /// The RTP timestamp of the packet that it came in; `None` if the decoder filled in.
    pub timestamp: Option<u32>,
}

impl Voice {
    /// A sender of whom nothing has come.
    ///
    /// # Errors
    ///
    /// If Opus cannot be set up.
    pub fn new() -> Result<Self, AudioError> {
        Ok(Voice {
            packets: Backlog::default(),
            decoder: AudioDecoder::new()?,
            missing: CONCEALED,
        })
    }

    /// Adds an Opus packet of 20 ms, with its RTP timestamp. Up to five wait; beyond that the oldest
    /// are dropped.
    pub fn push(&mut self, timestamp: u32, packet: Bytes) {
        self.packets.push((timestamp, packet));
    }

    /// The 20 ms of this tick: decoded, concealed for up to 100 ms where nothing has come, and then
    /// `None`, silence, until something comes.
    ///
    /// # Errors
    ///
    /// If the packet of this tick is damaged; the one after it may be good.
    pub fn take(&mut self) -> Result<Option<Spoken>, AudioError> {
        let (samples, timestamp) = match self.packets.take() {
            Some((timestamp, packet)) => {
                self.missing = 0;
                (self.decoder.decode(&packet)?, Some(timestamp))
            }
            None if self.missing == CONCEALED => return Ok(None),
            None => {
                self.missing += 1;
                (self.decoder.conceal()?, None)
            }
        };
        Ok(Some(Spoken { samples, timestamp }))
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::media::{AudioEncoder, ProbeSource};

    /// Packets with their numbers as timestamps.
    fn packets(count: u32) -> Vec<(u32, Bytes)> {
        let source = ProbeSource::new(0, &mut ChaCha8Rng::seed_from_u64(1));
        let mut encoder = AudioEncoder::new(32_000).unwrap();
        (0..count)
            .map(|n| (n, encoder.encode(&source.frame(n)).unwrap()))
            .collect()
    }

    #[test]
    fn silence_comes_before_the_first_packet_and_after_a_while_without() {
        let mut voice = Voice::new().unwrap();
        assert!(voice.take().unwrap().is_none());
        let packets = packets(2);
        voice.push(0, packets[0].1.clone());
        // One packet and 5 ticks (CONCEALED) of filling in.
        let sounds =
            |voice: &mut Voice| (0..10).filter(|_| voice.take().unwrap().is_some()).count();
        assert_eq!(sounds(&mut voice), 1 + 5);
        voice.push(1, packets[1].1.clone());
        assert_eq!(sounds(&mut voice), 1 + 5);
    }

    #[test]
    fn jitter_within_the_queue_loses_nothing() {
        // Of every four packets, one comes in time, then none, then three at once: from the first
        // gap on one or more wait, and every tick after it plays what a decoder without jitter
        // gives, two ticks later.
        let packets = packets(40);
        let mut decoder = AudioDecoder::new().unwrap();
        let mut voice = Voice::new().unwrap();
        let mut waiting = packets.iter().cloned();
        let (mut played, mut straight) = (Vec::new(), Vec::new());
        for tick in 0..40 {
            let due = match tick {
                0 => 1,
                1 | 2 => 0,
                3 => 3,
                tick => [1, 0, 0, 3][tick % 4],
            };
            waiting
                .by_ref()
                .take(due)
                .for_each(|(n, packet)| voice.push(n, packet));
            played.push(voice.take().unwrap());
        }
        let mut speak = |packet: Option<&(u32, Bytes)>| {
            let samples = match packet {
                Some((_, packet)) => decoder.decode(packet).unwrap(),
                None => decoder.conceal().unwrap(),
            };
            let timestamp = packet.map(|(timestamp, _)| *timestamp);
            straight.push(Some(Spoken { samples, timestamp }));
        };
        speak(packets.first());
        (0..2).for_each(|_| speak(None));
        packets[1..38].iter().for_each(|packet| speak(Some(packet)));
        let matching = played.iter().zip(&straight).take_while(|(a, b)| a == b);
        // The backlog looks for what nobody needs at its 25th tick: everything was needed.
        assert_eq!(matching.count(), 40);
    }

    #[test]
    fn a_damaged_packet_does_not_end_the_voice() {
        let mut voice = Voice::new().unwrap();
        voice.push(0, Bytes::from_static(&[0x03]));
        voice.push(1, packets(1).remove(0).1);
        assert!(voice.take().is_err());
        assert!(voice.take().unwrap().is_some());
    }
}
