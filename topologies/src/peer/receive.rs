//! RTP to pictures and sound.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

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
use crate::media::{AudioDecoder, FrameAssembler, ProbeDetector, VideoDecoder};
use crate::observe::StreamKey;

/// Between two keyframe requests of a receiver: long enough for the first one to be answered
/// across a continent, short enough not to be a visible freeze of its own.
const REQUEST_INTERVAL: Duration = Duration::from_millis(300);

/// Packets of sound that wait for the loudspeaker before the oldest is dropped.
const SOUNDS_WAITING: usize = 5;

/// What plays when there is nothing to play.
const SILENCE: [i16; FRAME_SAMPLES] = [0; FRAME_SAMPLES];

/// Ticks over which the sound queue looks for packets that nobody needed: half a second.
const ROUND: u32 = 25;

/// Decodes a track until it ends.
pub async fn receive_video(
    context: Context,
    key: StreamKey,
    track: Arc<dyn TrackRemote>,
    display: mpsc::UnboundedSender<Decoded>,
) {
    let decoder = match VideoDecoder::new() {
        Ok(decoder) => decoder,
        Err(error) => return log::error!("{error}"),
    };
    let observatory = &context.observatory;
    observatory.codec(context.index, |codecs| codecs.video_decoders += 1);
    let video = context.plan.video.as_ref();
    let pixels = video.map_or(0, |video| video.width as usize * video.height as usize);
    let mut packets = playout(&context, key, Arc::clone(&track));
    let mut decoding = DecodeQueue::new(context.clone(), decoder, pixels);
    let mut receiver = VideoReceiver {
        context,
        key,
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
    key: StreamKey,
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
        observatory.frame(self.key, timestamp, |log| log.assembled = Some(now));
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
        observatory.frame(self.key, rtp_timestamp, |log| log.decoded = Some(now));
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
        self.context.observatory.asked_for_keyframe(self.key);
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
    packets: VecDeque<Packet>,
    /// The shortest that the queue was at a tick of the current round, and ticks in it.
    shortest: usize,
    ticks: u32,
    /// No more packets come.
    ended: bool,
}

impl SoundQueue {
    fn push(&self, packet: Packet) {
        let packets = &mut self.lock().packets;
        if packets.len() == SOUNDS_WAITING {
            packets.pop_front();
        }
        packets.push_back(packet);
        self.first.notify_one();
    }

    /// The packet to play at this tick. Packets that have waited through a whole round without
    /// being needed are dropped, so that what was late once is not late for ever.
    fn next(&self) -> Option<Packet> {
        let waiting = &mut *self.lock();
        let length = waiting.packets.len();
        waiting.shortest = match waiting.ticks {
            0 => length,
            _ => waiting.shortest.min(length),
        };
        waiting.ticks += 1;
        if waiting.ticks == ROUND {
            waiting.ticks = 0;
            waiting.packets.drain(..waiting.shortest.saturating_sub(1));
        }
        waiting.packets.pop_front()
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
    key: StreamKey,
    track: Arc<dyn TrackRemote>,
    queue: Arc<SoundQueue>,
) {
    let mut packets = playout(&context, key, track);
    while let Some(packet) = packets.next().await {
        let now = context.environment.now();
        context
            .observatory
            .frame(key, packet.header.timestamp, |log| {
                log.assembled = Some(now)
            });
        queue.push(packet);
    }
    queue.end();
}

fn playout(context: &Context, key: StreamKey, track: Arc<dyn TrackRemote>) -> Playout {
    let buffer = stack::playout_buffer(&context.plan, key.kind);
    Playout::new(Arc::clone(&context.environment), track, buffer)
}

/// Plays sound at every tick from the first packet to the last: decoded, or concealed if none is
/// there.
pub async fn run_loudspeaker(
    context: Context,
    key: StreamKey,
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
    let mut ear = Ear::new(&context, key);
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
            observatory.frame(key, packet.header.timestamp, |log| {
                // The wait before decoding is the loudspeaker's.
                log.decoded = log.assembled.map(|assembled| assembled + late);
                log.rendered = Some(tick + late);
            });
        }
        match samples {
            Ok(samples) => {
                let at = (tick, late.unwrap_or_default());
                environment.aside(&mut || ear.hear(&context, at, &samples));
            }
            Err(error) => log::warn!("{key:?}: {error}"),
        }
        tick += SOUND;
    }
}

/// Listens for the probe in what is played.
struct Ear {
    key: StreamKey,
    detector: ProbeDetector,
    /// When the sender's capture began, and the sample of its timeline that is played next.
    timeline: Option<(Time, u64)>,
}

impl Ear {
    fn new(context: &Context, key: StreamKey) -> Self {
        let mut detector = None;
        context
            .environment
            .aside(&mut || detector = Some(ProbeDetector::new(&[key.sender])));
        Ear {
            key,
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

    fn packet(sequence_number: u16) -> Packet {
        let mut packet = Packet::default();
        packet.header.sequence_number = sequence_number;
        packet
    }

    /// The sequence numbers that play at the next `ticks` ticks, with nothing arriving.
    fn play(queue: &SoundQueue, ticks: u32) -> Vec<u16> {
        (0..ticks)
            .filter_map(|_| queue.next())
            .map(|packet| packet.header.sequence_number)
            .collect()
    }

    #[test]
    fn packets_play_in_order_and_nothing_plays_when_none_is_there() {
        let queue = SoundQueue::default();
        (0..3).for_each(|number| queue.push(packet(number)));
        assert_eq!(play(&queue, 4), [0, 1, 2]);
        assert!(queue.next().is_none());
    }

    #[test]
    fn beyond_what_may_wait_the_oldest_is_dropped() {
        let queue = SoundQueue::default();
        (0..7).for_each(|number| queue.push(packet(number)));
        // Of 7, the last 5 (SOUNDS_WAITING) remain: 100 ms.
        assert_eq!(play(&queue, 7), [2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_delay_that_nobody_needed_ends_after_a_round() {
        let queue = SoundQueue::default();
        // Three packets come at once, then one per tick: at every tick three wait, where one would
        // do. A round has 25 ticks; at its last one the two oldest go: 0 to 23 have played by
        // then, 24 and 25 go, 26 plays, and the queue is as short as it can be.
        (0..2).for_each(|number| queue.push(packet(number)));
        let mut played = Vec::new();
        for number in 2..30 {
            queue.push(packet(number));
            played.extend(play(&queue, 1));
        }
        let expected: Vec<u16> = (0..24).chain(26..30).collect();
        assert_eq!(played, expected);
    }

    #[test]
    fn a_delay_that_was_needed_once_in_a_round_stays() {
        let queue = SoundQueue::default();
        (0..2).for_each(|number| queue.push(packet(number)));
        let mut played = Vec::new();
        for tick in 2..30 {
            // At tick 10 two packets are late: one is left for that tick, and three come next.
            match tick {
                10 | 11 => {}
                12 => (10..13).for_each(|number| queue.push(packet(number))),
                tick => queue.push(packet(tick)),
            }
            played.extend(play(&queue, 1));
        }
        let expected: Vec<u16> = (0..28).collect();
        assert_eq!(played, expected);
    }

    #[test]
    fn it_is_over_when_the_last_packet_has_played() {
        let queue = SoundQueue::default();
        queue.push(packet(0));
        assert!(!queue.is_over());
        queue.end();
        assert!(!queue.is_over());
        assert_eq!(play(&queue, 1), [0]);
        assert!(queue.is_over());
    }
}
