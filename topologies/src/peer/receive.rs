//! RTP to pictures and sound.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use sim::Time;
use tokio::sync::{Notify, mpsc};
use webrtc::media_stream::track_remote::TrackRemote;

use super::Context;
use super::decode::DecodeQueue;
use super::decoder::{Decoder, Outcome};
use super::display::Decoded;
use super::playout::{Due, Playout};
use super::stack;
use crate::media::{Backlog, FrameAssembler, SoundPacket};
use crate::observe::frames::HopKey;

/// Between two keyframe requests of a receiver: long enough for the first one to be answered
/// across a continent, short enough not to be a visible freeze of its own.
const REQUEST_INTERVAL: Duration = Duration::from_millis(300);

/// Decodes a track until it ends.
pub async fn receive_video(
    context: Context,
    hop: HopKey,
    track: Arc<dyn TrackRemote>,
    display: mpsc::UnboundedSender<Decoded>,
) {
    let decoder = match Decoder::new(&context) {
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
        started: false,
    };
    loop {
        tokio::select! {
            biased;
            (timestamp, outcome) = decoding.next() => receiver.decoded(timestamp, outcome).await,
            packet = packets.next() => match packet {
                Some(due) => receiver.packet(&due, &mut decoding).await,
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
    /// A picture was decoded.
    started: bool,
}

impl VideoReceiver {
    async fn packet(&mut self, due: &Due, decoding: &mut DecodeQueue) {
        self.media_ssrc = due.packet.header.ssrc;
        let assembly = self.assembler.push(&due.packet);
        let mut damaged = assembly.missing > 0 && !due.anew || assembly.malformed;
        if let Some(frame) = assembly.frame {
            self.assembled(frame.rtp_timestamp);
            damaged |= !decoding.push(frame, due.held);
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
            Outcome::Picture(frame) => frame,
            Outcome::Nothing => return,
            Outcome::Undecodable => return self.ask_for_keyframe().await,
        };
        self.started = true;
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

    /// Asks for a keyframe, unless it did lately. Where PLIs are no repair, only for the first one.
    async fn ask_for_keyframe(&mut self) {
        if self.started && !self.context.plan.repair.pli {
            return;
        }
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
    packets: Backlog<SoundPacket>,
    /// No more packets come.
    ended: bool,
}

impl SoundQueue {
    /// A packet is due.
    pub fn push(&self, packet: SoundPacket) {
        self.lock().packets.push(packet);
        self.first.notify_one();
    }

    /// Waits for the first packet, or for the end.
    pub async fn first(&self) {
        self.first.notified().await;
    }

    /// The packet to play at this tick.
    pub fn next(&self) -> Option<SoundPacket> {
        self.lock().packets.take()
    }

    /// No more packets come.
    pub fn end(&self) {
        self.lock().ended = true;
        self.first.notify_one();
    }

    /// Whether there is nothing to play and never will be.
    pub fn is_over(&self) -> bool {
        let waiting = self.lock();
        waiting.ended && waiting.packets.is_empty()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("no panic while sound is locked")
    }
}

/// Hands each packet of a track's sound to `due` when it is due, until the track ends.
pub async fn receive_audio(
    context: Context,
    hop: HopKey,
    track: Arc<dyn TrackRemote>,
    due: impl Fn(SoundPacket),
) {
    let mut packets = playout(&context, hop, track);
    while let Some(Due {
        packet, redundant, ..
    }) = packets.next().await
    {
        let (now, timestamp) = (context.environment.now(), packet.header.timestamp);
        let observatory = &context.observatory;
        match redundant {
            true => observatory.recovered(hop, now),
            false => observatory.frame(hop, timestamp, |log| log.assembled = Some(now)),
        }
        due(SoundPacket {
            timestamp,
            payload: packet.payload,
            redundant,
        });
    }
}

fn playout(context: &Context, hop: HopKey, track: Arc<dyn TrackRemote>) -> Playout {
    let buffer = stack::playout_buffer(&context.plan, hop.kind);
    Playout::new(Arc::clone(&context.environment), track, buffer)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn it_is_over_when_the_last_packet_has_played() {
        let queue = SoundQueue::default();
        queue.push(SoundPacket::new(0, Bytes::new()));
        assert!(!queue.is_over());
        queue.end();
        assert!(!queue.is_over());
        assert!(queue.next().is_some());
        assert!(queue.is_over());
    }
}
