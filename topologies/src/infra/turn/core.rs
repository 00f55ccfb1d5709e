//! The TURN server without I/O.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use stun_proto::Instant;
use turn_server_proto::api::{
    DelayedMessageOrChannelSend, SocketAllocateError, Transmit, TurnServerApi, TurnServerPollRet,
};
use turn_server_proto::server::TurnServer as Protocol;
use turn_types::AddressFamily;
use turn_types::prelude::DelayedTransmitBuild;
use turn_types::stun::TransportType;
use turn_types::stun::attribute::Username;
use turn_types::stun::message::Message;
use turn_types::transmit::TransmitBuild;

use super::config::{TurnConfig, TurnConfigError};
use super::counters::{TurnCounters, Wire, wire_bytes};
use super::expiring::ExpiringUsers;
use super::ports::RelayPorts;

/// The longest UDP payload over IPv4: 65,535 less the IP and UDP headers (RFC 791, RFC 768).
const MAX_UDP_PAYLOAD: usize = 65_507;

/// How long an answered Allocate request is remembered: the time after which no retransmission
/// of it can come (RFC 8489, 6.3.1).
const REPLAY_LIFETIME: Duration = Duration::from_secs(40);

/// How many ports are tried when the socket for a relayed address does not open.
const PORT_ATTEMPTS: usize = 8;

/// The first two bytes of an Allocate request (RFC 8656, 17).
const ALLOCATE_REQUEST: [u8; 2] = [0x00, 0x03];

/// The first two bytes of a Binding request (RFC 8489, 5).
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];

/// A UDP datagram that was received.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// Who sent it.
    pub from: SocketAddr,
    /// Where it was received: the server's own address or a relayed one.
    pub to: SocketAddr,
    /// Its payload.
    pub data: &'a [u8],
}

/// What a [`TurnCore`] asks of its surroundings, synchronously.
pub trait TurnIo {
    /// Starts to receive on a relayed address. An error makes the core try other ports.
    fn open(&mut self, relayed: SocketAddr) -> io::Result<()>;

    /// Stops receiving on a relayed address that was opened before.
    fn close(&mut self, relayed: SocketAddr);

    /// Sends a datagram from the server's own or an open relayed address. An error means that it
    /// was not sent; it is counted and otherwise ignored, as for any UDP datagram.
    fn send(&mut self, from: SocketAddr, to: SocketAddr, data: &[u8]) -> io::Result<()>;
}

/// A STUN and TURN server for UDP clients and UDP peers, without I/O.
///
/// Times are since the server's start and must not decrease. Relayed addresses have the IP
/// address of the server and a port of its own each.
#[derive(Debug)]
pub struct TurnCore {
    protocol: Protocol,
    expiring: Option<ExpiringUsers>,
    listen: SocketAddr,
    ports: RelayPorts,
    relays: BTreeMap<SocketAddr, SocketAddr>,
    replays: BTreeMap<SocketAddr, Replay>,
    wake: Option<Duration>,
    counters: TurnCounters,
    scratch: Vec<u8>,
}

/// A granted Allocate request with its response. The response must be sent again when the
/// request comes again (RFC 8489, 6.3.1); the protocol would answer 437 (Allocation Mismatch),
/// and one lost response would leave the client without a relay.
#[derive(Debug)]
struct Replay {
    request: Vec<u8>,
    response: Vec<u8>,
    expires: Duration,
}

impl TurnCore {
    /// A server that listens on `listen`, a specified address, and has no allocations.
    pub fn new(
        listen: SocketAddr,
        config: &TurnConfig,
        ports: RelayPorts,
    ) -> Result<Self, TurnConfigError> {
        config.validate()?;
        let mut protocol = Protocol::new(TransportType::Udp, listen, config.realm.clone());
        protocol.set_nonce_expiry_duration(config.nonce_lifetime);
        for (name, password) in &config.users {
            protocol.add_user(name.clone(), password.clone());
        }
        Ok(TurnCore {
            protocol,
            expiring: config.expiring.clone(),
            listen,
            ports,
            relays: BTreeMap::new(),
            replays: BTreeMap::new(),
            wake: None,
            counters: TurnCounters::default(),
            scratch: Vec::new(),
        })
    }

    /// Handles a datagram that was received on the server's own or on a relayed address.
    pub fn receive(&mut self, now: Duration, datagram: Datagram<'_>, io: &mut impl TurnIo) {
        self.poll(now, io);
        if datagram.to == self.listen {
            self.receive_from_client(now, datagram, io);
        } else {
            self.receive_from_peer(now, datagram, io);
        }
    }

    /// Expires what is due. Does nothing before [`wait_until`](Self::wait_until).
    pub fn poll(&mut self, now: Duration, io: &mut impl TurnIo) {
        if self.wake.is_some_and(|wake| wake <= now) {
            self.settle(now, None, io);
        }
    }

