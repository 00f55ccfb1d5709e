//! The world of a call: hosts, NATs, links and servers of a plan, in a simulation.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use rand_chacha::ChaCha8Rng;
use reports::record::Role;
use rtc::peer_connection::configuration::RTCIceServer;
use scenarios::{Device, ExpiryCheck, LinkChanges, Participant, Plan, Topology, TurnAccess};
use sim::entropy::EPOCH;
use sim::entropy::crypto::SeededProvider;
use sim::host::tcp::{TcpListener, TcpStream};
use sim::packet::ICE_TCP_PORT;
use sim::runtime::SimTcpListener;
use sim::{
    GatewayId, HostConfig, HostId, LinkConfig, NatConfig, Network, NetworkError, Overloaded,
    SimRuntime, Simulation, Time, Way, Work,
};
use thiserror::Error;
use webrtc::peer_connection::crypto::RTCCryptoProvider;
use webrtc::runtime::Runtime;

use crate::addresses;
use crate::costs::{media_cpu, peer_cpu, signaling_cpu, turn_cpu};
use crate::infra::ice_tcp::TcpMux;
use crate::infra::signaling::{
    Connector, Issuer, Listener, Name, ServerConfig, SignalingServer, Stream, TurnCredentials,
};
use crate::infra::turn::{
    DYNAMIC_PORTS, ExpiringUsers, RelayPorts, RuntimeSockets, SharedSecret, TurnConfig,
    TurnConfigError, TurnServeError, TurnServer,
};
use crate::observe::record::HostInfo;
use crate::peer::environment::{ConnectionRuntime, Environment, Working};
use crate::peer::ice_servers::IceServers;
use crate::peer::ice_tcp::IceTcp;

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
/// What the signalling server and the TURN server share if credentials expire.
const TURN_SECRET: &str = "north of the wall";
const TURN_REALM: &str = "rtclab.example";

