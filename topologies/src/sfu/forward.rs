//! Packets from the sender's leg to the receivers' legs.

use std::sync::{Arc, Mutex, MutexGuard};

use reports::record::Kind;
use rtc::rtp::packet::Packet;
use webrtc::media_stream::track_local::{TrackLocal, TrackLocalEvent};
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

use super::rewrite::{Rewriter, Seen};
use super::room::{Room, Source};
use crate::observe::frames::{Frame, HopKey};
use crate::peer::outgoing::Outgoing;

/// A source's packets on their way to one receiver.
pub struct Subscription {
    outgoing: Outgoing,
    stream: Mutex<Stream>,
}

struct Stream {
    rewriter: Rewriter,
    /// The timestamp of the frame that is being forwarded.
    frame: Option<u32>,
    /// The latest packet was left out on purpose.
    paused: bool,
}

impl Subscription {
    /// Nothing has been forwarded.
    pub fn new(outgoing: Outgoing) -> Self {
        let video = outgoing.hop.kind == Kind::Video;
        let rewriter = Rewriter::new(outgoing.ssrc, outgoing.first_sequence, video);
        Subscription {
            outgoing,
            stream: Mutex::new(Stream {
                rewriter,
                frame: None,
                paused: false,
            }),
        }
    }

    /// Packets are left out from here on.
    fn pause(&self) {
        let mut stream = self.stream();
        stream.rewriter.pause();
        stream.paused = true;
    }

    /// Whether the stream was paused until now, and waits for a keyframe to go on.
    fn resumes(&self) -> bool {
        let mut stream = self.stream();
        std::mem::take(&mut stream.paused) && stream.rewriter.waits_for_keyframe()
    }

    fn stream(&self) -> MutexGuard<'_, Stream> {
        self.stream
            .lock()
            .expect("no panic while a stream is locked")
    }

    /// The packet as this receiver gets it, if it does, and whether a frame begins with it.
    fn rewrite(&self, packet: &Packet) -> Option<(Packet, bool)> {
        let mut stream = self.stream();
        let out = stream.rewriter.rewrite(packet)?;
        let timestamp = Some(out.header.timestamp);
        let begins = std::mem::replace(&mut stream.frame, timestamp) != timestamp;
        Some((out, begins))
    }
}

/// The level that a packet of sound announces, in -dBov; the first bit tells something else.
fn level_of(packet: &Packet, level_id: Option<u8>) -> Option<u8> {
    let extension = packet.header.get_extension(level_id?)?;
    extension.first().map(|byte| byte & 0x7f)
}

/// Forwards a track, whose packets announce levels in the header extension `level_id`, from its first packet until it ends.
pub async fn start(
    room: &Arc<Room>,
    source: Source,
    track: Arc<dyn TrackRemote>,
    level_id: Option<u8>,
) {
    let Some(ssrc) = track.ssrcs().await.first().copied() else {
        return log::warn!("a track of {source:?} has no SSRC");
    };
    if room.attach(source, ssrc, Arc::clone(&track)).is_none() {
        return log::warn!("nobody announced {source:?}");
    }
    let runtime = room.context().environment.runtime();
    let room = Arc::clone(room);
    runtime.spawn(Box::pin(async move {
        let mut seen = Seen::default();
        while let Some(event) = track.poll().await {
            if let TrackRemoteEvent::OnRtpPacket(packet) = event
                && seen.is_new(packet.header.sequence_number)
            {
                if let Some(level) = level_of(&packet, level_id) {
                    room.heard(source.participant, level);
                }
                forward(&room, source, &packet).await;
            }
        }
    }));
}

async fn forward(room: &Arc<Room>, source: Source, packet: &Packet) {
    for (subscription, goes) in room.subscriptions(source) {
        if !goes {
            subscription.pause();
            continue;
        }
        let Some((out, begins)) = subscription.rewrite(packet) else {
            if subscription.resumes() {
                room.want_keyframe(source);
            }
            continue;
        };
        if begins {
            report(room, subscription.outgoing.hop, packet.header.timestamp);
        }
        if let Err(error) = subscription.outgoing.track.write_rtp(out).await {
            // The leg is going away; its end is reported where it is noticed.
            log::debug!("{error}");
        }
    }
}

/// The frame with this timestamp begins its second hop.
fn report(room: &Room, hop: HopKey, timestamp: u32) {
    let context = room.context();
    context.environment.aside(&mut || {
        let now = context.environment.now();
        let mut observations = context.observatory.lock();
        let first = HopKey::first(hop.source, hop.from, hop.kind);
        let Some(frame) = observations.hop_frame(first, timestamp) else {
            return;
        };
        let mut forwarded = Frame::new(frame.number, frame.captured, now);
        (forwarded.bytes, forwarded.packets) = (frame.bytes, frame.packets);
        forwarded.keyframe = frame.keyframe;
        if observations.hop_frame(hop, timestamp).is_none() {
            observations.insert(hop, timestamp, forwarded);
        }
    });
}

/// Passes the receiver's keyframe requests on, for as long as its track lives.
pub fn watch_requests(room: &Arc<Room>, source: Source, subscription: &Subscription) {
    let runtime = room.context().environment.runtime();
    let (room, track) = (Arc::clone(room), Arc::clone(&subscription.outgoing.track));
    runtime.spawn(Box::pin(async move {
        while let Some(event) = track.poll().await {
            if let TrackLocalEvent::OnRtcpPacket(_) = event {
                room.want_keyframe(source);
            }
        }
    }));
}
