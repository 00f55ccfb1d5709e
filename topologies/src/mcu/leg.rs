//! The MCU's connection with one participant.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use reports::record::Kind;
use webrtc::error::Result;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::media_stream::track_local::{TrackLocal, TrackLocalEvent};
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::PeerConnection;
use webrtc::runtime::JoinHandle;

use super::incoming;
use super::outlet::{Outlets, SoundOutlet, VideoOutlet};
use super::room::{Room, Stay};
use crate::observe::frames::HopKey;
use crate::peer::media::Media;
use crate::peer::outgoing::Outgoing;
use crate::peer::participant::{Origin, identify};

/// What the MCU and one participant send each other: a track of each kind, each way.
pub struct Leg {
    room: Arc<Room>,
    stay: Stay,
    ready: bool,
    /// Until the leg can carry packets.
    outlets: Option<Outlets>,
    /// What receives each track.
    incoming: BTreeMap<Kind, Vec<Box<dyn JoinHandle>>>,
}

impl Leg {
    /// The leg of a participant that has just come.
    pub fn new(room: Arc<Room>, participant: u16) -> Self {
        Leg {
            stay: room.enter(participant),
            room,
            ready: false,
            outlets: None,
            incoming: BTreeMap::new(),
        }
    }

    async fn prepare(&mut self, connection: &Arc<dyn PeerConnection>) -> Result<()> {
        if std::mem::replace(&mut self.ready, true) {
            return Ok(());
        }
        let context = self.room.context();
        let (mut video, mut sound) = (None, None);
        if context.plan.video.is_some() {
            let outgoing = self.add(connection, Kind::Video).await?;
            self.watch_requests(Arc::clone(&outgoing.track));
            video = Some(Arc::new(VideoOutlet::new(context, outgoing)));
        }
        if context.plan.audio.is_some() {
            let outgoing = self.add(connection, Kind::Audio).await?;
            sound = Some(Arc::new(SoundOutlet::new(context, outgoing)));
        }
        self.outlets = Some(Outlets { video, sound });
        Ok(())
    }

    async fn add(&self, connection: &Arc<dyn PeerConnection>, kind: Kind) -> Result<Outgoing> {
        let context = self.room.context();
        let hop = HopKey::first(context.index, self.stay.participant, kind);
        let outgoing = Outgoing::new(context, hop, 0);
        let track = Arc::clone(&outgoing.track) as Arc<dyn TrackLocal>;
        connection.add_track(track).await?;
        Ok(outgoing)
    }

    /// Passes the participant's keyframe requests on, for as long as its track lives.
    fn watch_requests(&self, track: Arc<TrackLocalStaticRTP>) {
        let runtime = self.room.context().environment.runtime();
        let (room, stay) = (Arc::clone(&self.room), self.stay);
        runtime.spawn(Box::pin(async move {
            while let Some(event) = track.poll().await {
                if let TrackLocalEvent::OnRtcpPacket(_) = event {
                    room.want_keyframe(stay);
                }
            }
        }));
    }

    fn end(&mut self, kind: Kind) {
        for task in self.incoming.remove(&kind).unwrap_or_default() {
            task.abort();
        }
    }
}

#[async_trait]
impl Media for Leg {
    async fn before_offer(&mut self, connection: &Arc<dyn PeerConnection>) -> Result<()> {
        self.prepare(connection).await
    }

    async fn before_answer(&mut self, connection: &Arc<dyn PeerConnection>) -> Result<()> {
        self.prepare(connection).await
    }

    fn negotiated(&mut self, _offered: bool) -> bool {
        false
    }

    fn connected(&mut self) {
        if let Some(outlets) = self.outlets.take() {
            self.room.connected(self.stay, outlets);
        }
    }

    async fn track(&mut self, track: Arc<dyn TrackRemote>) {
        let Some(Origin { source, kind, .. }) = identify(track.as_ref()).await else {
            return;
        };
        if source != self.stay.participant {
            return log::warn!("{} sends as {source}", self.stay.participant);
        }
        self.end(kind);
        let tasks = incoming::receive(&self.room, self.stay, kind, track);
        self.incoming.insert(kind, tasks);
    }

    fn left(&mut self, _source: u16) {}
}

impl Drop for Leg {
    fn drop(&mut self) {
        self.room.leave(self.stay);
        self.end(Kind::Video);
        self.end(Kind::Audio);
    }
}
