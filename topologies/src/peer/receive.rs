//! RTP to pictures and sound.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reports::record::Kind;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtp::packet::Packet;
use sim::{Time, Work};
use tokio::sync::{Notify, mpsc};
use webrtc::media_stream::track_remote::TrackRemote;

use super::Context;
use super::capture::SOUND;
use super::clock::DeviceClock;
use super::decode::{DecodeQueue, Outcome};
use super::display::Decoded;
use super::environment::{sleep_until, work_here};
use super::playout::Playout;
use super::stack;
use crate::costs::cost;
use crate::media::audio::{FRAME_SAMPLES, SAMPLE_RATE};
use crate::media::{AudioDecoder, Backlog, FrameAssembler, ProbeDetector, VideoDecoder};
use crate::observe::frames::HopKey;
use crate::observe::shown::{Shown, StreamKey};

/// Between two keyframe requests of a receiver: long enough for the first one to be answered
/// across a continent, short enough not to be a visible freeze of its own.
const REQUEST_INTERVAL: Duration = Duration::from_millis(300);

/// What plays when there is nothing to play.
const SILENCE: [i16; FRAME_SAMPLES] = [0; FRAME_SAMPLES];

/// Decodes a track until it ends.
pub async fn receive_video(
    context: Context,
    hop: HopKey,
    track: Arc<dyn TrackRemote>,
    display: mpsc::UnboundedSender<Decoded>,
) {
    let decoder = match VideoDecoder::new() {
        Ok(decoder) => decoder,
        Err(error) => return log::error!("{error}"),
    };
    let observatory = &context.observatory;
    observatory.codec(context.index, |codecs| codecs.video_decoders += 1);
    let pixels = context.pixels_of(hop.source);
    let mut packets = playout(&context, hop, Arc::clone(&track));
    let mut decoding = DecodeQueue::new(context.clone(), decoder, pixels);
    let mut receiver = VideoReceiver {
        context,
        hop,
        track,
        display,
        assembler: FrameAssembler::new(),
        media_ssrc: 0,
        asked: None,
    };
    loop {
        tokio::select! {
            biased;
            (timestamp, outcome) = decoding.next() => receiver.decoded(timestamp, outcome).await,
            packet = packets.next() => match packet {
                Some(packet) => receiver.packet(&packet, &mut decoding).await,
                None => return,
            },
        }
    }
}

struct VideoReceiver {
    context: Context,
    hop: HopKey,
    track: Arc<dyn TrackRemote>,
    display: mpsc::UnboundedSender<Decoded>,
    assembler: FrameAssembler,
    /// Of the packets.
    media_ssrc: u32,
    /// When a keyframe was last asked for.
    asked: Option<Time>,
}

impl VideoReceiver {
    async fn packet(&mut self, packet: &Packet, decoding: &mut DecodeQueue) {
        self.media_ssrc = packet.header.ssrc;
        let assembly = self.assembler.push(packet);
        let mut damaged = assembly.missing > 0 || assembly.malformed;
        if let Some(frame) = assembly.frame {
            self.assembled(frame.rtp_timestamp);
            damaged |= !decoding.push(frame);
        }
        if damaged {
            self.ask_for_keyframe().await;
        }
    }

    /// The last packet of a frame was let go.
    fn assembled(&self, timestamp: u32) {
        let now = self.context.environment.now();
        let observatory = &self.context.observatory;
        observatory.frame(self.hop, timestamp, |log| log.assembled = Some(now));
    }

    /// The decoder is done with a frame.
    async fn decoded(&mut self, rtp_timestamp: u32, outcome: Outcome) {
        let frame = match outcome {
            Ok(Some(frame)) => frame,
            Ok(None) => return,
            Err(_) => return self.ask_for_keyframe().await,
        };
        let now = self.context.environment.now();
        let observatory = &self.context.observatory;
        observatory.frame(self.hop, rtp_timestamp, |log| log.decoded = Some(now));
        let picture = Decoded {
            rtp_timestamp,
            frame,
        };
        // The display goes away with the call.
        let _ = self.display.send(picture);
    }

    async fn ask_for_keyframe(&mut self) {
        let now = self.context.environment.now();
        let soon = |asked: Time| now.saturating_since(asked) < REQUEST_INTERVAL;
        if self.asked.is_some_and(soon) {
            return;
        }
        self.asked = Some(now);
        self.context.observatory.asked_for_keyframe(self.hop);
        let request = PictureLossIndication {
            sender_ssrc: 0,
            media_ssrc: self.media_ssrc,
        };
        if let Err(error) = self.track.write_rtcp(vec![Box::new(request)]).await {
            log::debug!("{error}");
        }
    }
}

/// Sound between the network and the loudspeaker.
#[derive(Default)]
pub struct SoundQueue {
    waiting: Mutex<Waiting>,
    first: Notify,
}

