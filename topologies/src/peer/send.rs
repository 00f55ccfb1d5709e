//! Captured media to RTP: one encoder per connection and kind.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use rtc::rtp::header::Header;
use rtc::rtp::packet::Packet;
use scenarios::{AudioPlan, VideoPlan};
use sim::{Time, Work};
use tokio::sync::mpsc;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_local::{TrackLocal, TrackLocalEvent};

use super::Context;
use super::capture::{Picture, Sound};
use super::congestion::Estimate;
use super::environment::{sleep_until_some, work_here};
use super::interceptors::{asks_for_keyframe, limit_in};
use super::outgoing::Outgoing;
use super::pace::{AudioPace, VideoPace};
use super::source::{AudioSource, VideoSource};
use super::stack::{AUDIO_PAYLOAD_TYPE, VIDEO_PAYLOAD_TYPE};
use crate::costs::cost;
use crate::media::audio::FRAME_SAMPLES;
use crate::media::level::level;
use crate::media::rtp_video::VIDEO_CLOCK;
use crate::media::{EncodedFrame, VideoPacketizer, VideoSettings};
use crate::observe::frames::Frame;

/// Largest RTP payload, bytes: with RTP, SRTP, TURN, UDP and IPv6 headers it stays below the
/// 1,280 bytes that every IPv6 path carries (RFC 8200 section 5).
pub const MAX_PAYLOAD: usize = 1_160;

/// Sets a flag when the receiver asks for a keyframe, and notes how much it wants at most, for as
/// long as the track lives.
pub async fn watch_requests(
    track: Arc<TrackLocalStaticRTP>,
    keyframe_wanted: Arc<AtomicBool>,
    estimate: Option<Arc<Estimate>>,
) {
    while let Some(event) = track.poll().await {
        let TrackLocalEvent::OnRtcpPacket(packets) = event else {
            continue;
        };
        if packets
            .iter()
            .any(|packet| asks_for_keyframe(packet.as_ref()))
        {
            keyframe_wanted.store(true, Ordering::Relaxed);
        }
        if let (Some(limit), Some(estimate)) = (limit_in(&packets), &estimate) {
            estimate.cap_video(limit);
        }
    }
}

