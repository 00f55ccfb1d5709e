//! All mixed sounds of a tick, encoded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;

use super::audience::Audience;
use super::mixer::Mixer;
use super::voice::{Spoken, Voice};
use crate::media::{AudioEncoder, AudioError};
use crate::observe::shown::{Mix, Part};

/// Decodes, mixes and encodes sound. It owns what it works on, so that the work can be done anywhere.
pub struct Desk {
    bitrate_bps: u32,
    voices: BTreeMap<u16, Voice>,
    mixer: Mixer,
    encoders: BTreeMap<Audience, AudioEncoder>,
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

/// What the senders said in one tick.
pub type Sounds = BTreeMap<u16, Spoken>;

impl Desk {
    /// A desk without voices or audiences, with encoders of this target, bits per second.
    pub fn new(bitrate_bps: u32) -> Self {
        Desk {
            bitrate_bps,
            voices: BTreeMap::new(),
            mixer: Mixer::default(),
            encoders: BTreeMap::new(),
        }
    }

    /// Adds an Opus packet of `participant`, with its RTP timestamp.
    ///
    /// # Errors
    ///
    /// If it is their first one and a decoder does not start.
    pub fn push(
        &mut self,
        participant: u16,
        timestamp: u32,
        packet: Bytes,
    ) -> Result<(), AudioError> {
        if !self.voices.contains_key(&participant) {
            self.voices.insert(participant, Voice::new()?);
        }
        let voice = self.voices.get_mut(&participant).expect("it is there");
        voice.push(timestamp, packet);
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

    /// Mixes `sounds` for each audience. Encoders of audiences that are not among them end.
    ///
    /// # Errors
    ///
    /// If an encoder does not start, or refuses a sound.
    pub fn mix(
        &mut self,
        sounds: &Sounds,
        audiences: &BTreeSet<Audience>,
    ) -> Result<Vec<Mixed>, AudioError> {
        self.forget_all_but(audiences);
        let samples = sounds.iter().map(|(who, spoken)| (*who, spoken.samples));
        let listeners: Vec<Audience> = audiences.iter().copied().collect();
        let mixes = self.mixer.mix(&samples.collect(), &listeners);
        let mut mixed = Vec::with_capacity(mixes.len());
        for (audience, samples) in listeners.into_iter().zip(mixes) {
            mixed.push(Mixed {
                audience,
                payload: self.encoder(audience)?.encode(&samples)?,
                mix: Arc::new(parts(audience, sounds)),
            });
        }
        Ok(mixed)
    }

    fn forget_all_but(&mut self, audiences: &BTreeSet<Audience>) {
        let gone = |audience: &&Audience| !audiences.contains(audience);
        let gone: Vec<Audience> = self.encoders.keys().filter(gone).copied().collect();
        for audience in gone {
            self.encoders.remove(&audience);
            self.mixer.remove(audience);
        }
    }

    fn encoder(&mut self, audience: Audience) -> Result<&mut AudioEncoder, AudioError> {
        if !self.encoders.contains_key(&audience) {
            let encoder = AudioEncoder::new(self.bitrate_bps)?;
            self.encoders.insert(audience, encoder);
        }
        Ok(self.encoders.get_mut(&audience).expect("it is there"))
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