/// What keeps a world from being built.
#[derive(Debug, Error)]
pub enum WorldError {
    /// A host, a link or an address is impossible.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A server's port is taken.
    #[error("a server cannot bind its port: {0}")]
    Bind(#[from] io::Error),
    /// The TURN server's configuration is impossible.
    #[error(transparent)]
    TurnConfig(#[from] TurnConfigError),
    /// The TURN server does not start.
    #[error(transparent)]
    Turn(#[from] TurnServeError),
}

/// Servers of a running world.
pub struct Servers {
    /// Rooms.
    pub signaling: SignalingServer,
    /// STUN and TURN.
    pub turn: TurnServer,
    /// How participants reach STUN and TURN.
    pub ice: IceServers,
}

/// Every host of the call, in the order in which [`build_hosts`] adds them.
pub fn host_infos(plan: &Plan) -> Vec<HostInfo> {
    let participant = |participant: &Participant| HostInfo {
        name: participant.name.clone(),
        role: Role::Client,
        group: Some(participant.group.clone()),
        nat: participant.nat_label.clone(),
        link: participant.link_label.clone(),
        rates_bps: rates(&participant.link),
        device: participant.device.label.clone(),
        cores: participant.device.cores,
    };
    let server = |role: Role, device: &Device| HostInfo {
        name: role.name().to_owned(),
        role,
        group: None,
        nat: "none".to_owned(),
        link: plan.servers.link_label.clone(),
        rates_bps: rates(&plan.servers.link),
        device: device.label.clone(),
        cores: device.cores,
    };
    let mut infos: Vec<_> = plan.participants.iter().map(participant).collect();
    infos.extend([
        server(Role::Signaling, &plan.servers.signaling),
        server(Role::Turn, &plan.servers.turn),
    ]);
    infos.extend(media_role(plan).map(|role| server(role, &plan.servers.media)));
    infos
}

fn rates(link: &LinkConfig) -> [Option<u64>; 2] {
    [link.up.rate_bps, link.down.rate_bps]
}

/// What the server that carries media is; `None` in a mesh, which has none.
pub fn media_role(plan: &Plan) -> Option<Role> {
    match plan.topology {
        Topology::Mesh => None,
        Topology::Sfu => Some(Role::Sfu),
        Topology::Mcu => Some(Role::Mcu),
    }
}

/// The index of the signalling server.
pub fn signaling_server(plan: &Plan) -> u16 {
    plan.participants.len() as u16
}

/// The index of the server that carries media, if there is one: it is the last host.
pub fn media_server(plan: &Plan) -> u16 {
    plan.participants.len() as u16 + 2
}

/// The hosts that every call needs. Participants are the hosts of the same index.
#[derive(Clone, Debug)]
pub struct Hosts {
    /// By index.
    pub participants: Vec<HostId>,
    /// Their outermost NATs, by index; `None` for who has none.
    pub outermost: Vec<Option<GatewayId>>,
    /// Runs signalling.
    pub signaling: HostId,
    /// Runs STUN and TURN.
    pub turn: HostId,
    /// Runs the SFU or the MCU, if there is one.
    pub media: Option<HostId>,
}

impl Hosts {
    /// Every host, in the order of creation.
    pub fn all(&self) -> impl Iterator<Item = HostId> {
        let servers = [self.signaling, self.turn].into_iter().chain(self.media);
        self.participants.iter().copied().chain(servers)
    }
}

/// Adds every host of the call, with its NATs.
///
/// # Errors
///
/// [`NetworkError`] if the plan asks for an impossible link or computer.
pub fn build_hosts(world: &mut Simulation, plan: &Plan) -> Result<Hosts, NetworkError> {
    let (from, to) = window(plan);
    world.network(|network| network.measure_cpus(from, to));
    let (mut participants, mut outermost) = (Vec::new(), Vec::new());
    for participant in &plan.participants {
        let public = addresses::public(participant.index);
        let gateway = match participant.behind_same {
            Some(other) => outermost[usize::from(other)],
            None => world.network(|network| add_outermost(network, &participant.nats, public))?,
        };
        outermost.push(gateway);
        participants.push(add_participant(world, plan, participant, gateway)?);
    }
    let mut server = |role: Role, address, cpu| {
        let own = plan
            .servers
            .signaling_link
            .filter(|_| role == Role::Signaling);
        world.add_host(HostConfig {
            name: role.name().to_owned(),
            address,
            behind: None,
            link: own.unwrap_or(plan.servers.link),
            cpu,
        })
    };
    let signaling = signaling_cpu(plan, &plan.servers.signaling);
    let turn = turn_cpu(plan, &plan.servers.turn);
    Ok(Hosts {
        participants,
        outermost,
        signaling: server(Role::Signaling, addresses::SIGNALING, signaling)?,
        turn: server(Role::Turn, addresses::TURN, turn)?,
        media: media_role(plan)
            .map(|role| server(role, addresses::MEDIA, media_cpu(plan, role)))
            .transpose()?,
    })
}

/// Adds the outermost of a participant's NATs, at `public` on the internet; `None` without any.
///
/// # Errors
///
/// [`NetworkError::AddressTaken`] if that address is.
pub fn add_outermost(
    network: &mut Network,
    nats: &[NatConfig],
    public: Ipv4Addr,
) -> Result<Option<GatewayId>, NetworkError> {
    let outermost = nats.last();
    outermost
        .map(|nat| network.add_gateway(*nat, public, None))
        .transpose()
}

/// Adds the other NATs of a participant behind the outermost, and says which is next to it.
///
/// # Errors
///
/// [`NetworkError::AddressTaken`] if one has that address already.
pub fn add_inner(
    network: &mut Network,
    nats: &[NatConfig],
    participant: u16,
    outermost: Option<GatewayId>,
) -> Result<Option<GatewayId>, NetworkError> {
    let mut behind = outermost;
    for (depth, nat) in (1..).zip(nats.iter().rev().skip(1)) {
        let external = addresses::between(participant, depth);
        behind = Some(network.add_gateway(*nat, external, behind)?);
    }
    Ok(behind)
}

fn add_participant(
    world: &mut Simulation,
    plan: &Plan,
    participant: &Participant,
    outermost: Option<GatewayId>,
) -> Result<HostId, NetworkError> {
    let index = participant.index;
    let behind =
        world.network(|network| add_inner(network, &participant.nats, index, outermost))?;
    let host = world.add_host(HostConfig {
        name: participant.name.clone(),
        address: match behind {
            None => addresses::public(index),
            Some(_) => addresses::private(index),
        },
        behind,
        link: participant.link,
        cpu: peer_cpu(plan, &participant.device),
    })?;
    let to_come = &participant.network;
    world.network(|network| {
        follow(network, host, &to_come.changes)?;
        for cross in &to_come.cross {
            network.add_cross_flow(host, cross.way, cross.flow);
        }
        Ok(host)
    })
}

/// Lets the link of a host, which has carried nothing, change as planned.
///
/// # Errors
///
/// [`NetworkError::Link`] if it cannot change so.
pub fn follow(
    network: &mut Network,
    host: HostId,
    to_come: &LinkChanges,
) -> Result<(), NetworkError> {
    network.follow(host, Way::Up, &to_come.up)?;
    network.follow(host, Way::Down, &to_come.down)?;
    Ok(())
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
        scenarios::TurnCredentials::Static => config.with_user(TURN_USER, TURN_PASSWORD),
        scenarios::TurnCredentials::Expiring { check, .. } => {
            config.with_expiring_users(ExpiringUsers {
                secret: SharedSecret::new(TURN_SECRET),
                started: EPOCH + runtime.time().since_start(),
                every_request: check == ExpiryCheck::EveryRequest,
            })
        }
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

/// Hands out credentials that expire.
#[derive(Debug)]
struct CredentialDesk {
    runtime: SimRuntime,
    secret: SharedSecret,
    lifetime: Duration,
}

impl CredentialDesk {
    /// Opens if credentials expire and participants are to have good ones.
    fn open(runtime: &SimRuntime, plan: &Plan) -> Option<Self> {
        match plan.servers.turn_credentials {
            scenarios::TurnCredentials::Expiring { lifetime, .. }
                if plan.servers.ice.turn.works() =>
            {
                Some(CredentialDesk {
                    runtime: runtime.clone(),
                    secret: SharedSecret::new(TURN_SECRET),
                    lifetime,
                })
            }
            _ => None,
        }
    }
}

impl Issuer for CredentialDesk {
    fn issue(&self, name: &Name) -> TurnCredentials {
        let until = EPOCH + self.runtime.time().since_start() + self.lifetime;
        let issued = self.secret.issue(name.as_str(), until);
        TurnCredentials {
            username: issued.username,
            password: issued.password,
            ttl: self.lifetime.as_secs() as u32,
        }
    }
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

/// The world as one host of a simulation sees it.
pub struct SimEnvironment {
    runtime: SimRuntime,
    flush_relay: bool,
    ice_tcp: bool,
    /// The port that all connections of a media server share, from the first one on.
    mux: OnceLock<Option<TcpMux>>,
    steady_handshake: bool,
}

impl SimEnvironment {
    /// The view of the runtime's host, with the work-arounds of the plan.
    pub fn new(runtime: SimRuntime, plan: &Plan) -> Self {
        SimEnvironment {
            runtime,
            flush_relay: plan.stack.flush_relay,
            ice_tcp: plan.servers.ice_tcp && media_role(plan).is_some(),
            mux: OnceLock::new(),
            steady_handshake: plan.stack.steady_handshake,
        }
    }

    /// What a new connection does about TCP: a media server waits, everybody else connects.
    fn tcp_role(&self) -> Option<IceTcp> {
        if !self.ice_tcp {
            return None;
        }
        if self.runtime.address() != addresses::MEDIA {
            return Some(IceTcp::Active);
        }
        let mux = self.mux.get_or_init(|| {
            let mux = self.open_mux();
            mux.inspect_err(|error| log::error!("ICE-TCP: {error}"))
                .ok()
        });
        mux.as_ref().map(|mux| IceTcp::Passive(mux.slot()))
    }

    fn open_mux(&self) -> io::Result<TcpMux> {
        let listener = SimTcpListener::bind(&self.runtime, ICE_TCP_PORT)?;
        TcpMux::serve(Arc::new(self.runtime.clone()), Arc::new(listener))
    }
}

impl Environment for SimEnvironment {
    fn runtime(&self) -> Arc<dyn Runtime> {
        Arc::new(self.runtime.clone())
    }

    fn connection_runtime(&self) -> ConnectionRuntime {
        let mut runtime = self.runtime.clone();
        if self.flush_relay {
            runtime = runtime.flushing_relays();
        }
        if self.steady_handshake {
            runtime = runtime.steadying_handshakes();
        }
        ConnectionRuntime {
            runtime: Arc::new(runtime.clone()),
            use_relays: Box::new(move |may| runtime.use_relays(may)),
            ice_tcp: self.tcp_role(),
        }
    }

    fn udp_endpoint(&self) -> io::Result<SocketAddr> {
        let port = self.runtime.ephemeral_port()?;
        Ok(SocketAddr::new(self.runtime.address().into(), port))
    }

    fn crypto(&self, name: &str) -> Arc<dyn RTCCryptoProvider> {
        Arc::new(SeededProvider::new(self.random(&format!("crypto/{name}"))))
    }

    fn random(&self, name: &str) -> ChaCha8Rng {
        self.runtime.seed().stream(name)
    }

    fn now(&self) -> Time {
        self.runtime.time()
    }

    fn work(
        &self,
        kind: Work,
        cost: Duration,
        job: Box<dyn FnOnce() + Send>,
    ) -> Result<Working<()>, Overloaded> {
        Ok(Box::pin(self.runtime.work(kind, cost, job)?))
    }

    fn work_here(
        &self,
        kind: Work,
        cost: Duration,
        job: &mut dyn FnMut(),
    ) -> Result<Time, Overloaded> {
        let ((), done) = self.runtime.work_here(kind, cost, job)?;
        Ok(done)
    }

    fn aside(&self, work: &mut dyn FnMut()) {
        self.runtime.aside(work);
    }

    fn aside_later(&self, work: Box<dyn FnOnce() + Send>) {
        self.runtime.aside_later(work);
    }
}

/// The measured window of a call.
pub fn window(plan: &Plan) -> (Time, Time) {
    let from = Time::ZERO + plan.warmup;
    (from, from + plan.duration)
}

/// How long a call goes on after the window, so that what was captured in it can be shown.
pub const DRAIN: Duration = Duration::from_secs(1);
