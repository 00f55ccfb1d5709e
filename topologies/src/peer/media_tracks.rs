//! The tracks that a connection sends.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rand::Rng;
use reports::record::Kind;
use rtc::rtp_transceiver::rtp_sender::{
    RTCRtpCodec, RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind,
};
use webrtc::error::Result;
use webrtc::media_stream::MediaStreamTrack;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::PeerConnection;

use super::Context;
use super::send::{self, Outgoing};
use super::stack::{audio_codec, video_codec};
use crate::observe::StreamKey;

/// What a connection sends, from when its tracks are added.
pub(super) struct MediaTracks {
    context: Context,
    remote: u16,
    video: Option<Outgoing>,
    audio: Option<Outgoing>,
}

impl MediaTracks {
    /// Adds a track for each kind of media that the call has.
    pub(super) async fn add(
        context: &Context,
        remote: u16,
        connection: &dyn PeerConnection,
    ) -> Result<Self> {
        let mut video = None;
        if context.plan.video.is_some() {
            video = Some(add(context, remote, connection, Kind::Video).await?);
        }
        let mut audio = None;
        if context.plan.audio.is_some() {
            audio = Some(add(context, remote, connection, Kind::Audio).await?);
        }
        Ok(MediaTracks {
            context: context.clone(),
            remote,
            video,
            audio,
        })
    }

    /// Starts to encode and send. Later calls do nothing.
    pub(super) fn start(&mut self) {
        let runtime = self.context.environment.runtime();
        if let (Some(outgoing), Some(plan)) = (self.video.take(), &self.context.plan.video) {
            let wanted = Arc::new(AtomicBool::new(false));
            runtime.spawn(Box::pin(send::watch_keyframe_requests(
                Arc::clone(&outgoing.track),
                Arc::clone(&wanted),
            )));
            runtime.spawn(Box::pin(send::send_video(
                self.context.clone(),
                outgoing,
                plan.clone(),
                self.context.capture.pictures.subscribe(self.remote),
                wanted,
            )));
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
}

impl Drop for MediaTracks {
    fn drop(&mut self) {
        self.context.capture.pictures.unsubscribe(self.remote);
        self.context.capture.sounds.unsubscribe(self.remote);
    }
}

async fn add(
    context: &Context,
    remote: u16,
    connection: &dyn PeerConnection,
    kind: Kind,
) -> Result<Outgoing> {
    let key = StreamKey {
        sender: context.index,
        receiver: remote,
        kind,
    };
    let name = format!("rtp/{}/{}/{}", key.sender, key.receiver, kind.name());
    let mut random = context.environment.random(&name);
    let ssrc = random.next_u32();
    let first_sequence = random.next_u32() as u16;
    let (codec_kind, codec) = match kind {
        Kind::Video => (RtpCodecKind::Video, video_codec()),
        Kind::Audio => (RtpCodecKind::Audio, audio_codec()),
    };
    let track = Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
        format!("participant-{}", key.sender),
        // Unique per connection: the stack's maps are keyed by it.
        format!("{}-{}-{}", kind.name(), key.sender, key.receiver),
        kind.name().to_owned(),
        codec_kind,
        vec![encoding(ssrc, codec)],
    )));
    connection
        .add_track(Arc::clone(&track) as Arc<dyn TrackLocal>)
        .await?;
    context.observatory.source(ssrc, key);
    Ok(Outgoing {
        key,
        track,
        ssrc,
        first_sequence,
    })
}

fn encoding(ssrc: u32, codec: RTCRtpCodec) -> RTCRtpEncodingParameters {
    RTCRtpEncodingParameters {
        rtp_coding_parameters: RTCRtpCodingParameters {
            ssrc: Some(ssrc),
            ..Default::default()
        },
        codec,
        ..Default::default()
    }
}
