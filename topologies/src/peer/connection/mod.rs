//! One peer connection: negotiated over signalling, carrying media both ways.
//!
//! - [`descriptions`]: offers and answers; [`candidates`]: when one is told, and when to wait;
//! - [`restarts`]: of ICE, when nothing is heard of the other end;
//! - [`build`]: the stack's half.

mod build;
mod candidates;
mod descriptions;
mod restarts;

use rtc::peer_connection::state::{
    RTCIceConnectionState, RTCIceGatheringState, RTCPeerConnectionState,
};
use rtc::peer_connection::transport::{RTCIceCandidate, RTCIceCandidateInit};
use sim::Time;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use webrtc::error::Result;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::PeerConnection;

use super::Context;
use super::channels::Passwords;
use super::ecn::Codepoints;
use super::environment::ConnectionRuntime;
use super::ice_servers::IceServers;
use super::media::Media;
use super::negotiation::{DescriptionKind, Negotiation};
use super::runtime::OwnRuntime;
use crate::infra::signaling::Signal;

/// What a connection reacts to.
pub enum Input {
    /// Offer: the first time, or because something changed.
    Negotiate,
    /// The other end said something.
    Signal(Signal),
    /// Write down how the connection stands.
    Report,
    /// STUN and TURN are to be reached so from the next gathering on.
    Servers(IceServers),
    /// Close the connection; nothing follows.
    Close,
    /// The stack found a candidate.
    Candidate(RTCIceCandidateInit),
    /// It has waited long enough for a server to answer in gathering, since then.
    Impatient(Time),
    /// The other end, which is to restart ICE, has had time to; then it had this fragment.
    Overdue(Option<String>),
    /// The stack's gathering changed.
    Gathering(RTCIceGatheringState),
    /// ICE changed.
    Ice(RTCIceConnectionState),
    /// ICE or DTLS changed.
    State(RTCPeerConnectionState),
    /// The other end's media begins.
    Track(Arc<dyn TrackRemote>),
    /// Somebody whose media may come over this connection left the call.
    Left(u16),
}

/// Asks a connection to offer again, because what it should carry has changed.
#[derive(Clone)]
pub struct Renegotiate(mpsc::UnboundedSender<Input>);

impl Renegotiate {
    /// Asks for it.
    pub fn needed(&self) {
        // A connection that has ended carries nothing.
        let _ = self.0.send(Input::Negotiate);
    }
}

/// The name of the candidate type of a relayed address (RFC 8839 section 5.1).
pub const RELAY: &str = "relay";

/// One end of a connection.
pub struct Connection {
    context: Context,
    remote: u16,
    connection: Arc<dyn PeerConnection>,
    host: ConnectionRuntime,
    passwords: Passwords,
    negotiation: Negotiation,
    signals: mpsc::UnboundedSender<(u16, Signal)>,
    /// For what it has to do later.
    own_inputs: mpsc::UnboundedSender<Input>,
    media: Box<dyn Media>,
    remote_known: bool,
    early_candidates: Vec<RTCIceCandidateInit>,
    gathered: bool,
    /// The other end's user name fragment, another one in each session of ICE.
    remote_fragment: Option<String>,
    /// STUN or TURN have answered.
    reflexive: bool,
    /// A description went before gathering was complete; what is found later follows it.
    incomplete: bool,
    /// Nothing is heard of the other end.
    lost: bool,
    /// A description that waits for the end of gathering, and when it was applied.
    unsent: Option<(DescriptionKind, Time)>,
}

impl Connection {
    /// Starts an end towards host `remote`, which carries `media`. It lives until it is told to
    /// close; what it has to say goes to `signals`.
    ///
    /// # Errors
    ///
    /// What the stack reports while it is set up.
    pub async fn start(
        context: Context,
        remote: u16,
        servers: &IceServers,
        signals: mpsc::UnboundedSender<(u16, Signal)>,
        media: impl FnOnce(Renegotiate) -> Box<dyn Media>,
    ) -> Result<mpsc::UnboundedSender<Input>> {
        let (inputs, queue) = mpsc::unbounded_channel();
        let media = media(Renegotiate(inputs.clone()));
        let host = context.environment.connection_runtime();
        let passwords = Passwords::default();
        servers.tell(&passwords);
        let own = OwnRuntime {
            runtime: Arc::clone(&host.runtime),
            ice_tcp: host.ice_tcp.clone(),
            channels_of: context
                .plan
                .stack
                .steady_channels
                .then(|| passwords.clone()),
            codepoints: context.plan.congestion.ecn.then(Codepoints::default),
        };
        let connection = build::build(&context, remote, servers, own, inputs.clone()).await?;
        let runtime = context.environment.runtime();
        let end = Connection {
            // Any rule will do on which both ends agree. Servers have the largest index, and never
            // take an offer back.
            negotiation: Negotiation::new(context.index < remote),
            context,
            remote,
            connection,
            host,
            passwords,
            signals,
            own_inputs: inputs.clone(),
            media,
            remote_known: false,
            early_candidates: Vec::new(),
            gathered: false,
            remote_fragment: None,
            reflexive: false,
            incomplete: false,
            lost: false,
            unsent: None,
        };
        runtime.spawn(Box::pin(end.run(queue)));
        Ok(inputs)
    }

