//! A loudspeaker: plays sound at every tick, and what hears it.

use std::sync::Arc;
use std::time::Duration;

use reports::record::Kind;
use sim::{Time, Work};

use super::Context;
use super::capture::SOUND;
use super::clock::DeviceClock;
use super::environment::{sleep_until, work_here};
use super::receive::SoundQueue;
use crate::costs::cost;
use crate::media::audio::{DELAY_SAMPLES, FRAME_SAMPLES, SAMPLE_RATE};
use crate::media::{AudioDecoder, AudioError, ProbeDetector, SoundPacket, probe};
use crate::observe::Observations;
use crate::observe::frames::HopKey;
use crate::observe::shown::{Content, Shown, StreamKey};

/// What plays when there is nothing to play.
const SILENCE: [i16; FRAME_SAMPLES] = [0; FRAME_SAMPLES];

/// Plays sound at every tick from the first packet to the last: decoded, or concealed or silent if
/// none is there.
pub async fn run_loudspeaker(
    context: Context,
    hop: HopKey,
    clock: DeviceClock,
    queue: Arc<SoundQueue>,
) {
    let mut listener = match Listener::new(&context, hop) {
        Ok(listener) => listener,
        Err(error) => return log::error!("{error}"),
    };
    let (environment, observatory) = (&context.environment, &context.observatory);
    observatory.codec(context.index, |codecs| codecs.audio_decoders += 1);
    let price = cost(&context.plan, |c| c.audio_decode_sample_ns, FRAME_SAMPLES);
    queue.first().await;
    let mut tick = clock.next(environment.now());
    loop {
        sleep_until(environment.as_ref(), tick).await;
        if queue.is_over() {
            return;
        }
        let packet = queue.next();
        if packet.is_none() {
            observatory.concealed(hop, environment.now());
        }
        let job = || listener.decode(packet.as_ref(), &context);
        // Sound that is late is late by what the CPU lets work wait, at the most: players stretch
        // over that. The next one does not wait for it.
        let (samples, late) = match work_here(environment.as_ref(), Work::Decode, price, job) {
            Ok((samples, done)) => (samples, Some(done.saturating_since(tick))),
            Err(_) => (Ok(SILENCE), None), // The CPU has counted it.
        };
        let timestamp = packet.map(|packet| packet.timestamp);
        if let Some((timestamp, late)) = timestamp.zip(late) {
            played(&context, hop, timestamp, (tick, late));
        }
        match samples {
            Ok(samples) => {
                let at = (tick, late.unwrap_or_default());
                let heard = timestamp.filter(|_| late.is_some());
                environment.aside(&mut || listener.hear(&context, (hop, heard), at, &samples));
            }
            Err(error) => log::warn!("{hop:?}: {error}"),
        }
        tick += SOUND;
    }
}

/// Whether a hop's sound is that of several senders, mixed.
fn is_mixed(context: &Context, hop: HopKey) -> bool {
    usize::from(hop.source) >= context.plan.participants.len()
}

/// Whose sound a source plays: its own, or, if it mixes, that of all whom the receiver watches.
fn audible(context: &Context, hop: HopKey) -> Vec<u16> {
    match is_mixed(context, hop) {
        true => context.plan.watched_by(hop.to).collect(),
        false => vec![hop.source],
    }
}

/// A packet's first sample was played at a tick, or by the CPU's fault somewhat late.
fn played(context: &Context, hop: HopKey, timestamp: u32, (tick, late): (Time, Duration)) {
    let mut observations = context.observatory.lock();
    if let Some(frame) = observations.hop_frame_mut(hop, timestamp) {
        // The wait before decoding is the loudspeaker's.
        frame.decoded = frame.assembled.map(|assembled| assembled + late);
    }
    for content in observations.contents(hop, timestamp) {
        let shown = Shown {
            number: content.number,
            at: tick + late,
            hop,
            timestamp,
            psnr_db: None,
            ssim: None,
            width: None,
        };
        observations.show(content.sender, shown);
    }
}

/// Who decodes and listens: how mouth-to-ear latency is found.
enum Listener {
    /// Listens for probes in what is played.
    Real(Box<AudioDecoder>, Vec<Ear>),
    /// Knows from the RTP timestamps in which packet a word of the probe begins.
    Replayed,
}

