//! Signalling, STUN and TURN, started on their hosts, and how participants reach them.

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV4};
use std::sync::Arc;

use async_trait::async_trait;
use rtc::peer_connection::configuration::RTCIceServer;
use scenarios::{ExpiryCheck, Plan, TurnAccess, TurnCredentials};
use sim::entropy::EPOCH;
use sim::host::tcp::{TcpListener, TcpStream};
use sim::{SimRuntime, Simulation};
use webrtc::runtime::Runtime;

use super::credentials::{CredentialDesk, TURN_SECRET};
use super::{Hosts, WorldError};
use crate::addresses;
use crate::infra::signaling::{Connector, Listener, ServerConfig, SignalingServer, Stream};
use crate::infra::turn::{
    DYNAMIC_PORTS, ExpiringUsers, RelayPorts, RuntimeSockets, SharedSecret, TurnConfig, TurnServer,
};
use crate::peer::ice_servers::IceServers;

/// The signalling server's TCP port, that of `wss:` (RFC 6455 section 11.1.2), which firewalls leave
/// open.
const SIGNALING_PORT: u16 = 443;
/// The port of STUN and TURN (RFC 8489 section 8.1).
const TURN_PORT: u16 = 3478;

/// Long-term credentials of every participant, as an application hands them out.
const TURN_USER: &str = "participant";
const TURN_PASSWORD: &str = "correct horse battery staple";
/// What a participant has whose credentials have expired.
const WRONG_PASSWORD: &str = "incorrect donkey";
const TURN_REALM: &str = "rtclab.example";

/// Servers of a running world.
pub struct Servers {
    /// Rooms.
    pub signaling: SignalingServer,
    /// STUN and TURN.
    pub turn: TurnServer,
    /// How participants reach STUN and TURN.
    pub ice: IceServers,
}

/// Starts the servers of a call.
///
/// # Errors
///
/// [`WorldError`] if one does not start.
pub fn start_servers(
    world: &Simulation,
    hosts: &Hosts,
    plan: &Plan,
) -> Result<Servers, WorldError> {
    let signaling = start_signaling(world.runtime(hosts.signaling), plan);
    let turn = start_turn(world.runtime(hosts.turn), plan)?;
    Ok(Servers {
        signaling,
        turn,
        ice: ice_servers(plan),
    })
}

/// The servers that participants are told of.
fn ice_servers(plan: &Plan) -> IceServers {
    let endpoint = SocketAddrV4::new(addresses::TURN, TURN_PORT);
    let stun = RTCIceServer {
        urls: vec![format!("stun:{endpoint}")],
        ..Default::default()
    };
    let turn = |password: &str| RTCIceServer {
        urls: vec![format!("turn:{endpoint}?transport=udp")],
        username: TURN_USER.to_owned(),
        credential: password.to_owned(),
    };
    let ice = plan.servers.ice;
    let relay = match ice.turn {
        TurnAccess::Granted => Some(turn(TURN_PASSWORD)),
        TurnAccess::WrongCredentials => Some(turn(WRONG_PASSWORD)),
        TurnAccess::Absent => None,
    };
    let stun = ice.stun.then_some(stun);
    IceServers(stun.into_iter().chain(relay).collect())
}

fn start_signaling(runtime: SimRuntime, plan: &Plan) -> SignalingServer {
    let config = ServerConfig {
        max_participants: plan.participants.len() + 1,
        ..ServerConfig::default()
    };
    let mut server = SignalingServer::new(Arc::new(runtime.clone()), config);
    if let Some(desk) = CredentialDesk::open(&runtime, plan) {
        server = server.with_issuer(Arc::new(desk));
    }
    let serving = server.clone();
    let host = runtime.clone();
    runtime.spawn(Box::pin(async move {
        let outcome = match TcpListener::bind(&host, SIGNALING_PORT).await {
            Ok(listener) => serving.serve(SimListener(listener)).await,
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            log::error!("signalling server: {error}");
        }
    }));
    server
}

fn start_turn(runtime: SimRuntime, plan: &Plan) -> Result<TurnServer, WorldError> {
    let control = Arc::new(runtime.bind_udp(TURN_PORT)?);
    let config = TurnConfig::new(TURN_REALM).with_nonce_lifetime(plan.servers.nonce_lifetime);
    let config = match plan.servers.turn_credentials {
        TurnCredentials::Static => config.with_user(TURN_USER, TURN_PASSWORD),
        TurnCredentials::Expiring { check, .. } => config.with_expiring_users(ExpiringUsers {
            secret: SharedSecret::new(TURN_SECRET),
            started: EPOCH + runtime.time().since_start(),
            every_request: check == ExpiryCheck::EveryRequest,
        }),
    };
    let mut random = runtime.seed().stream("turn/ports");
    let ports = RelayPorts::from_random_start(DYNAMIC_PORTS, &mut random);
    let runtime: Arc<dyn Runtime> = Arc::new(runtime);
    let relays = RuntimeSockets::new(Arc::clone(&runtime), IpAddr::V4(addresses::TURN));
    Ok(TurnServer::serve(
        runtime,
        control,
        Arc::new(relays),
        &config,
        ports,
    )?)
}

struct SimListener(TcpListener);

#[async_trait]
impl Listener for SimListener {
    async fn accept(&mut self) -> io::Result<(Box<dyn Stream>, SocketAddr)> {
        let (stream, peer) = self.0.accept().await?;
        Ok((Box::new(stream), peer))
    }
}

/// Connects a participant to the signalling server.
pub struct SimConnector(pub SimRuntime);

#[async_trait]
impl Connector for SimConnector {
    async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        let server = SocketAddrV4::new(addresses::SIGNALING, SIGNALING_PORT);
        Ok(Box::new(TcpStream::connect(&self.0, server).await?))
    }
}
