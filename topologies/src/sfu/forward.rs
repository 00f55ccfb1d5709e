//! Packets from the sender's leg to the receivers' legs.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use reports::record::Kind;
use rtc::rtp::packet::Packet;
use sim::Time;
use webrtc::media_stream::track_local::{TrackLocal, TrackLocalEvent};
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

use super::rewrite::{Rewriter, Seen};
use super::room::{Room, Source};
use crate::media::assemble::begins_keyframe;
use crate::observe::frames::{Frame, HopKey};
use crate::peer::outgoing::Outgoing;
use crate::peer::participant::Origin;

/// When a layer's keyframe is asked for once more: the request or the keyframe may have been lost.
const ASKS_AGAIN: Duration = Duration::from_secs(1);

/// A source's packets on their way to one receiver.
pub struct Subscription {
    outgoing: Outgoing,
    stream: Mutex<Stream>,
}

struct Stream {
    rewriter: Rewriter,
    /// The timestamp of the frame that is being forwarded.
    frame: Option<u32>,
    /// The latest timestamp that was forwarded.
    latest: Option<u32>,
    /// The latest packet was left out on purpose.
    paused: bool,
    /// The layer that is forwarded.
    layer: usize,
    /// The layer of which a keyframe was asked for, and when.
    asked: Option<(usize, Time)>,
    /// Payload that was forwarded, bytes.
    bytes: u64,
}

impl Subscription {
    /// Nothing has been forwarded.
    pub fn new(outgoing: Outgoing) -> Self {
        let video = outgoing.hop.kind == Kind::Video;
        let rewriter = Rewriter::new(outgoing.ssrc, outgoing.first_sequence, video);
        Subscription {
            outgoing,
            stream: Mutex::new(Stream::new(rewriter)),
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

    /// The layer that is forwarded; `None` while none is.
    pub fn current(&self) -> Option<usize> {
        let stream = self.stream();
        (!stream.rewriter.waits_for_keyframe()).then_some(stream.layer)
    }

    /// Whether a keyframe of `target` is to be asked for: it takes one to get there, and an earlier
    /// request has led to nothing.
    pub fn awaits(&self, target: usize, now: Time) -> bool {
        let mut stream = self.stream();
        if stream.layer == target && !stream.rewriter.waits_for_keyframe() {
            return false;
        }
        let lately =
            |(layer, at): (usize, Time)| layer == target && now.saturating_since(at) < ASKS_AGAIN;
        if stream.asked.is_some_and(lately) {
            return false;
        }
        stream.asked = Some((target, now));
        true
    }

    /// Payload that was forwarded so far, bytes.
    pub fn sent_bytes(&self) -> u64 {
        match self.outgoing.hop.kind {
            Kind::Video => self.stream().bytes,
            Kind::Audio => 0,
        }
    }
}

impl Stream {
    fn new(rewriter: Rewriter) -> Self {
        Stream {
            rewriter,
            frame: None,
            latest: None,
            paused: false,
            layer: 0,
            asked: None,
            bytes: 0,
        }
    }

    /// The packet of a layer as the receiver gets it, if it does, and whether a frame begins with it;
    /// `target` is the layer that it is to get.
    fn rewrite(&mut self, packet: &Packet, layer: usize, target: usize) -> Option<(Packet, bool)> {
        if self.layer != layer || self.rewriter.waits_for_keyframe() {
            if layer != target || !self.may_begin(packet) {
                return None;
            }
            self.rewriter.pause();
            (self.layer, self.asked) = (layer, None);
        }
        let out = self.rewriter.rewrite(packet)?;
        self.bytes += out.payload.len() as u64;
        let timestamp = out.header.timestamp;
        if self.is_later(timestamp) {
            self.latest = Some(timestamp);
        }
        let begins = self.frame.replace(timestamp) != Some(timestamp);
        Some((out, begins))
    }

    /// Whether a stream or a layer may begin with this packet: with a keyframe, of a picture that
    /// comes after what has been forwarded, since layers of one picture have one timestamp.
    fn may_begin(&self, packet: &Packet) -> bool {
        self.is_later(packet.header.timestamp) && begins_keyframe(&packet.payload)
    }

    /// Whether a timestamp is after all that were forwarded (RFC 1982).
    fn is_later(&self, timestamp: u32) -> bool {
        let ahead = |last: u32| timestamp.wrapping_sub(last) as i32 > 0;
        self.latest.is_none_or(ahead)
    }
}

/// The level that a packet of sound announces, in -dBov; the first bit tells something else.
fn level_of(packet: &Packet, level_id: Option<u8>) -> Option<u8> {
    let extension = packet.header.get_extension(level_id?)?;
    extension.first().map(|byte| byte & 0x7f)
}

/// Forwards a track, whose packets announce levels in the header extension `level_id`, from its first
/// packet until it ends.
pub async fn start(
    room: &Arc<Room>,
    origin: Origin,
    track: Arc<dyn TrackRemote>,
    level_id: Option<u8>,
) {
    let (participant, kind) = (origin.source, origin.kind);
    let (source, layer) = (Source { participant, kind }, usize::from(origin.layer));
    let Some(ssrc) = track.ssrcs().await.first().copied() else {
        return log::warn!("a track of {source:?} has no SSRC");
    };
    if room
        .attach((source, layer), ssrc, Arc::clone(&track))
        .is_none()
    {
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
                room.came(source, layer);
                forward(&room, source, layer, &packet).await;
            }
        }
    }));
}