    async fn run(mut self, mut inputs: mpsc::UnboundedReceiver<Input>) {
        while let Some(input) = inputs.recv().await {
            if matches!(input, Input::Close) {
                break;
            }
            if let Err(error) = self.react(input).await {
                log::warn!(
                    "connection {} to {}: {error}",
                    self.context.index,
                    self.remote
                );
            }
        }
        drop(self.media);
        if let Err(error) = self.connection.close().await {
            log::debug!("{error}");
        }
    }

    async fn react(&mut self, input: Input) -> Result<()> {
        match input {
            Input::Negotiate => self.negotiate().await,
            Input::Signal(Signal::Offer(sdp)) => self.described(DescriptionKind::Offer, sdp).await,
            Input::Signal(Signal::Answer(sdp)) => {
                self.described(DescriptionKind::Answer, sdp).await
            }
            Input::Signal(Signal::Candidate(candidate)) => self.remote_candidate(candidate).await,
            Input::Candidate(candidate) => {
                self.found(candidate);
                Ok(())
            }
            Input::Overdue(fragment) => self.overdue(fragment).await,
            Input::Impatient(since) => self.impatient(since).await,
            Input::Gathering(state) => self.gathering(state).await,
            Input::Ice(state) => {
                if state == RTCIceConnectionState::Connected {
                    self.log(|end, now| end.ice_connected = end.ice_connected.or(Some(now)));
                }
                Ok(())
            }
            Input::State(state) => self.state(state).await,
            Input::Track(track) => {
                self.media.track(track).await;
                Ok(())
            }
            Input::Left(source) => {
                self.media.left(source);
                Ok(())
            }
            Input::Report => {
                self.report().await;
                Ok(())
            }
            Input::Servers(servers) => {
                servers.tell(&self.passwords);
                let configuration = build::configuration(&self.context, &servers);
                self.connection.set_configuration(configuration).await
            }
            Input::Close => Ok(()),
        }
    }

    fn say(&self, signal: Signal) {
        // If nobody listens any more the participant has left.
        let _ = self.signals.send((self.remote, signal));
    }

    fn log(&self, change: impl FnOnce(&mut crate::observe::calls::EndLog, Time)) {
        let now = self.context.environment.now();
        let mut observations = self.context.observatory.lock();
        change(observations.calls.end(self.context.index, self.remote), now);
    }

    /// Reacts to an input after some time.
    fn later(&self, wait: Duration, input: Input) {
        let (runtime, inputs) = (self.context.environment.runtime(), self.own_inputs.clone());
        let wait = runtime.sleep(wait);
        runtime.spawn(Box::pin(async move {
            wait.await;
            // A connection that has ended waits for nothing.
            let _ = inputs.send(input);
        }));
    }

    async fn report(&self) {
        if let Some((candidates, transport)) = selected_pair(self.connection.as_ref()).await {
            let relayed = candidates.0 == RELAY;
            (self.host.use_relays)(relayed);
            self.log(|end, _| {
                end.candidates = Some(candidates);
                end.transport = Some(transport);
            });
        }
    }
}

/// Types of the selected pair's candidates, local and remote, and what they are reached by.
async fn selected_pair(connection: &dyn PeerConnection) -> Option<((String, String), String)> {
    let senders = connection.get_senders().await;
    let transport = match senders.first() {
        Some(sender) => sender.transport().await.ok()??,
        None => connection.sctp().await?.transport(),
    };
    let ice = transport.ice_transport();
    let pair = ice.get_selected_candidate_pair().await.ok()??;
    let kind = |candidate: &RTCIceCandidate| candidate.typ.to_string();
    let transport = pair.local().protocol.to_string();
    Some(((kind(pair.local()), kind(pair.remote())), transport))
}