    /// When [`poll`](Self::poll) is next needed; `None` while there are no allocations.
    pub fn wait_until(&self) -> Option<Duration> {
        self.wake
    }

    /// The relayed addresses with the clients that they belong to.
    pub fn relays(&self) -> &BTreeMap<SocketAddr, SocketAddr> {
        &self.relays
    }

    /// What was counted so far.
    pub fn counters(&self) -> &TurnCounters {
        &self.counters
    }

    fn receive_from_client(&mut self, now: Duration, datagram: Datagram<'_>, io: &mut impl TurnIo) {
        let request = is_request(datagram.data);
        let received = wire_bytes(datagram.from.ip(), datagram.data.len());
        if request {
            self.counters.requests.add(received);
            if self.replay(now, datagram, io) {
                return;
            }
            self.admit(now, datagram);
        }
        let outgoing = self.protocol.recv(transmit(datagram), instant(now));
        match outgoing {
            // The protocol addresses a Binding response to its own address; a response always
            // goes back to where the request came from.
            Some(response) if response.from == self.listen => {
                self.respond(datagram.from, &response.data.build(), io);
            }
            Some(relayed) => self.send_to_peer(datagram.from, received, relayed, io),
            None if !request => self.counters.dropped_from_clients.add(received),
            None => {}
        }
        if request && !datagram.data.starts_with(&BINDING_REQUEST) {
            self.settle(now, Some(datagram), io);
        }
    }

    /// Tells the protocol which password this request is to be signed with, if its user is one of
    /// those that expire. The engine cannot forget a user, and asks nobody about one.
    fn admit(&mut self, now: Duration, request: Datagram<'_>) {
        let Some(users) = &self.expiring else { return };
        let allocates = request.data.starts_with(&ALLOCATE_REQUEST);
        let admitted = username(request.data).and_then(|name| {
            let password = users.password(&name, now, allocates)?;
            Some((name, password))
        });
        if let Some((name, password)) = admitted {
            self.protocol.add_user(name, password);
        }
    }

    fn receive_from_peer(&mut self, now: Duration, datagram: Datagram<'_>, io: &mut impl TurnIo) {
        let bare = Wire::new(datagram.from.ip(), datagram.data.len());
        let framed = self.protocol.recv(transmit(datagram), instant(now));
        let Some(framed) = framed.filter(|framed| framed.data.len() <= MAX_UDP_PAYLOAD) else {
            self.counters.dropped_from_peers.add(bare.bytes);
            return;
        };
        let client = framed.to;
        write(framed.data, &mut self.scratch);
        let sent = wire_bytes(client.ip(), self.scratch.len());
        match io.send(self.listen, client, &self.scratch) {
            Ok(()) => self.counters.relayed_to_client(client, bare, sent),
            Err(_) => self.counters.unsent.add(sent),
        }
    }

    fn send_to_peer(
        &mut self,
        client: SocketAddr,
        received: u64,
        relayed: TransmitBuild<DelayedMessageOrChannelSend<&[u8]>>,
        io: &mut impl TurnIo,
    ) {
        let (relay, peer) = (relayed.from, relayed.to);
        let result = match relayed.data {
            DelayedMessageOrChannelSend::Range(data, range) => {
                let payload = &data[range];
                (payload.len(), io.send(relay, peer, payload))
            }
            other => {
                write(other, &mut self.scratch);
                (self.scratch.len(), io.send(relay, peer, &self.scratch))
            }
        };
        let bare = Wire::new(peer.ip(), result.0);
        match result.1 {
            Ok(()) => self.counters.relayed_to_peer(client, received, bare),
            Err(_) => self.counters.unsent.add(bare.bytes),
        }
    }

    fn respond(&mut self, to: SocketAddr, response: &[u8], io: &mut impl TurnIo) {
        let bytes = wire_bytes(to.ip(), response.len());
        match io.send(self.listen, to, response) {
            Ok(()) => self.counters.responses.add(bytes),
            Err(_) => self.counters.unsent.add(bytes),
        }
    }

    /// Answers a retransmitted Allocate request as it was answered the first time.
    fn replay(&mut self, now: Duration, datagram: Datagram<'_>, io: &mut impl TurnIo) -> bool {
        let known = self
            .replays
            .get(&datagram.from)
            .filter(|replay| replay.expires > now && replay.request == datagram.data);
        let Some(response) = known.map(|replay| replay.response.clone()) else {
            return false;
        };
        self.respond(datagram.from, &response, io);
        true
    }

