//! One peer connection: negotiated over signalling, carrying media both ways.

use rtc::peer_connection::configuration::{
    RTCConfiguration, RTCConfigurationBuilder, RTCIceTransportPolicy,
};
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::state::{
    RTCIceConnectionState, RTCIceGatheringState, RTCPeerConnectionState,
};
use rtc::peer_connection::transport::{RTCIceCandidate, RTCIceCandidateInit};
use scenarios::TransportPolicy;
use sim::Time;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use webrtc::error::Result;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCPeerConnectionIceEvent,
};

use super::Context;
use super::channels::Passwords;
use super::congestion::Watching;
use super::ecn::Codepoints;
use super::environment::{ConnectionRuntime, Environment};
use super::ice_servers::IceServers;
use super::ice_tcp::{self, IceTcp};
use super::media::Media;
use super::negotiation::{Decision, DescriptionKind, Negotiation};
use super::repair::RepairLog;
use super::runtime::OwnRuntime;
use super::stack;
use crate::infra::signaling::{Candidate, Signal};

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

/// What candidates of an address of the host itself say (RFC 8839 section 5.1).
const HOST: &str = " typ host";
/// The name of the candidate type of a relayed address (RFC 8839 section 5.1).
pub const RELAY: &str = "relay";

/// How long a description waits for STUN and TURN if neither answers: the first request and one
/// repetition (RFC 8489 section 6.2.1), which no path outlasts that could carry a call. The stack
/// would wait for all repetitions, and whoever has no UDP for as long to say by what it has instead.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long the end that restarts ICE second waits for the offer of the first one: gathering and
/// signalling take half of it on ordinary paths.
const OVERDUE: Duration = Duration::from_secs(1);

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
        let connection = build(&context, remote, servers, own, inputs.clone()).await?;
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
            Input::Signal(Signal::Candidate(candidate)) => {
                self.remote_candidate(to_stack(candidate)).await
            }
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
                let configuration = configuration(&self.context, &servers);
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

    async fn negotiate(&mut self) -> Result<()> {
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

    /// The stack found a candidate: it is signalled now, or in a description.
    fn found(&mut self, candidate: RTCIceCandidateInit) {
        self.reflexive |= !candidate.candidate.contains(HOST);
        let concealed = |tcp: &IceTcp| tcp.conceals(&candidate.candidate);
        let concealed = self.host.ice_tcp.as_ref().is_some_and(concealed);
        if (self.context.plan.stack.trickle || self.incomplete) && !concealed {
            self.say(Signal::Candidate(from_stack(candidate)));
        }
    }

    async fn impatient(&mut self, waits_since: Time) -> Result<()> {
        let waiting = |(_, since): (DescriptionKind, Time)| since == waits_since;
        if self.reflexive || !self.unsent.is_some_and(waiting) {
            return Ok(());
        }
        self.incomplete = true;
        self.send_unsent().await
    }

    async fn gathering(&mut self, state: RTCIceGatheringState) -> Result<()> {
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

    async fn send_description(&mut self, kind: DescriptionKind) -> Result<()> {
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

    async fn described(&mut self, kind: DescriptionKind, sdp: String) -> Result<()> {
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

    fn gather_again(&mut self) {
        (self.gathered, self.reflexive, self.incomplete) = (false, false, false);
        (self.host.use_relays)(true);
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

    async fn remote_candidate(&mut self, candidate: RTCIceCandidateInit) -> Result<()> {
        if !self.remote_known {
            self.early_candidates.push(candidate);
            return Ok(());
        }
        match self.connection.add_ice_candidate(candidate).await {
            Err(_) if self.negotiation.candidate_may_fail() => Ok(()),
            result => result,
        }
    }

    async fn state(&mut self, state: RTCPeerConnectionState) -> Result<()> {
        match state {
            RTCPeerConnectionState::Connected => {
                self.lost = false;
                self.log(|end, now| end.connected = end.connected.or(Some(now)));
                self.media.connected();
                self.report().await;
                Ok(())
            }
            RTCPeerConnectionState::Failed => self.lose().await,
            RTCPeerConnectionState::Disconnected
                if self.context.plan.stack.restart_when_disconnected =>
            {
                self.lose().await
            }
            _ => Ok(()),
        }
    }

    /// One end restarts ICE at once, and the other one a little later, so that restarts do not cross:
    /// the first one may hear all that it asks for, while what is sent to it goes astray.
    async fn lose(&mut self) -> Result<()> {
        self.lost = true;
        if self.context.index < self.remote {
            return self.restart().await;
        }
        let fragment = self.remote_fragment.clone();
        self.later(OVERDUE, Input::Overdue(fragment));
        Ok(())
    }

    async fn overdue(&mut self, fragment: Option<String>) -> Result<()> {
        match self.lost && self.remote_fragment == fragment {
            true => self.restart().await,
            false => Ok(()),
        }
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

    async fn restart(&mut self) -> Result<()> {
        self.gather_again();
        self.connection.restart_ice().await?;
        self.negotiate().await
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

async fn build(
    context: &Context,
    remote: u16,
    servers: &IceServers,
    runtime: OwnRuntime,
    inputs: mpsc::UnboundedSender<Input>,
) -> Result<Arc<dyn PeerConnection>> {
    let environment = context.environment.as_ref();
    let crypto = environment.crypto(&format!("connection/{}/{remote}", context.index));
    let log = RepairLog::new(context);
    let watching = Watching::begin(context, remote);
    let codepoints = runtime.codepoints.as_ref();
    let (media, registry) =
        stack::media_and_interceptors(&context.plan, watching, codepoints, log)?;
    let binding = |tcp_port| Binding {
        environment: Arc::clone(&context.environment),
        tcp_port,
    };
    let tcp_port = runtime.ice_tcp.as_ref().map(IceTcp::port);
    let connection = PeerConnectionBuilder::new()
        .with_configuration(configuration(context, servers))
        .with_media_engine(media)
        .with_setting_engine(stack::settings(&context.plan.stack, crypto))
        .with_interceptor_registry(registry)
        .with_runtime(Arc::new(runtime))
        .with_handler(Arc::new(Handler(inputs)))
        .with_udp_addrs(vec![binding(None)])
        .with_tcp_addrs(
            tcp_port
                .map(|port| binding(Some(port)))
                .into_iter()
                .collect(),
        )
        .build()
        .await?;
    Ok(Arc::new(connection))
}

fn configuration(context: &Context, servers: &IceServers) -> RTCConfiguration {
    RTCConfigurationBuilder::new()
        .with_ice_servers(servers.0.clone())
        .with_ice_transport_policy(transport_policy(context))
        .build()
}

/// What the plan says for participants; a server uses all that it has.
fn transport_policy(context: &Context) -> RTCIceTransportPolicy {
    let plan = &context.plan;
    let participates = usize::from(context.index) < plan.participants.len();
    match plan.servers.ice.policy {
        TransportPolicy::Relay if participates => RTCIceTransportPolicy::Relay,
        _ => RTCIceTransportPolicy::All,
    }
}

/// Where a connection binds. It asks again when it binds again, in a restart of ICE: the host may
/// have moved to another network.
struct Binding {
    environment: Arc<dyn Environment>,
    /// `None` for any port of UDP.
    tcp_port: Option<u16>,
}

impl ToSocketAddrs for Binding {
    type Iter = std::option::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        let mut endpoint = self.environment.udp_endpoint()?;
        if let Some(port) = self.tcp_port {
            endpoint.set_port(port);
        }
        Ok(Some(endpoint).into_iter())
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

/// Passes the stack's events on; its callbacks run on the stack's own task, so they only send.
struct Handler(mpsc::UnboundedSender<Input>);

impl Handler {
    fn pass(&self, input: Input) {
        // After the end of a connection nobody listens to its stack.
        let _ = self.0.send(input);
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        match event.candidate.to_json() {
            Ok(candidate) => self.pass(Input::Candidate(candidate)),
            Err(error) => log::warn!("a gathered candidate cannot be told: {error}"),
        }
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        self.pass(Input::Gathering(state));
    }

    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        self.pass(Input::Ice(state));
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        self.pass(Input::State(state));
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        self.pass(Input::Track(track));
    }
}
