//! All mixed sounds of a tick, encoded.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use scenarios::RepairPlan;

use super::audience::Audience;
use super::mixer::Mixer;
use super::voice::{Spoken, Voice};
use crate::media::audio::FRAME_SAMPLES;
use crate::media::{AudioEncoder, AudioError, SoundPacket};
use crate::observe::shown::{Mix, Part};

/// Decodes, mixes and encodes sound. It owns what it works on, so that the work can be done anywhere.
pub struct Desk {
    bitrate_bps: u32,
    repair: RepairPlan,
    voices: BTreeMap<u16, Voice>,
    mixer: Mixer,
    encoders: BTreeMap<Audience, AudioEncoder>,
    /// What encoders were told to aim at.
    targets: BTreeMap<Audience, u32>,
}

/// 20 ms for an audience.
pub struct Mixed {
    /// Whom it is for.
    pub audience: Audience,
    /// An Opus packet.
    pub payload: Bytes,
    /// What is in it.
    pub mix: Arc<Mix>,
}

/// The same, before it is encoded.
pub struct Blend {
    audience: Audience,
    samples: [i16; FRAME_SAMPLES],
    mix: Arc<Mix>,
}

/// What the senders said in one tick.
pub type Sounds = BTreeMap<u16, Spoken>;

impl Desk {
    /// A desk without voices or audiences, with encoders of this target, bits per second, and
    /// what is done about losses.
    pub fn new(bitrate_bps: u32, repair: RepairPlan) -> Self {
        Desk {
            bitrate_bps,
            repair,
            voices: BTreeMap::new(),
            mixer: Mixer::default(),
            encoders: BTreeMap::new(),
            targets: BTreeMap::new(),
        }
    }

    /// Adds a packet of `participant`.
    ///
    /// # Errors
    ///
    /// If it is their first one and a decoder does not start.
    pub fn push(&mut self, participant: u16, packet: SoundPacket) -> Result<(), AudioError> {
        let voice = match self.voices.entry(participant) {
            Entry::Occupied(voice) => voice.into_mut(),
            Entry::Vacant(place) => place.insert(Voice::new(self.repair.concealment)?),
        };
        voice.push(packet);
        Ok(())
    }

    /// Forgets a participant who has left.
    pub fn remove(&mut self, participant: u16) {
        self.voices.remove(&participant);
    }

    /// What everybody says in the next 20 ms; who says nothing is not in it.
    pub fn listen(&mut self) -> Sounds {
        let voices = self.voices.iter_mut();
        let spoken = |(participant, voice): (&u16, &mut Voice)| match voice.take() {
            Ok(spoken) => Some((*participant, spoken?)),
            Err(error) => {
                log::warn!("sound of {participant}: {error}");
                None
            }
        };
        voices.filter_map(spoken).collect()
    }

    /// How many voices there are, each with a decoder.
    pub fn voices(&self) -> usize {
        self.voices.len()
    }

    /// Mixes `sounds` for each audience. Encoders of audiences that are not among them end.
    pub fn mix(&mut self, sounds: &Sounds, audiences: &BTreeSet<Audience>) -> Vec<Blend> {
        self.forget_all_but(audiences);
        let samples = sounds.iter().map(|(who, spoken)| (*who, spoken.samples));
        let listeners: Vec<Audience> = audiences.iter().copied().collect();
        let mixes = self.mixer.mix(&samples.collect(), &listeners);
        let blend = |(audience, samples)| Blend {
            audience,
            samples,
            mix: Arc::new(parts(audience, sounds)),
        };
        listeners.into_iter().zip(mixes).map(blend).collect()
    }

    /// Encodes what was mixed.
    ///
    /// # Errors
    ///
    /// If an encoder does not start, or refuses a sound.
    pub fn encode(&mut self, blends: Vec<Blend>) -> Result<Vec<Mixed>, AudioError> {
        let encode = |blend: Blend| {
            Ok(Mixed {
                audience: blend.audience,
                payload: self.encoder(blend.audience)?.encode(&blend.samples)?,
                mix: blend.mix,
            })
        };
        blends.into_iter().map(encode).collect()
    }

    /// From now on the encoders of these audiences have these targets, bits per second.
    ///
    /// # Errors
    ///
    /// If Opus refuses one, or an encoder does not start.
    pub fn aim(&mut self, targets: &BTreeMap<Audience, u32>) -> Result<(), AudioError> {
        for (audience, bps) in targets {
            if self.targets.insert(*audience, *bps) != Some(*bps) {
                self.encoder(*audience)?.set_bitrate(*bps)?;
            }
        }
        Ok(())
    }

    fn forget_all_but(&mut self, audiences: &BTreeSet<Audience>) {
        let gone = |audience: &&Audience| !audiences.contains(audience);
        let gone: Vec<Audience> = self.encoders.keys().filter(gone).copied().collect();
        for audience in gone {
            self.encoders.remove(&audience);
            self.targets.remove(&audience);
            self.mixer.remove(audience);
        }
    }