    /// Does what the protocol asks for after a control message or an expiry. Its cost grows with
    /// the number of allocations, so it does not run per relayed packet.
    fn settle(&mut self, now: Duration, request: Option<Datagram<'_>>, io: &mut impl TurnIo) {
        let at = loop {
            match self.protocol.poll(instant(now)) {
                TurnServerPollRet::AllocateSocket {
                    client_addr,
                    family,
                    ..
                } => {
                    self.allocate(now, client_addr, family, request, io);
                }
                TurnServerPollRet::SocketClose { listen_addr, .. } => {
                    if let Some(client) = self.relays.remove(&listen_addr) {
                        self.replays.remove(&client);
                    }
                    io.close(listen_addr);
                }
                // There is no TCP here: a CONNECT (RFC 6062) times out by itself.
                TurnServerPollRet::TcpConnect { .. } | TurnServerPollRet::TcpClose { .. } => {}
                TurnServerPollRet::WaitUntil(at) => break at,
            }
        };
        while let Some(response) = self.protocol.poll_transmit(instant(now)) {
            self.respond(response.to, &response.data, io);
            self.remember(now, request, response);
        }
        // Things expire after their time, not at it: a poll at `at` would return `at` again.
        let at = at.saturating_duration_since(Instant::ZERO) + Duration::from_nanos(1);
        self.wake = (!self.relays.is_empty()).then_some(at);
    }

    fn allocate(
        &mut self,
        now: Duration,
        client: SocketAddr,
        family: AddressFamily,
        request: Option<Datagram<'_>>,
        io: &mut impl TurnIo,
    ) {
        let relayed = self.open_relay(family, io);
        if let Ok(relayed) = relayed {
            self.relays.insert(relayed, client);
            let counters = self.counters.clients.entry(client).or_default();
            counters.allocations += 1;
            counters.username = request.and_then(|request| username(request.data));
        }
        self.protocol.allocated_socket(
            TransportType::Udp,
            self.listen,
            client,
            TransportType::Udp,
            family,
            relayed,
            instant(now),
        );
    }

    fn open_relay(
        &mut self,
        family: AddressFamily,
        io: &mut impl TurnIo,
    ) -> Result<SocketAddr, SocketAllocateError> {
        let ip = self.listen.ip();
        if ip.is_ipv4() != (family == AddressFamily::IPV4) {
            return Err(SocketAllocateError::AddressFamilyNotSupported);
        }
        for _ in 0..PORT_ATTEMPTS {
            let (relays, listen) = (&self.relays, self.listen);
            let free = |port| {
                let address = SocketAddr::new(ip, port);
                address != listen && !relays.contains_key(&address)
            };
            let Some(port) = self.ports.take(free) else {
                break;
            };
            match io.open(SocketAddr::new(ip, port)) {
                Ok(()) => return Ok(SocketAddr::new(ip, port)),
                Err(error) => log::debug!("relay port {port} of {ip} does not open: {error}"),
            }
        }
        Err(SocketAllocateError::InsufficientCapacity)
    }

    fn remember(
        &mut self,
        now: Duration,
        request: Option<Datagram<'_>>,
        response: Transmit<Vec<u8>>,
    ) {
        let Some(request) = request else { return };
        let granted = self.relays.values().any(|client| *client == request.from);
        if !granted || response.to != request.from || !request.data.starts_with(&ALLOCATE_REQUEST) {
            return;
        }
        let replay = Replay {
            request: request.data.to_vec(),
            response: response.data,
            expires: now + REPLAY_LIFETIME,
        };
        self.replays.insert(request.from, replay);
    }
}

/// Whether this looks like a STUN request: the two top bits and the two class bits of the type
/// are 0 (RFC 8489, 5).
fn is_request(data: &[u8]) -> bool {
    data.len() >= 20 && u16::from_be_bytes([data[0], data[1]]) & 0xC110 == 0
}

fn username(request: &[u8]) -> Option<String> {
    let message = Message::from_bytes(request).ok()?;
    let username = message.attribute::<Username>().ok()?;
    Some(username.username().to_owned())
}

/// `scratch` becomes exactly the datagram.
fn write(data: DelayedMessageOrChannelSend<&[u8]>, scratch: &mut Vec<u8>) {
    match data {
        // Written into a buffer, a Data indication would be marked as a Send indication: only
        // `build` gets it right. Media travels in channels, so the allocation is rare.
        message @ DelayedMessageOrChannelSend::Message(_) => *scratch = message.build(),
        data => {
            scratch.resize(data.len(), 0);
            data.write_into(scratch);
        }
    }
}

fn transmit(datagram: Datagram<'_>) -> Transmit<&[u8]> {
    Transmit::new(
        datagram.data,
        TransportType::Udp,
        datagram.from,
        datagram.to,
    )
}

fn instant(now: Duration) -> Instant {
    Instant::ZERO + now
}
