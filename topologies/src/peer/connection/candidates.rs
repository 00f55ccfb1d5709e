//! Candidates: when this end's are told, and what is done with the other end's.

use rtc::peer_connection::state::RTCIceGatheringState;
use rtc::peer_connection::transport::RTCIceCandidateInit;
use sim::Time;
use webrtc::error::Result;

use super::Connection;
use crate::infra::signaling::{Candidate, Signal};
use crate::peer::ice_tcp::IceTcp;
use crate::peer::negotiation::DescriptionKind;

/// What candidates of an address of the host itself say (RFC 8839 section 5.1).
const HOST: &str = " typ host";

impl Connection {
    /// The stack found a candidate: it is signalled now, or in a description.
    pub(super) fn found(&mut self, candidate: RTCIceCandidateInit) {
        self.reflexive |= !candidate.candidate.contains(HOST);
        let concealed = |tcp: &IceTcp| tcp.conceals(&candidate.candidate);
        let concealed = self.host.ice_tcp.as_ref().is_some_and(concealed);
        if (self.context.plan.stack.trickle || self.incomplete) && !concealed {
            self.say(Signal::Candidate(from_stack(candidate)));
        }
    }

    pub(super) async fn impatient(&mut self, waits_since: Time) -> Result<()> {
        let waiting = |(_, since): (DescriptionKind, Time)| since == waits_since;
        if self.reflexive || !self.unsent.is_some_and(waiting) {
            return Ok(());
        }
        self.incomplete = true;
        self.send_unsent().await
    }

    pub(super) async fn gathering(&mut self, state: RTCIceGatheringState) -> Result<()> {
        self.gathered = state == RTCIceGatheringState::Complete;
        if !self.gathered {
            return Ok(());
        }
        self.incomplete = false;
        self.send_unsent().await
    }

    /// Sends the description that waits, if one does.
    async fn send_unsent(&mut self) -> Result<()> {
        let Some((kind, since)) = self.unsent.take() else {
            return Ok(());
        };
        if kind == DescriptionKind::Offer {
            self.log(|end, now| {
                if end.negotiated.is_none() {
                    end.gathering = now.saturating_since(since);
                }
            });
        }
        self.send_description(kind).await
    }

    pub(super) fn gather_again(&mut self) {
        (self.gathered, self.reflexive, self.incomplete) = (false, false, false);
        (self.host.use_relays)(true);
    }

    pub(super) async fn remote_candidate(&mut self, candidate: Candidate) -> Result<()> {
        let candidate = to_stack(candidate);
        if !self.remote_known {
            self.early_candidates.push(candidate);
            return Ok(());
        }
        match self.connection.add_ice_candidate(candidate).await {
            Err(_) if self.negotiation.candidate_may_fail() => Ok(()),
            result => result,
        }
    }
}

/// A candidate as the stack has it.
fn to_stack(candidate: Candidate) -> RTCIceCandidateInit {
    RTCIceCandidateInit {
        candidate: candidate.candidate,
        sdp_mid: candidate.sdp_mid,
        sdp_mline_index: candidate.sdp_mline_index,
        username_fragment: candidate.username_fragment,
        ..Default::default()
    }
}

/// A candidate as signalling has it.
fn from_stack(candidate: RTCIceCandidateInit) -> Candidate {
    Candidate {
        candidate: candidate.candidate,
        sdp_mid: candidate.sdp_mid,
        sdp_mline_index: candidate.sdp_mline_index,
        username_fragment: candidate.username_fragment,
    }
}
