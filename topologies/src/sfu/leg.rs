//! The SFU's connection with one participant.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use webrtc::error::Result;
use webrtc::media_stream::track_local::TrackLocal;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::PeerConnection;
use webrtc::rtp_transceiver::RtpSender;

use super::forward::{self, Subscription};
use super::room::{Epoch, Room, Source, Stay};
use crate::observe::frames::HopKey;
use crate::peer::connection::Renegotiate;
use crate::peer::media::Media;
use crate::peer::outgoing::Outgoing;
use crate::peer::participant::identify;

use crate::peer::stack::audio_level_id;

/// What the SFU and one participant send each other.
pub struct Leg {
    room: Arc<Room>,
    participant: u16,
    stay: Stay,
    announced: bool,
    connection: Option<Arc<dyn PeerConnection>>,
    added: BTreeMap<Source, Added>,
}

/// A track of the connection.
struct Added {
    epoch: Epoch,
    sender: Arc<dyn RtpSender>,
    subscription: Arc<Subscription>,
    /// The participant has accepted it.
    accepted: bool,
}

impl Leg {
    /// The leg of a participant that has just come.
    pub fn new(room: Arc<Room>, participant: u16, renegotiate: Renegotiate) -> Self {
        let stay = room.enter(participant, renegotiate);
        Leg {
            stay,
            room,
            participant,
            announced: false,
            connection: None,
            added: BTreeMap::new(),
        }
    }

    async fn remove_unwanted(
        &mut self,
        connection: &Arc<dyn PeerConnection>,
        wanted: &BTreeMap<Source, Epoch>,
    ) -> Result<()> {
        let stale = |(source, added): &(&Source, &Added)| wanted.get(source) != Some(&added.epoch);
        let stale: Vec<_> = self
            .added
            .iter()
            .filter(stale)
            .map(|(source, _)| *source)
            .collect();
        for source in stale {
            self.room.unsubscribe(self.participant, source);
            if let Some(added) = self.added.remove(&source) {
                connection.remove_track(&added.sender).await?;
            }
        }
        Ok(())
    }

    async fn add(
        &mut self,
        connection: &Arc<dyn PeerConnection>,
        source: Source,
        epoch: Epoch,
    ) -> Result<()> {
        let context = self.room.context();
        let hop = HopKey {
            source: source.participant,
            from: context.index,
            to: self.participant,
            kind: source.kind,
            layer: 0,
        };
        let outgoing = Outgoing::new(context, hop, epoch.0);
        let track = Arc::clone(&outgoing.track) as Arc<dyn TrackLocal>;
        let added = Added {
            epoch,
            sender: connection.add_track(track).await?,
            subscription: Arc::new(Subscription::new(outgoing)),
            accepted: false,
        };
        self.added.insert(source, added);
        Ok(())
    }

    /// The id of the header extension in which the participant announces audio levels.
    async fn audio_level_id(&self) -> Option<u8> {
        for receiver in self.connection.as_ref()?.get_receivers().await {
            let parameters = receiver.get_parameters().await.ok()?;
            if let Some(id) = audio_level_id(&parameters.rtp_parameters) {
                return Some(id);
            }
        }
        None
    }

    fn is_behind(&self) -> bool {
        let wanted = self.room.wanted_by(self.participant);
        let has = self
            .added
            .iter()
            .map(|(source, added)| (*source, added.epoch));
        wanted.into_iter().ne(has)
    }
}

#[async_trait]
impl Media for Leg {
    async fn before_offer(&mut self, connection: &Arc<dyn PeerConnection>) -> Result<()> {
        let wanted = self.room.wanted_by(self.participant);
        self.remove_unwanted(connection, &wanted).await?;
        for (source, epoch) in wanted {
            if !self.added.contains_key(&source) {
                self.add(connection, source, epoch).await?;
            }
        }
        Ok(())
    }

    async fn before_answer(&mut self, connection: &Arc<dyn PeerConnection>) -> Result<()> {
        self.connection = Some(Arc::clone(connection));
        if !std::mem::replace(&mut self.announced, true) {
            self.room.announce(self.participant);
        }
        Ok(())
    }

    fn negotiated(&mut self, offered: bool) -> bool {
        if offered {
            for (source, added) in &mut self.added {
                if !std::mem::replace(&mut added.accepted, true) {
                    let subscription = Arc::clone(&added.subscription);
                    forward::watch_requests(&self.room, *source, &subscription);
                    self.room.subscribe(self.participant, *source, subscription);
                }
            }
        }
        offered && self.is_behind()
    }

    fn connected(&mut self) {
        self.room.connected(self.participant);
    }

    async fn track(&mut self, track: Arc<dyn TrackRemote>) {
        let Some(origin) = identify(track.as_ref()).await else {
            return;
        };
        if origin.source != self.participant {
            return log::warn!("{} sends as {}", self.participant, origin.source);
        }
        let level_id = self.audio_level_id().await;
        forward::start(&self.room, origin, track, level_id).await;
    }

    fn left(&mut self, _source: u16) {}
}

impl Drop for Leg {
    fn drop(&mut self) {
        self.room.leave(self.participant, self.stay);
    }
}