async fn forward(room: &Arc<Room>, source: Source, layer: usize, packet: &Packet) {
    for (subscription, target) in room.subscriptions(source) {
        let Some(target) = target else {
            subscription.pause();
            continue;
        };
        let Some((out, begins)) = subscription.stream().rewrite(packet, layer, target) else {
            if subscription.resumes() {
                room.want_keyframe(source, target);
            }
            continue;
        };
        if begins {
            let timestamp = packet.header.timestamp;
            report(room, subscription.outgoing.hop, layer as u8, timestamp);
        }
        if let Err(error) = subscription.outgoing.track.write_rtp(out).await {
            // The leg is going away; its end is reported where it is noticed.
            log::debug!("{error}");
        }
    }
}

/// The frame with this timestamp begins its second hop, in that layer.
fn report(room: &Room, hop: HopKey, layer: u8, timestamp: u32) {
    let context = room.context();
    context.environment.aside(&mut || {
        let now = context.environment.now();
        let mut observations = context.observatory.lock();
        let first = HopKey::first(hop.source, hop.from, hop.kind).on_layer(layer);
        let Some(frame) = observations.hop_frame(first, timestamp) else {
            return;
        };
        let mut forwarded = Frame::new(frame.number, frame.captured, now);
        (forwarded.bytes, forwarded.packets) = (frame.bytes, frame.packets);
        (forwarded.keyframe, forwarded.layer) = (frame.keyframe, layer);
        if observations.hop_frame(hop, timestamp).is_none() {
            observations.insert(hop, timestamp, forwarded);
        }
    });
}

/// Passes the receiver's keyframe requests on, for as long as its track lives.
pub fn watch_requests(room: &Arc<Room>, source: Source, subscription: &Arc<Subscription>) {
    let runtime = room.context().environment.runtime();
    let (room, subscription) = (Arc::clone(room), Arc::downgrade(subscription));
    let Some(track) = subscription
        .upgrade()
        .map(|s| Arc::clone(&s.outgoing.track))
    else {
        return;
    };
    runtime.spawn(Box::pin(async move {
        while let Some(event) = track.poll().await {
            if let TrackLocalEvent::OnRtcpPacket(_) = event {
                let layer = subscription.upgrade().and_then(|s| s.current());
                room.want_keyframe(source, layer.unwrap_or(0));
            }
        }
    }));
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    /// NAL unit types (H.264, table 7-1): a slice, and a sequence parameter set.
    const SLICE: &[u8] = &[0x61, 0x9a];
    const SPS: &[u8] = &[0x67, 0x42];

    fn packet(sequence_number: u16, timestamp: u32, payload: &'static [u8]) -> Packet {
        let mut packet = Packet::default();
        packet.header.sequence_number = sequence_number;
        packet.header.timestamp = timestamp;
        packet.payload = Bytes::from_static(payload);
        packet
    }

    /// Packets of two layers, `(layer, sequence, timestamp, payload)`, while the receiver is to get
    /// layer 1. Timestamps pass 2^32.
    #[test]
    fn a_switch_repeats_no_picture_and_goes_back_to_none() {
        let (first, second, third) = (u32::MAX - 2_999, 0, 3_000);
        let mut stream = Stream::new(Rewriter::new(7, 100, true));
        let mut forward = |layer, target, (sequence, timestamp, payload)| {
            let packet = packet(sequence, timestamp, payload);
            let (out, begins) = stream.rewrite(&packet, layer, target)?;
            Some((out.header.sequence_number, out.header.timestamp, begins))
        };
        assert_eq!(forward(0, 0, (10, first, SPS)), Some((100, first, true)));
        assert_eq!(
            forward(0, 1, (12, second, SLICE)),
            Some((102, second, true))
        );
        // A repair of an earlier picture is not the latest.
        assert_eq!(forward(0, 1, (11, first, SLICE)), Some((101, first, true)));
        // The keyframe of a picture that went out in the other layer, and what refers to it.
        assert_eq!(forward(1, 1, (500, second, SPS)), None);
        assert_eq!(forward(1, 1, (501, third, SLICE)), None);
        assert_eq!(forward(1, 1, (502, third, SPS)), Some((103, third, true)));
        // The old layer has ended, and so have its latecomers.
        assert_eq!(forward(0, 1, (13, third, SLICE)), None);
        assert_eq!(forward(0, 0, (14, third, SPS)), None);
        assert_eq!(
            forward(1, 1, (503, third, SLICE)),
            Some((104, third, false))
        );
    }
}
