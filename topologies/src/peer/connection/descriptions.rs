//! Descriptions: when they are made and sent, and what comes of the other end's.

use rtc::peer_connection::sdp::RTCSessionDescription;
use std::time::Duration;
use webrtc::error::Result;

use super::{Connection, Input};
use crate::infra::signaling::Signal;
use crate::peer::ice_tcp;
use crate::peer::negotiation::{Decision, DescriptionKind};

/// How long a description waits for STUN and TURN if neither answers: the first request and one
/// repetition (RFC 8489 section 6.2.1), which no path outlasts that could carry a call. The stack
/// would wait for all repetitions, and whoever has no UDP for as long to say by what it has instead.
const PATIENCE: Duration = Duration::from_secs(1);

impl Connection {
    pub(super) async fn negotiate(&mut self) -> Result<()> {
        if self.negotiation.needed() {
            self.offer().await?;
        }
        Ok(())
    }

    async fn offer(&mut self) -> Result<()> {
        self.media.before_offer(&self.connection).await?;
        let offer = self.connection.create_offer(None).await?;
        self.connection.set_local_description(offer).await?;
        self.send_when_gathered(DescriptionKind::Offer).await
    }

    async fn send_when_gathered(&mut self, kind: DescriptionKind) -> Result<()> {
        if self.context.plan.stack.trickle || self.gathered {
            return self.send_description(kind).await;
        }
        let now = self.context.environment.now();
        self.unsent = Some((kind, now));
        self.later(PATIENCE, Input::Impatient(now));
        Ok(())
    }

    pub(super) async fn send_description(&mut self, kind: DescriptionKind) -> Result<()> {
        let Some(description) = self.connection.local_description().await else {
            return Ok(());
        };
        let sdp = match &self.host.ice_tcp {
            Some(tcp) => tcp.signaled(description.sdp),
            None => description.sdp,
        };
        self.say(match kind {
            DescriptionKind::Offer => Signal::Offer(sdp),
            DescriptionKind::Answer => Signal::Answer(sdp),
        });
        if kind == DescriptionKind::Answer {
            self.completed(false);
        }
        Ok(())
    }

    /// An exchange of descriptions has ended; the next one may begin.
    fn completed(&mut self, offered: bool) {
        let wanted = self.media.negotiated(offered);
        if self.negotiation.completed() || wanted {
            // The receiving half is read by this very task.
            let _ = self.own_inputs.send(Input::Negotiate);
        }
    }

    pub(super) async fn described(&mut self, kind: DescriptionKind, sdp: String) -> Result<()> {
        match self.negotiation.received(kind) {
            Decision::Ignore => return Ok(()),
            Decision::Apply => {}
            Decision::RollBackAndApply => {
                self.unsent = None;
                let rollback = RTCSessionDescription::rollback(None)?;
                self.connection.set_local_description(rollback).await?;
            }
        }
        self.enter_session(kind, &sdp);
        let description = match kind {
            DescriptionKind::Offer => RTCSessionDescription::offer(sdp)?,
            DescriptionKind::Answer => RTCSessionDescription::answer(sdp)?,
        };
        self.connection.set_remote_description(description).await?;
        self.remote_known = true;
        for candidate in std::mem::take(&mut self.early_candidates) {
            self.connection.add_ice_candidate(candidate).await?;
        }
        match kind {
            DescriptionKind::Offer => self.answer().await,
            DescriptionKind::Answer => {
                self.answered();
                Ok(())
            }
        }
    }

    /// In each session of ICE, adds what is to be connected to by TCP like candidates that come one
    /// by one. An offer that begins another session makes this end gather again, too.
    fn enter_session(&mut self, kind: DescriptionKind, sdp: &str) {
        let fragment = ice_tcp::fragment(sdp);
        if self.remote_fragment.as_deref() == fragment {
            return;
        }
        let first = self.remote_fragment.is_none();
        self.remote_fragment = fragment.map(str::to_owned);
        if let Some(tcp) = &self.host.ice_tcp {
            self.early_candidates.extend(tcp.to_connect_to(sdp));
        }
        if kind == DescriptionKind::Offer && !first {
            self.gather_again();
        }
    }

    async fn answer(&mut self) -> Result<()> {
        self.media.before_answer(&self.connection).await?;
        let answer = self.connection.create_answer(None).await?;
        self.connection.set_local_description(answer).await?;
        self.log(|end, now| end.negotiated = end.negotiated.or(Some(now)));
        self.send_when_gathered(DescriptionKind::Answer).await
    }

    fn answered(&mut self) {
        self.log(|end, now| end.negotiated = end.negotiated.or(Some(now)));
        self.completed(true);
    }
}