    fn encoder(&mut self, audience: Audience) -> Result<&mut AudioEncoder, AudioError> {
        Ok(match self.encoders.entry(audience) {
            Entry::Occupied(encoder) => encoder.into_mut(),
            Entry::Vacant(place) => {
                let fec = self.repair.opus_fec;
                place.insert(AudioEncoder::protected(self.bitrate_bps, fec)?)
            }
        })
    }
}

/// Whose packets an audience hears.
fn parts(audience: Audience, sounds: &Sounds) -> Mix {
    let heard = sounds.iter().filter(|(sender, _)| audience.gets(**sender));
    let part = |(sender, spoken): (&u16, &Spoken)| {
        let timestamp = spoken.timestamp?;
        let rect = None;
        Some((*sender, Part { timestamp, rect }))
    };
    Mix {
        parts: heard.filter_map(part).collect(),
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::super::audience::Audience::{Everybody, Without};
    use super::*;
    use crate::media::{AudioDecoder, ProbeDetector, ProbeSource};

    /// A listener: what it decodes, and the words it heard of each sender.
    struct Listener {
        decoder: AudioDecoder,
        detector: ProbeDetector,
        words: BTreeMap<u16, u32>,
    }

    impl Listener {
        fn new(senders: &[u16]) -> Self {
            Listener {
                decoder: AudioDecoder::new().unwrap(),
                detector: ProbeDetector::new(senders),
                words: BTreeMap::new(),
            }
        }

        fn hear(&mut self, at: u64, packet: &[u8]) {
            let samples = self.decoder.decode(packet).unwrap();
            for word in self.detector.push(at, &samples) {
                // Two codecs delay by 312 samples each; a millisecond (48) of error.
                assert!((576..=672).contains(&word.latency()), "{word:?}");
                *self.words.entry(word.sender).or_default() += 1;
            }
        }
    }

    #[test]
    fn through_two_codecs_everybody_hears_the_others_and_not_themselves() {
        let senders = [0, 1, 4];
        let voice = |who: &u16| {
            let mut random = ChaCha8Rng::seed_from_u64((*who).into());
            let encoder = AudioEncoder::new(32_000).unwrap();
            (*who, ProbeSource::new(*who, &mut random), encoder)
        };
        let mut voices: Vec<_> = senders.iter().map(voice).collect();
        let audiences = BTreeSet::from([Everybody, Without(0), Without(1), Without(4)]);
        let listener = |audience: &Audience| (*audience, Listener::new(&senders));
        let mut listeners: BTreeMap<_, _> = audiences.iter().map(listener).collect();
        let mut desk = Desk::new(32_000, RepairPlan::default());
        for n in 0..200 {
            for (who, source, encoder) in &mut voices {
                let packet = encoder.encode(&source.frame(n)).unwrap();
                desk.push(*who, SoundPacket::new(n, packet)).unwrap();
            }
            let sounds = desk.listen();
            let blends = desk.mix(&sounds, &audiences);
            for mixed in desk.encode(blends).unwrap() {
                let heard = senders.iter().filter(|who| mixed.audience.gets(**who));
                assert!(mixed.mix.parts.keys().eq(heard));
                assert!(mixed.mix.parts.values().all(|part| part.timestamp == n));
                let listener = listeners.get_mut(&mixed.audience).unwrap();
                listener.hear(u64::from(n) * FRAME_SAMPLES as u64, &mixed.payload);
            }
        }
        // In 4 s a sender says 7 or 8 words of 0.5 s, by when its first one begins.
        for (audience, listener) in listeners {
            for who in senders {
                let words = listener.words.get(&who).copied().unwrap_or(0);
                let expected = if audience.gets(who) { 7..=8 } else { 0..=0 };
                assert!(expected.contains(&words), "{who} to {audience:?}: {words}");
            }
        }
    }

    #[test]
    fn who_is_silent_or_left_is_not_in_the_mix() {
        let mut desk = Desk::new(32_000, RepairPlan::default());
        let mut encoder = AudioEncoder::new(32_000).unwrap();
        let packet = encoder.encode(&[500; FRAME_SAMPLES]).unwrap();
        desk.push(1, SoundPacket::new(7, packet.clone())).unwrap();
        desk.push(2, SoundPacket::new(9, packet)).unwrap();
        desk.remove(2);
        let parts = |desk: &mut Desk| {
            let sounds = desk.listen();
            let blends = desk.mix(&sounds, &[Everybody].into());
            let mixed = desk.encode(blends).unwrap();
            mixed[0].mix.parts.keys().copied().collect::<Vec<_>>()
        };
        assert_eq!(parts(&mut desk), [1]);
        // What the decoder fills in is no frame of anybody.
        assert!(parts(&mut desk).is_empty());
    }
}
