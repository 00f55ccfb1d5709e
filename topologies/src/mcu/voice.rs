//! The sound of one sender on its way into the mix.

use crate::media::audio::FRAME_SAMPLES;
use crate::media::{AudioDecoder, AudioError, Backlog, SoundPacket};

/// Ticks for which a decoder fills in for packets that do not come: 100 ms, after which Opus has
/// faded out anyway.
const CONCEALED: u32 = 5;

/// A sender's packets, decoded at the tick.
pub struct Voice {
    packets: Backlog<SoundPacket>,
    decoder: AudioDecoder,
    /// Ticks without a packet since the last one.
    missing: u32,
    /// Whether the decoder fills in at all.
    conceals: bool,
}

/// 20 ms of a voice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// The sound.
    pub samples: [i16; FRAME_SAMPLES],
    /// The RTP timestamp of the packet that it came in; `None` if nothing had come.
    pub timestamp: Option<u32>,
}

impl Voice {
    /// A sender of whom nothing has come; what is missing will be filled in, or silent.
    ///
    /// # Errors
    ///
    /// If Opus cannot be set up.
    pub fn new(conceals: bool) -> Result<Self, AudioError> {
        Ok(Voice {
            packets: Backlog::default(),
            decoder: AudioDecoder::new()?,
            missing: CONCEALED,
            conceals,
        })
    }

    /// Adds a packet. Up to five wait; beyond that the oldest are dropped.
    pub fn push(&mut self, packet: SoundPacket) {
        self.packets.push(packet);
    }

    /// The 20 ms of this tick: decoded, concealed for up to 100 ms where nothing has come, and then
    /// `None`, silence, until something comes.
    ///
    /// # Errors
    ///
    /// If the packet of this tick is damaged; the one after it may be good.
    pub fn take(&mut self) -> Result<Option<Spoken>, AudioError> {
        let (samples, timestamp) = match self.packets.take() {
            Some(packet) => {
                self.missing = 0;
                (self.decoder.play(&packet)?, Some(packet.timestamp))
            }
            None if self.missing == CONCEALED => return Ok(None),
            None => {
                self.missing += 1;
                let samples = match self.conceals {
                    true => self.decoder.conceal()?,
                    false => [0; FRAME_SAMPLES],
                };
                (samples, None)
            }
        };
        Ok(Some(Spoken { samples, timestamp }))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
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

    fn packet((timestamp, payload): &(u32, Bytes)) -> SoundPacket {
        SoundPacket::new(*timestamp, payload.clone())
    }

    #[test]
    fn silence_comes_before_the_first_packet_and_after_a_while_without() {
        let mut voice = Voice::new(true).unwrap();
        assert!(voice.take().unwrap().is_none());
        let packets = packets(2);
        voice.push(packet(&packets[0]));
        // One packet and 5 ticks (CONCEALED) of filling in.
        let sounds =
            |voice: &mut Voice| (0..10).filter(|_| voice.take().unwrap().is_some()).count();
        assert_eq!(sounds(&mut voice), 1 + 5);
        voice.push(packet(&packets[1]));
        assert_eq!(sounds(&mut voice), 1 + 5);
    }

    #[test]
    fn jitter_within_the_queue_loses_nothing() {
        // Of every four packets, one comes in time, then none, then three at once: from the first
        // gap on one or more wait, and every tick after it plays what a decoder without jitter
        // gives, two ticks later.
        let packets = packets(40);
        let mut decoder = AudioDecoder::new().unwrap();
        let mut voice = Voice::new(true).unwrap();
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
                .for_each(|each| voice.push(packet(&each)));
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
        let mut voice = Voice::new(true).unwrap();
        voice.push(packet(&(0, Bytes::from_static(&[0x03]))));
        voice.push(packet(&(1, packets(1).remove(0).1)));
        assert!(voice.take().is_err());
        assert!(voice.take().unwrap().is_some());
    }

    #[test]
    fn without_concealment_what_is_missing_is_silent_for_as_long() {
        let mut voice = Voice::new(false).unwrap();
        let packets = packets(60);
        packets[..50].iter().for_each(|each| {
            voice.push(packet(each));
            voice.take().unwrap();
        });
        let mut missing = || voice.take().unwrap().map(|spoken| spoken.samples);
        // As many ticks as with concealment (CONCEALED), so that both count the same.
        (0..5).for_each(|_| assert_eq!(missing(), Some([0; FRAME_SAMPLES])));
        assert_eq!(missing(), None);
    }
}
