//! What a participant sends and receives over one connection.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rand::RngExt;
use reports::record::Kind;
use rtc::rtp_transceiver::rtp_sender::RtpCodecKind;
use rtc::rtp_transceiver::{RTCRtpTransceiverDirection, RTCRtpTransceiverInit};
use tokio::sync::mpsc;
use webrtc::error::Result;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::PeerConnection;
use webrtc::runtime::JoinHandle;

use super::Context;
use super::capture::SOUND;
use super::clock::DeviceClock;
use super::display::{self, REFRESH};
use super::loudspeaker;
use super::media::{Media, source_of};
use super::outgoing::OutgoingTracks;
use super::receive::{self, SoundQueue};
use crate::observe::frames::HopKey;

/// Camera and microphone out, displays and loudspeakers in.
pub struct ParticipantMedia {
    context: Context,
    remote: u16,
    ready: bool,
    outgoing: Option<OutgoingTracks>,
    /// What receives each track, by whose and what it is.
    incoming: BTreeMap<(u16, Kind), Vec<Box<dyn JoinHandle>>>,
}

impl ParticipantMedia {
    /// The media between a participant and host `remote`.
    pub fn new(context: Context, remote: u16) -> Self {
        ParticipantMedia {
            context,
            remote,
            ready: false,
            outgoing: None,
            incoming: BTreeMap::new(),
        }
    }

    async fn prepare(&mut self, connection: &Arc<dyn PeerConnection>, offers: bool) -> Result<()> {
        if std::mem::replace(&mut self.ready, true) {
            return Ok(());
        }
        let Context { plan, index, .. } = &self.context;
        if plan.sends_to(*index, self.remote) {
            let tracks = OutgoingTracks::add(&self.context, self.remote, connection.as_ref());
            self.outgoing = Some(tracks.await?);
        } else if offers {
            for kind in self.context.kinds() {
                let kind = match kind {
                    Kind::Video => RtpCodecKind::Video,
                    Kind::Audio => RtpCodecKind::Audio,
                };
                let init = RTCRtpTransceiverInit {
                    direction: RTCRtpTransceiverDirection::Recvonly,
                    ..Default::default()
                };
                connection
                    .add_transceiver_from_kind(kind, Some(init))
                    .await?;
            }
        }
        Ok(())
    }

    fn end(&mut self, stream: (u16, Kind)) {
        for task in self.incoming.remove(&stream).unwrap_or_default() {
            task.abort();
        }
    }

    fn receive(&self, hop: HopKey, track: Arc<dyn TrackRemote>) -> Vec<Box<dyn JoinHandle>> {
        let context = || self.context.clone();
        let runtime = self.context.environment.runtime();
        match hop.kind {
            Kind::Video => {
                let (pictures, queue) = mpsc::unbounded_channel();
                let clock = DeviceClock::new(self.phase(hop.kind, REFRESH), REFRESH);
                let shown = display::run_display(context(), hop, clock, queue);
                let received = receive::receive_video(context(), hop, track, pictures);
                vec![
                    runtime.spawn(Box::pin(shown)),
                    runtime.spawn(Box::pin(received)),
                ]
            }
            Kind::Audio => {
                let queue = Arc::new(SoundQueue::default());
                let clock = DeviceClock::new(self.phase(hop.kind, SOUND), SOUND);
                let played =
                    loudspeaker::run_loudspeaker(context(), hop, clock, Arc::clone(&queue));
                let context = context();
                let received = async move {
                    receive::receive_audio(context, hop, track, |packet| queue.push(packet)).await;
                    queue.end();
                };
                vec![
                    runtime.spawn(Box::pin(played)),
                    runtime.spawn(Box::pin(received)),
                ]
            }
        }
    }

    /// Where in its period the participant's device ticks: the same for all of its streams.
    fn phase(&self, kind: Kind, period: Duration) -> Duration {
        let name = format!("device/{}/{}", self.context.index, kind.name());
        let mut random = self.context.environment.random(&name);
        period.mul_f64(random.random::<f64>())
    }
}

#[async_trait]
impl Media for ParticipantMedia {
    async fn before_offer(&mut self, connection: &Arc<dyn PeerConnection>) -> Result<()> {
        self.prepare(connection, true).await
    }

    async fn before_answer(&mut self, connection: &Arc<dyn PeerConnection>) -> Result<()> {
        self.prepare(connection, false).await
    }

    fn negotiated(&mut self, _offered: bool) -> bool {
        false
    }

    fn connected(&mut self) {
        if let Some(outgoing) = &mut self.outgoing {
            outgoing.start();
        }
    }

    async fn track(&mut self, track: Arc<dyn TrackRemote>) {
        let Some(Origin { source, kind, .. }) = identify(track.as_ref()).await else {
            return;
        };
        let hop = HopKey {
            source,
            from: self.remote,
            to: self.context.index,
            kind,
            layer: 0,
        };
        self.end((source, kind));
        let tasks = self.receive(hop, track);
        self.incoming.insert((source, kind), tasks);
    }

    fn left(&mut self, source: u16) {
        for kind in [Kind::Video, Kind::Audio] {
            self.end((source, kind));
        }
    }
}

/// What a track carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Whose.
    pub source: u16,
    /// What.
    pub kind: Kind,
    /// Which layer of it.
    pub layer: u8,
}

/// What a track carries, if that can be told.
pub async fn identify(track: &dyn TrackRemote) -> Option<Origin> {
    let kind = match track.kind().await {
        RtpCodecKind::Video => Kind::Video,
        RtpCodecKind::Audio => Kind::Audio,
        _ => {
            log::warn!("a track of no kind");
            return None;
        }
    };
    let stream = track.stream_id().await;
    let Some((source, layer)) = source_of(&stream) else {
        log::warn!("a track of stream {stream:?}, which is nobody's");
        return None;
    };
    Some(Origin {
        source,
        kind,
        layer,
    })
}