/// What a camera's encoder is asked for.
pub fn video_settings(plan: &VideoPlan) -> VideoSettings {
    VideoSettings {
        width: plan.width as usize,
        height: plan.height as usize,
        fps: plan.fps,
        bitrate_bps: plan.bitrate_bps,
        max_payload: MAX_PAYLOAD,
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
    let settings = video_settings(&plan);
    let Some(mut source) = VideoSource::new(&context, settings) else {
        return;
    };
    let observatory = &context.observatory;
    observatory.codec(context.index, |codecs| codecs.video_encoders += 1);
    let fps = plan.fps;
    let mut pace = VideoPace::new(&context, outgoing.hop, plan);
    let mut packetizer = packetizer(&outgoing);
    while let Some(picture) = pictures.recv().await {
        if keyframe_wanted.swap(false, Ordering::Relaxed) {
            source.request_keyframe();
        }
        if context.plan.repair.keyframe_due(picture.number, fps) {
            source.request_keyframe();
        }
        let Some(settings) = pace.next(picture.number) else {
            continue; // Given up for the others.
        };
        let wanted = (settings, pace.price(&settings));
        let Ok(encoding) = source.encode(&context.environment, wanted, &picture) else {
            continue; // The CPU has counted it.
        };
        let encoded = match encoding.await {
            Ok(encoded) => encoded,
            Err(error) => {
                log::error!("{error}");
                continue;
            }
        };
        let packets = (&mut packetizer, fps);
        send_picture(&context, &outgoing, packets, &picture, &encoded).await;
    }
}

/// What puts the frames of a stream into packets.
pub fn packetizer(outgoing: &Outgoing) -> VideoPacketizer {
    VideoPacketizer::new(
        outgoing.ssrc,
        VIDEO_PAYLOAD_TYPE,
        outgoing.first_sequence,
        MAX_PAYLOAD,
    )
}

/// Sends a picture of a camera of `fps` that has just been encoded.
pub async fn send_picture(
    context: &Context,
    outgoing: &Outgoing,
    (packetizer, fps): (&mut VideoPacketizer, u32),
    picture: &Picture,
    encoded: &EncodedFrame,
) {
    let ticks = u64::from(picture.number) * u64::from(VIDEO_CLOCK) / u64::from(fps);
    let packets = packetizer.packetize(&encoded.data, ticks as u32);
    let mut frame = Frame::new(picture.number, picture.at, context.environment.now());
    frame.bytes = encoded.data.len() as u64;
    frame.keyframe = encoded.keyframe;
    report(context, outgoing, ticks as u32, frame, &packets);
    write(outgoing, packets).await;
}

/// Encodes and sends sound until the microphone ends. Where a CPU lets one packet wait, the next
/// one does not wait for that: both are in its queue.
pub async fn send_audio(
    context: Context,
    outgoing: Outgoing,
    plan: AudioPlan,
    mut sounds: mpsc::Receiver<Sound>,
) {
    let Some(mut source) = AudioSource::new(&context, plan.bitrate_bps) else {
        return;
    };
    let observatory = &context.observatory;
    observatory.codec(context.index, |codecs| codecs.audio_encoders += 1);
    let price = cost(&context.plan, |c| c.audio_encode_sample_ns, FRAME_SAMPLES);
    let environment = context.environment.as_ref();
    let level_id = outgoing.audio_level_id().await;
    let mut pace = AudioPace::new(&context, outgoing.hop, &plan);
    let mut sequence_number = outgoing.first_sequence;
    let mut encoding = VecDeque::new();
    loop {
        let done = encoding.front().map(|(done, _, _)| *done);
        tokio::select! {
            biased;
            () = sleep_until_some(environment, done) => {
                let (done, sound, payload) = encoding.pop_front().expect("it is done");
                let header = sound_header(&outgoing, &sound, sequence_number, level_id);
                send_sound(&context, &outgoing, (done, sound, payload), header).await;
                sequence_number = sequence_number.wrapping_add(1);
            }
            sound = sounds.recv() => {
                let Some(sound) = sound else { return };
                if let Some(Err(error)) = pace.change().map(|bps| source.set_bitrate(bps)) {
                    log::error!("{error}");
                }
                let job = || source.encode(&sound);
                match work_here(environment, Work::Encode, price, job) {
                    Ok((Ok(payload), done)) => encoding.push_back((done, sound, payload)),
                    Ok((Err(error), _)) => log::error!("{error}"),
                    Err(_) => {} // The CPU has counted it.
                }
            }
        }
    }
}

/// The header of a packet of sound, with its level if the other end wants it (RFC 6464).
fn sound_header(
    outgoing: &Outgoing,
    sound: &Sound,
    sequence_number: u16,
    level_id: Option<u8>,
) -> Header {
    let mut header = Header {
        version: 2,
        payload_type: AUDIO_PAYLOAD_TYPE,
        sequence_number,
        timestamp: sound.number.wrapping_mul(FRAME_SAMPLES as u32),
        ssrc: outgoing.ssrc,
        ..Header::default()
    };
    if let Some(id) = level_id {
        let level = Bytes::copy_from_slice(&[level(&sound.samples)]);
        header
            .set_extension(id, level)
            .expect("a byte fits into any kind of extension");
    }
    header
}

/// Sends sound that was encoded at `done`.
async fn send_sound(
    context: &Context,
    outgoing: &Outgoing,
    (done, sound, payload): (Time, Sound, Bytes),
    header: Header,
) {
    let timestamp = header.timestamp;
    let mut frame = Frame::new(sound.number, sound.from, done);
    frame.bytes = payload.len() as u64;
    let packets = vec![Packet { header, payload }];
    report(context, outgoing, timestamp, frame, &packets);
    write(outgoing, packets).await;
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