#[derive(Default)]
struct Waiting {
    packets: Backlog<Packet>,
    /// No more packets come.
    ended: bool,
}

impl SoundQueue {
    fn push(&self, packet: Packet) {
        self.lock().packets.push(packet);
        self.first.notify_one();
    }

    /// The packet to play at this tick.
    fn next(&self) -> Option<Packet> {
        self.lock().packets.take()
    }

    /// No more packets come.
    fn end(&self) {
        self.lock().ended = true;
        self.first.notify_one();
    }

    /// Whether there is nothing to play and never will be.
    fn is_over(&self) -> bool {
        let waiting = self.lock();
        waiting.ended && waiting.packets.is_empty()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("no panic while sound is locked")
    }
}

/// Queues a track's sound until it ends.
pub async fn receive_audio(
    context: Context,
    hop: HopKey,
    track: Arc<dyn TrackRemote>,
    queue: Arc<SoundQueue>,
) {
    let mut packets = playout(&context, hop, track);
    while let Some(packet) = packets.next().await {
        let now = context.environment.now();
        context
            .observatory
            .frame(hop, packet.header.timestamp, |log| {
                log.assembled = Some(now)
            });
        queue.push(packet);
    }
    queue.end();
}

fn playout(context: &Context, hop: HopKey, track: Arc<dyn TrackRemote>) -> Playout {
    let buffer = stack::playout_buffer(&context.plan, hop.kind);
    Playout::new(Arc::clone(&context.environment), track, buffer)
}

/// Plays sound at every tick from the first packet to the last: decoded, or concealed if none is
/// there.
pub async fn run_loudspeaker(
    context: Context,
    hop: HopKey,
    clock: DeviceClock,
    queue: Arc<SoundQueue>,
) {
    let mut decoder = match AudioDecoder::new() {
        Ok(decoder) => decoder,
        Err(error) => return log::error!("{error}"),
    };
    let (environment, observatory) = (&context.environment, &context.observatory);
    observatory.codec(context.index, |codecs| codecs.audio_decoders += 1);
    let price = cost(&context.plan, |c| c.audio_decode_sample_ns, FRAME_SAMPLES);
    let mut ears: Vec<_> = audible(&context, hop)
        .map(|sender| Ear::new(&context, sender))
        .collect();
    queue.first.notified().await;
    let mut tick = clock.next(context.environment.now());
    loop {
        sleep_until(context.environment.as_ref(), tick).await;
        if queue.is_over() {
            return;
        }
        let packet = queue.next();
        let job = || match &packet {
            Some(packet) => decoder.decode(&packet.payload),
            None => decoder.conceal(),
        };
        // Sound that is late is late by what the CPU lets work wait, at the most: players stretch
        // over that. The next one does not wait for it.
        let (samples, late) = match work_here(environment.as_ref(), Work::Decode, price, job) {
            Ok((samples, done)) => (samples, Some(done.saturating_since(tick))),
            Err(_) => (Ok(SILENCE), None), // The CPU has counted it.
        };
        if let Some((packet, late)) = packet.zip(late) {
            played(&context, hop, packet.header.timestamp, (tick, late));
        }
        match samples {
            Ok(samples) => {
                let at = (tick, late.unwrap_or_default());
                let listen = |ear: &mut Ear| ear.hear(&context, at, &samples);
                environment.aside(&mut || ears.iter_mut().for_each(listen));
            }
            Err(error) => log::warn!("{hop:?}: {error}"),
        }
        tick += SOUND;
    }
}

/// Whose sound a source plays: its own, or, if it mixes, that of everybody else who sends.
fn audible(context: &Context, hop: HopKey) -> impl Iterator<Item = u16> {
    let all = context.plan.participants.iter();
    let mixed = usize::from(hop.source) >= context.plan.participants.len();
    all.filter(move |participant| match mixed {
        true => participant.sends && participant.index != hop.to,
        false => participant.index == hop.source,
    })
    .map(|participant| participant.index)
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
        };
        observations.show(content.sender, shown);
    }
}

/// Listens for one sender's probe in what is played.
struct Ear {
    key: StreamKey,
    detector: ProbeDetector,
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
        let at = |sample: i64| {
            *start
                + Duration::from_nanos(
                    (sample.max(0) as u64) * 1_000_000_000 / u64::from(SAMPLE_RATE),
                )
        };
        for word in self.detector.push(*next, samples) {
            let heard = word.at as i64;
            context
                .observatory
                .heard(self.key, at(heard - word.latency()), at(heard) + late);
        }
        *next += FRAME_SAMPLES as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_over_when_the_last_packet_has_played() {
        let queue = SoundQueue::default();
        queue.push(Packet::default());
        assert!(!queue.is_over());
        queue.end();
        assert!(!queue.is_over());
        assert!(queue.next().is_some());
        assert!(queue.is_over());
    }
}
