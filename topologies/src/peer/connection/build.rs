//! The stack's half of a connection: built, configured, and its events passed on.

use rtc::peer_connection::configuration::{
    RTCConfiguration, RTCConfigurationBuilder, RTCIceTransportPolicy,
};
use rtc::peer_connection::state::{
    RTCIceConnectionState, RTCIceGatheringState, RTCPeerConnectionState,
};
use scenarios::TransportPolicy;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use tokio::sync::mpsc;
use webrtc::error::Result;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCPeerConnectionIceEvent,
};

use super::Input;
use crate::peer::Context;
use crate::peer::congestion::Watching;
use crate::peer::environment::Environment;
use crate::peer::ice_servers::IceServers;
use crate::peer::ice_tcp::IceTcp;
use crate::peer::repair::RepairLog;
use crate::peer::runtime::OwnRuntime;
use crate::peer::stack;

pub(super) async fn build(
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

pub(super) fn configuration(context: &Context, servers: &IceServers) -> RTCConfiguration {
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
