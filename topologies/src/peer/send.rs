//! Captured media to RTP: one encoder per connection and kind.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rtc::rtp::header::Header;
use rtc::rtp::packet::Packet;
use scenarios::{AudioPlan, VideoPlan};
use tokio::sync::mpsc;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_local::{TrackLocal, TrackLocalEvent};

use super::Context;
use super::capture::{Picture, Sound};
use super::outgoing::Outgoing;
use super::stack::{AUDIO_PAYLOAD_TYPE, VIDEO_PAYLOAD_TYPE};
use crate::media::audio::FRAME_SAMPLES;
use crate::media::rtp_video::VIDEO_CLOCK;
use crate::media::{AudioEncoder, VideoEncoder, VideoPacketizer, VideoSettings};
use crate::observe::frames::Frame;

/// Largest RTP payload, bytes: with RTP, SRTP, TURN, UDP and IPv6 headers it stays below the
/// 1,280 bytes that every IPv6 path carries (RFC 8200 section 5).
pub const MAX_PAYLOAD: usize = 1_160;

/// Sets a flag when the receiver asks for a keyframe, for as long as the track lives.
pub async fn watch_keyframe_requests(track: Arc<TrackLocalStaticRTP>, wanted: Arc<AtomicBool>) {
    while let Some(event) = track.poll().await {
        if let TrackLocalEvent::OnRtcpPacket(_) = event {
            wanted.store(true, Ordering::Relaxed);
        }
    }
}

/// Encodes and sends pictures until the camera ends.
pub async fn send_video(
    context: Context,
    outgoing: Outgoing,
    plan: VideoPlan,
    mut pictures: mpsc::Receiver<Picture>,
    keyframe_wanted: Arc<AtomicBool>,
) {
    let settings = VideoSettings {
        width: plan.width as usize,
        height: plan.height as usize,
        fps: plan.fps,
        bitrate_bps: plan.bitrate_bps,
        max_payload: MAX_PAYLOAD,
    };
    let mut encoder = match VideoEncoder::new(settings) {
        Ok(encoder) => encoder,
        Err(error) => return log::error!("{error}"),
    };
    let mut packetizer = VideoPacketizer::new(
        outgoing.ssrc,
        VIDEO_PAYLOAD_TYPE,
        outgoing.first_sequence,
        MAX_PAYLOAD,
    );
    while let Some(picture) = pictures.recv().await {
        if keyframe_wanted.swap(false, Ordering::Relaxed) {
            encoder.request_keyframe();
        }
        let encoded = match encoder.encode(&picture.frame, picture.at.since_start()) {
            Ok(encoded) => encoded,
            Err(error) => {
                log::error!("{error}");
                continue;
            }
        };
        let ticks = u64::from(picture.number) * u64::from(VIDEO_CLOCK) / u64::from(plan.fps);
        let packets = packetizer.packetize(&encoded.data, ticks as u32);
        let mut frame = Frame::new(picture.number, picture.at, context.environment.now());
        frame.bytes = encoded.data.len() as u64;
        frame.keyframe = encoded.keyframe;
        report(&context, &outgoing, ticks as u32, frame, &packets);
        write(&outgoing, packets).await;
    }
}

/// Encodes and sends sound until the microphone ends.
pub async fn send_audio(
    context: Context,
    outgoing: Outgoing,
    plan: AudioPlan,
    mut sounds: mpsc::Receiver<Sound>,
) {
    let mut encoder = match AudioEncoder::new(plan.bitrate_bps) {
        Ok(encoder) => encoder,
        Err(error) => return log::error!("{error}"),
    };
    let mut sequence_number = outgoing.first_sequence;
    while let Some(sound) = sounds.recv().await {
        let payload = match encoder.encode(&sound.samples) {
            Ok(payload) => payload,
            Err(error) => {
                log::error!("{error}");
                continue;
            }
        };
        let timestamp = sound.number.wrapping_mul(FRAME_SAMPLES as u32);
        let mut frame = Frame::new(sound.number, sound.from, context.environment.now());
        frame.bytes = payload.len() as u64;
        let header = Header {
            version: 2,
            payload_type: AUDIO_PAYLOAD_TYPE,
            sequence_number,
            timestamp,
            ssrc: outgoing.ssrc,
            ..Header::default()
        };
        sequence_number = sequence_number.wrapping_add(1);
        let packets = vec![Packet { header, payload }];
        report(&context, &outgoing, timestamp, frame, &packets);
        write(&outgoing, packets).await;
    }
}

/// Notes a frame that its packets are about to take along.
pub fn report(
    context: &Context,
    outgoing: &Outgoing,
    timestamp: u32,
    mut frame: Frame,
    packets: &[Packet],
) {
    frame.packets = packets.len() as u64;
    context.environment.aside(&mut || {
        let mut observations = context.observatory.lock();
        observations.insert(outgoing.hop, timestamp, frame.clone());
    });
}

/// Hands the packets of a frame to the stack.
pub async fn write(outgoing: &Outgoing, packets: Vec<Packet>) {
    for packet in packets {
        if let Err(error) = outgoing.track.write_rtp(packet).await {
            // The connection is going away; its end is reported where it is noticed.
            log::debug!("{error}");
        }
    }
}
