//! Mixes on their way to one participant.

use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use rtc::rtp::header::Header;
use rtc::rtp::packet::Packet;

use super::audience::Audience;
use super::desk::Mixed;
use super::studio::Composed;
use crate::media::VideoPacketizer;
use crate::observe::frames::Frame;
use crate::peer::Context;
use crate::peer::outgoing::Outgoing;
use crate::peer::send::{self, MAX_PAYLOAD};
use crate::peer::stack::{AUDIO_PAYLOAD_TYPE, VIDEO_PAYLOAD_TYPE};

/// Everything that one participant is sent.
#[derive(Clone)]
pub struct Outlets {
    /// Composed pictures; `None` in a call without video.
    pub video: Option<Arc<VideoOutlet>>,
    /// Mixed sound; `None` in a call without audio.
    pub sound: Option<Arc<SoundOutlet>>,
}

/// Sends composed pictures to one participant.
pub struct VideoOutlet {
    context: Context,
    /// Whose pictures they are.
    pub audience: Audience,
    outgoing: Outgoing,
    packetizer: Mutex<VideoPacketizer>,
    /// A keyframe was sent.
    started: AtomicBool,
}

impl VideoOutlet {
    /// An outlet by which nothing went.
    pub fn new(context: &Context, outgoing: Outgoing) -> Self {
        let (ssrc, sequence) = (outgoing.ssrc, outgoing.first_sequence);
        let packetizer = VideoPacketizer::new(ssrc, VIDEO_PAYLOAD_TYPE, sequence, MAX_PAYLOAD);
        VideoOutlet {
            context: context.clone(),
            audience: Audience::of_pictures(&context.plan, outgoing.hop.to),
            outgoing,
            packetizer: Mutex::new(packetizer),
            started: AtomicBool::new(false),
        }
    }

    /// The participant that it sends to.
    pub fn participant(&self) -> u16 {
        self.outgoing.hop.to
    }

    /// Sends a picture: the first one that can be decoded, and all after it.
    pub async fn send(&self, picture: &Composed, mut frame: Frame, timestamp: u32) {
        let encoded = &picture.encoded;
        if !self.started.fetch_or(encoded.keyframe, Ordering::Relaxed) && !encoded.keyframe {
            return;
        }
        frame.bytes = encoded.data.len() as u64;
        frame.keyframe = encoded.keyframe;
        frame.mix = Some(Arc::clone(&picture.mix));
        let packets = {
            let packetizer = self.packetizer.lock();
            let mut packetizer = packetizer.expect("no packetizer panics");
            packetizer.packetize(&encoded.data, timestamp)
        };
        send::report(&self.context, &self.outgoing, timestamp, frame, &packets);
        send::write(&self.outgoing, packets).await;
    }
}

/// Sends mixed sound to one participant.
pub struct SoundOutlet {
    context: Context,
    /// Whose sound it is.
    pub audience: Audience,
    outgoing: Outgoing,
    sequence: AtomicU16,
}

impl SoundOutlet {
    /// An outlet by which nothing went.
    pub fn new(context: &Context, outgoing: Outgoing) -> Self {
        SoundOutlet {
            context: context.clone(),
            audience: Audience::of_sound(&context.plan, outgoing.hop.to),
            sequence: AtomicU16::new(outgoing.first_sequence),
            outgoing,
        }
    }

    /// The participant that it sends to.
    pub fn participant(&self) -> u16 {
        self.outgoing.hop.to
    }

    /// Sends 20 ms.
    pub async fn send(&self, sound: &Mixed, mut frame: Frame, timestamp: u32) {
        frame.bytes = sound.payload.len() as u64;
        frame.mix = Some(Arc::clone(&sound.mix));
        let header = Header {
            version: 2,
            payload_type: AUDIO_PAYLOAD_TYPE,
            // Wraps.
            sequence_number: self.sequence.fetch_add(1, Ordering::Relaxed),
            timestamp,
            ssrc: self.outgoing.ssrc,
            ..Header::default()
        };
        let payload = sound.payload.clone();
        let packets = vec![Packet { header, payload }];
        send::report(&self.context, &self.outgoing, timestamp, frame, &packets);
        send::write(&self.outgoing, packets).await;
    }
}
