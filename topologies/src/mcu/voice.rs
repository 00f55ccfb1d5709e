//! The sound of one sender on its way into the mix.

use bytes::Bytes;

use crate::media::audio::FRAME_SAMPLES;
use crate::media::{AudioDecoder, AudioError, Backlog};

/// Ticks for which a decoder fills in for packets that do not come: 100 ms, after which Opus has
/// faded out anyway.
const CONCEALED: u32 = 5;

/// A sender's packets, decoded at the tick.
pub struct Voice {
    packets: Backlog<Bytes>,
    decoder: AudioDecoder,
    /// Ticks without a packet since the last one.
    missing: u32,
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

    /// Adds an Opus packet of 20 ms. Up to five wait; beyond that the oldest are dropped.
    pub fn push(&mut self, packet: Bytes) {
        self.packets.push(packet);
    }

    /// The 20 ms of this tick: decoded, concealed for up to 100 ms where nothing has come, and then
    /// `None`, silence, until something comes.
    ///
    /// # Errors
    ///
    /// If the packet of this tick is damaged; the one after it may be good.
    pub fn take(&mut self) -> Result<Option<[i16; FRAME_SAMPLES]>, AudioError> {
        if let Some(packet) = self.packets.take() {
            self.missing = 0;
            return self.decoder.decode(&packet).map(Some);
        }
        if self.missing == CONCEALED {
            return Ok(None);
        }
        self.missing += 1;
        self.decoder.conceal().map(Some)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::media::{AudioEncoder, ProbeSource};

    fn packets(count: u32) -> Vec<Bytes> {
        let source = ProbeSource::new(0, &mut ChaCha8Rng::seed_from_u64(1));
        let mut encoder = AudioEncoder::new(32_000).unwrap();
        (0..count)
            .map(|n| encoder.encode(&source.frame(n)).unwrap())
            .collect()
    }

    #[test]
    fn silence_comes_before_the_first_packet_and_after_a_while_without() {
        let mut voice = Voice::new().unwrap();
        assert!(voice.take().unwrap().is_none());
        let packets = packets(2);
        voice.push(packets[0].clone());
        // One packet and 5 ticks (CONCEALED) of filling in.
        let sounds =
            |voice: &mut Voice| (0..10).filter(|_| voice.take().unwrap().is_some()).count();
        assert_eq!(sounds(&mut voice), 1 + 5);
        voice.push(packets[1].clone());
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
                .for_each(|packet| voice.push(packet));
            played.push(voice.take().unwrap());
        }
        straight.push(Some(decoder.decode(&packets[0]).unwrap()));
        for _ in 0..2 {
            straight.push(Some(decoder.conceal().unwrap()));
        }
        for packet in &packets[1..38] {
            straight.push(Some(decoder.decode(packet).unwrap()));
        }
        let matching = played.iter().zip(&straight).take_while(|(a, b)| a == b);
        // The backlog looks for what nobody needs at its 25th tick: everything was needed.
        assert_eq!(matching.count(), 40);
    }

    #[test]
    fn a_damaged_packet_does_not_end_the_voice() {
        let mut voice = Voice::new().unwrap();
        voice.push(Bytes::from_static(&[0x03]));
        voice.push(packets(1).remove(0));
        assert!(voice.take().is_err());
        assert!(voice.take().unwrap().is_some());
    }
}