impl Listener {
    fn new(context: &Context, hop: HopKey) -> Result<Self, AudioError> {
        if context.replays() {
            return Ok(Listener::Replayed);
        }
        let audible = audible(context, hop).into_iter();
        let ears = audible.map(|sender| Ear::new(context, sender));
        let decoder = Box::new(AudioDecoder::new()?);
        Ok(Listener::Real(decoder, ears.collect()))
    }

    /// The sound of a packet, or what stands in for one that did not come.
    fn decode(
        &mut self,
        packet: Option<&SoundPacket>,
        context: &Context,
    ) -> Result<[i16; FRAME_SAMPLES], AudioError> {
        match (self, packet) {
            (Listener::Real(decoder, _), Some(packet)) => decoder.play(packet),
            (Listener::Real(decoder, _), None) if context.plan.repair.concealment => {
                decoder.conceal()
            }
            (Listener::Real(..), None) | (Listener::Replayed, _) => Ok(SILENCE),
        }
    }

    /// Hears what plays at a tick, or by the CPU's fault somewhat late: the packet of that hop with
    /// that timestamp, if there was one.
    fn hear(
        &mut self,
        context: &Context,
        (hop, timestamp): (HopKey, Option<u32>),
        at: (Time, Duration),
        samples: &[i16; FRAME_SAMPLES],
    ) {
        match self {
            Listener::Real(_, ears) => {
                let listen = |ear: &mut Ear| ear.hear(context, at, samples);
                ears.iter_mut().for_each(listen);
            }
            Listener::Replayed => {
                if let Some(timestamp) = timestamp {
                    // Decoded and encoded again on the way, if it is mixed.
                    let codecs = if is_mixed(context, hop) { 2 } else { 1 };
                    let at = at.0 + at.1 + duration(codecs * u64::from(DELAY_SAMPLES));
                    note_words(&mut context.observatory.lock(), (hop, timestamp), at);
                }
            }
        }
    }
}

/// A packet whose first sample was heard at an instant: so are the words that begin in it.
fn note_words(observations: &mut Observations, (hop, timestamp): (HopKey, u32), heard: Time) {
    for Content { sender, number, .. } in observations.contents(hop, timestamp) {
        let start = observations.microphones.get(&sender).copied();
        let Some((start, word)) = start.zip(probe::word_in(sender, number)) else {
            continue;
        };
        let key = StreamKey {
            sender,
            receiver: hop.to,
            kind: Kind::Audio,
        };
        let within = word - u64::from(number) * FRAME_SAMPLES as u64;
        let instants = (start + duration(word), heard + duration(within));
        observations.heard(key, instants);
    }
}

/// How long samples last.
fn duration(samples: u64) -> Duration {
    Duration::from_nanos(samples * 1_000_000_000 / u64::from(SAMPLE_RATE))
}

/// Listens for one sender's probe in what is played.
struct Ear {
    key: StreamKey,
    detector: ProbeDetector,
    agreement: probe::Agreement,
    /// When the sender's capture began, and the sample of its timeline that is played next.
    timeline: Option<(Time, u64)>,
}

impl Ear {
    fn new(context: &Context, sender: u16) -> Self {
        let mut detector = None;
        context
            .environment
            .aside(&mut || detector = Some(ProbeDetector::new(&[sender])));
        Ear {
            key: StreamKey {
                sender,
                receiver: context.index,
                kind: Kind::Audio,
            },
            detector: detector.expect("the work was done"),
            agreement: probe::Agreement::default(),
            timeline: None,
        }
    }

    /// Hears what plays at a tick, or by the CPU's fault somewhat late.
    fn hear(
        &mut self,
        context: &Context,
        (tick, late): (Time, Duration),
        samples: &[i16; FRAME_SAMPLES],
    ) {
        if self.timeline.is_none() {
            let Some(start) = context.observatory.microphone_start(self.key.sender) else {
                return;
            };
            let since = tick.saturating_since(start).as_nanos() as u64;
            self.timeline = Some((start, since * u64::from(SAMPLE_RATE) / 1_000_000_000));
        }
        let Some((start, next)) = &mut self.timeline else {
            return;
        };
        let at = |sample: i64| *start + duration(sample.max(0) as u64);
        for word in self.detector.push(*next, samples) {
            let heard = word.at as i64;
            let instants = (at(heard - word.latency()), at(heard) + late);
            for sure in self.agreement.admit(instants) {
                context.observatory.lock().heard(self.key, sure);
            }
        }
        *next += FRAME_SAMPLES as u64;
    }
}
