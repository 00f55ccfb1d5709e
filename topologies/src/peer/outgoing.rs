//! The tracks that a participant sends over one connection.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rand::Rng;
use reports::record::Kind;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RTCRtpFecParameters,
    RTCRtpRtxParameters, RtpCodecKind,
};
use webrtc::error::Result;
use webrtc::media_stream::MediaStreamTrack;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::PeerConnection;
use webrtc::rtp_transceiver::RtpSender;

use super::Context;
use super::media::stream_id;
use super::stack::{audio_codec, audio_level_id, video_codec};
use super::{send, simulcast};
use crate::observe::frames::{HopKey, RepairKind};

/// What a participant sends over one connection, from when its tracks are added.
pub struct OutgoingTracks {
    context: Context,
    remote: u16,
    /// A track for each layer, the smallest first.
    video: Vec<Outgoing>,
    audio: Option<Outgoing>,
}

impl OutgoingTracks {
    /// Adds a track for each kind of media that the call has, and each layer of it.
    pub async fn add(
        context: &Context,
        remote: u16,
        connection: &dyn PeerConnection,
    ) -> Result<Self> {
        let hop = |kind| HopKey::first(context.index, remote, kind);
        let mut video = Vec::new();
        for layer in 0..context.plan.layers().len() {
            let hop = hop(Kind::Video).on_layer(layer as u8);
            video.push(add(context, hop, connection).await?);
        }
        let mut audio = None;
        if context.plan.audio.is_some() {
            audio = Some(add(context, hop(Kind::Audio), connection).await?);
        }
        Ok(OutgoingTracks {
            context: context.clone(),
            remote,
            video,
            audio,
        })
    }

    /// Starts to encode and send. Later calls do nothing.
    pub fn start(&mut self) {
        let runtime = self.context.environment.runtime();
        let mut video = std::mem::take(&mut self.video);
        match video.len() {
            0 => {}
            1 => self.start_video(video.remove(0)),
            _ => simulcast::start(&self.context, self.remote, video),
        }
        if let (Some(outgoing), Some(plan)) = (self.audio.take(), &self.context.plan.audio) {
            runtime.spawn(Box::pin(send::send_audio(
                self.context.clone(),
                outgoing,
                plan.clone(),
                self.context.capture.sounds.subscribe(self.remote),
            )));
        }
    }

    fn start_video(&self, outgoing: Outgoing) {
        let runtime = self.context.environment.runtime();
        let Some(plan) = self.context.plan.video.clone() else {
            return;
        };
        let wanted = Arc::new(AtomicBool::new(false));
        runtime.spawn(Box::pin(send::watch_requests(
            Arc::clone(&outgoing.track),
            Arc::clone(&wanted),
            self.context.estimates.of(self.remote),
        )));
        runtime.spawn(Box::pin(send::send_video(
            self.context.clone(),
            outgoing,
            plan,
            self.context.capture.pictures.subscribe(self.remote),
            wanted,
        )));
    }
}

impl Drop for OutgoingTracks {
    fn drop(&mut self) {
        self.context.capture.pictures.unsubscribe(self.remote);
        self.context.capture.sounds.unsubscribe(self.remote);
    }
}

async fn add(context: &Context, hop: HopKey, connection: &dyn PeerConnection) -> Result<Outgoing> {
    let outgoing = Outgoing::new(context, hop, 0);
    let track = Arc::clone(&outgoing.track) as Arc<dyn TrackLocal>;
    let sender = connection.add_track(track).await?;
    Ok(Outgoing {
        sender: Some(sender),
        ..outgoing
    })
}

/// An outgoing RTP stream.
pub struct Outgoing {
    /// Whose, what, and where to.
    pub hop: HopKey,
    /// The track that it is written to.
    pub track: Arc<TrackLocalStaticRTP>,
    /// Its synchronisation source.
    pub ssrc: u32,
    /// Its first sequence number.
    pub first_sequence: u16,
    /// What sends it, where that is of interest.
    pub sender: Option<Arc<dyn RtpSender>>,
}

impl Outgoing {
    /// A stream on `hop`, with an SSRC and a first sequence number of its own. Of several that use
    /// one hop in the course of a connection, each has its `generation`.
    pub fn new(context: &Context, hop: HopKey, generation: u32) -> Self {
        let HopKey {
            source,
            from,
            to,
            kind,
            layer,
        } = hop;
        let of_layer = match layer {
            0 => String::new(),
            layer => format!("/layer-{layer}"),
        };
        let name = format!(
            "rtp/{source}/{from}/{to}/{}/{generation}{of_layer}",
            kind.name()
        );
        let mut random = context.environment.random(&name);
        let ssrc = random.next_u32();
        let first_sequence = random.next_u32() as u16;
        let (codec_kind, codec) = match kind {
            Kind::Video => (RtpCodecKind::Video, video_codec()),
            Kind::Audio => (RtpCodecKind::Audio, audio_codec()),
        };
        let repair = repair_streams(context, hop, &mut random);
        let track = Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
            stream_id(source, layer),
            // Unique per connection and stream: the stack's maps are keyed by it.
            format!(
                "{}-{source}-{from}-{to}-{generation}{of_layer}",
                kind.name()
            ),
            kind.name().to_owned(),
            codec_kind,
            vec![encoding(ssrc, repair, codec)],
        )));
        context.observatory.source(ssrc, hop);
        Outgoing {
            hop,
            track,
            ssrc,
            first_sequence,
            sender: None,
        }
    }

    /// The id of the header extension for audio levels, if the other end wants them.
    pub async fn audio_level_id(&self) -> Option<u8> {
        let parameters = self.sender.as_ref()?.get_parameters().await.ok()?;
        audio_level_id(&parameters.rtp_parameters)
    }
}

/// The SSRCs of streams that repair one.
#[derive(Clone, Copy, Debug, Default)]
struct RepairStreams {
    rtx: Option<u32>,
    fec: Option<u32>,
}

/// Those of a stream on `hop`, if it is repaired by any.
fn repair_streams(context: &Context, hop: HopKey, random: &mut impl Rng) -> RepairStreams {
    if hop.kind != Kind::Video {
        return RepairStreams::default();
    }
    let repair = &context.plan.repair;
    let mut stream = |wanted: bool, kind| {
        let ssrc = wanted.then(|| random.next_u32())?;
        context.observatory.repairs(ssrc, hop, kind);
        Some(ssrc)
    };
    RepairStreams {
        rtx: stream(repair.rtx, RepairKind::Retransmission),
        fec: stream(repair.flexfec.is_some(), RepairKind::Fec),
    }
}

fn encoding(ssrc: u32, repair: RepairStreams, codec: RTCRtpCodec) -> RTCRtpEncodingParameters {
    RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            ssrc: Some(ssrc),
            rtx: repair.rtx.map(|ssrc| RTCRtpRtxParameters { ssrc }),
            fec: repair.fec.map(|ssrc| RTCRtpFecParameters { ssrc }),
            ..Default::default()
        },
        codec,
        ..Default::default()
    }
}
