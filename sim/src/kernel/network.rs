//! The network as one state machine: clock, events, sockets, and the path of every packet.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::task::Waker;

use bytes::Bytes;
use slab::Slab;
use thiserror::Error;

use super::drops::DropReason;
use super::event::Event;
use super::id::{GatewayId, HostId, SocketId};
use super::map::{Host, Map, Node};
use super::queue::EventQueue;
use crate::host::sockets::{Datagram, Socket};
use crate::link::config::LinkConfig;
use crate::link::pipe::{Pipe, PipeStreams, Verdict};
use crate::link::validate::LinkError;
use crate::nat::{Nat, NatConfig, Outbound};
use crate::packet::{Packet, Payload};
use crate::seed::Seed;
use crate::time::Time;
use crate::trace::counters::Counters;
use crate::trace::{PacketEvent, Stage, Tap};

/// More NATs than any path crosses; a packet that crosses more is going round in circles.
const HOP_LIMIT: u32 = 16;

/// What a new host is like.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// For traces; unique by convention.
    pub name: String,
    /// Its address in the network that it hangs from.
    pub address: Ipv4Addr,
    /// The NAT that it is behind; `None` for the internet.
    pub behind: Option<GatewayId>,
    /// Its access link.
    pub link: LinkConfig,
}

/// What cannot be built or sent.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum NetworkError {
    /// The link cannot exist.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// Two nodes of one network cannot share an address.
    #[error("address {0} is taken in that network")]
    AddressTaken(Ipv4Addr),
    /// Two sockets of one host cannot share a port.
    #[error("UDP port {0} is taken on that host")]
    PortTaken(u16),
    /// All 16,384 ephemeral ports of a host are bound.
    #[error("no ephemeral UDP port is free on that host")]
    PortsExhausted,
}

/// What one step did, for whoever runs tasks on top.
#[derive(Debug)]
pub enum Step {
    /// A packet came to rest; its reader is to be woken, if one waits.
    Packet(Option<Waker>),
    /// A TCP segment arrived at a host.
    Segment(Packet),
    /// Every host's TCP stack is to run once.
    Tcp,
    /// The timer in this slot is due.
    Timer(u32),
}

/// A packet on its way.
#[derive(Debug)]
struct Flight {
    packet: Packet,
    id: u64,
    sent: Time,
    origin: HostId,
    leg: Leg,
}

/// The link that a packet is on.
#[derive(Clone, Copy, Debug)]
enum Leg {
    Up,
    Down(HostId),
}

/// Hosts behind NATs and links, in virtual time.
pub struct Network {
    now: Time,
    seed: Seed,
    map: Map,
    events: EventQueue,
    flights: Slab<Flight>,
    sockets: Slab<Socket>,
    next_packet: u64,
    counters: Counters,
    taps: Vec<Box<dyn Tap>>,
}

impl Network {
    /// An empty world at time zero.
    pub fn new(seed: Seed) -> Self {
        Network {
            now: Time::ZERO,
            seed,
            map: Map::default(),
            events: EventQueue::default(),
            flights: Slab::new(),
            sockets: Slab::new(),
            next_packet: 0,
            counters: Counters::default(),
            taps: Vec::new(),
        }
    }

    /// Adds a host.
    ///
    /// # Errors
    ///
    /// [`NetworkError::AddressTaken`] if its network has that address already, and
    /// [`NetworkError::Link`] if its link is impossible.
    pub fn add_host(&mut self, config: HostConfig) -> Result<HostId, NetworkError> {
        let pipe = |direction, pipe_config| {
            let name = format!("link/{}/{direction}", config.name);
            Pipe::new(pipe_config, PipeStreams::new(self.seed, &name))
        };
        let host = Host {
            address: config.address,
            behind: config.behind,
            up: pipe("up", config.link.up)?,
            down: pipe("down", config.link.down)?,
            ports: Default::default(),
            name: config.name,
        };
        self.map.add_host(host).map_err(NetworkError::AddressTaken)
    }

    /// Adds a NAT with an empty network behind it.
    ///
    /// # Errors
    ///
    /// [`NetworkError::AddressTaken`] if its network has that external address already.
    pub fn add_gateway(
        &mut self,
        config: NatConfig,
        external: Ipv4Addr,
        behind: Option<GatewayId>,
    ) -> Result<GatewayId, NetworkError> {
        let stream = self.seed.stream(&self.map.stream_name(behind, external));
        self.map
            .add_gateway(Nat::new(config, external, stream), behind)
            .map_err(NetworkError::AddressTaken)
    }

    /// The NAT that a host is behind, the innermost of several; `None` on the internet.
    pub fn gateway(&self, host: HostId) -> Option<GatewayId> {
        self.map.host(host).behind
    }

    /// Takes a NAT's power away for an instant: it loses every mapping, UDP and TCP.
    pub fn reboot_gateway(&mut self, gateway: GatewayId) {
        self.map.gateway_mut(gateway).nat.reboot();
    }

    /// The address of a host in the network that it hangs from.
    pub fn address(&self, host: HostId) -> Ipv4Addr {
        self.map.host(host).address
    }

    /// Every host with its name, in the order of creation.
    pub fn hosts(&self) -> impl Iterator<Item = (HostId, &str)> {
        self.map.hosts().map(|(id, host)| (id, host.name.as_str()))
    }

    /// Adds an observer of every packet event from now on.
    pub fn add_tap(&mut self, tap: Box<dyn Tap>) {
        self.taps.push(tap);
    }

    /// What became of every packet so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Packets that are on a link now.
    pub fn in_flight(&self) -> u64 {
        self.flights.len() as u64
    }

    /// Virtual time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Binds a UDP socket; port 0 takes the next free ephemeral port.
    ///
    /// # Errors
    ///
    /// [`NetworkError::PortTaken`] and [`NetworkError::PortsExhausted`].
    pub fn bind_udp(&mut self, host: HostId, port: u16) -> Result<SocketId, NetworkError> {
        let owner = self.map.host_mut(host);
        let port = match port {
            0 => owner
                .ports
                .ephemeral()
                .ok_or(NetworkError::PortsExhausted)?,
            port => port,
        };
        let entry = self.sockets.vacant_entry();
        let id = SocketId(entry.key() as u32);
        if !owner.ports.bind(port, id) {
            return Err(NetworkError::PortTaken(port));
        }
        entry.insert(Socket::new(host, SocketAddrV4::new(owner.address, port)));
        Ok(id)
    }

    /// Closes a socket and frees its port; unread datagrams are lost with it. Returns who was
    /// waiting for it, to be dropped by the caller.
    pub fn close_udp(&mut self, id: SocketId) -> Option<Waker> {
        let mut socket = self.sockets.remove(id.0 as usize);
        self.map
            .host_mut(socket.host)
            .ports
            .release(socket.local.port());
        socket.take_reader()
    }

    /// The endpoint of a socket, as its host sees it.
    pub fn local(&self, id: SocketId) -> SocketAddrV4 {
        self.sockets[id.0 as usize].local
    }

    /// Sends a datagram.
    pub fn send_udp(&mut self, id: SocketId, destination: SocketAddrV4, data: Bytes) {
        let Socket { host, local, .. } = self.sockets[id.0 as usize];
        self.send(
            host,
            Packet {
                source: local,
                destination,
                payload: Payload::Udp(data),
            },
        );
    }

    /// Takes the next datagram that waits in a socket.
    pub fn receive_udp(&mut self, id: SocketId) -> Option<Datagram> {
        self.sockets[id.0 as usize].pop()
    }

    /// Registers who is woken by the next datagram of a socket.
    pub fn wait_udp(&mut self, id: SocketId, waker: &Waker) {
        self.sockets[id.0 as usize].wait(waker);
    }

    /// Puts an empty datagram from itself into a socket, outside the network, and returns who
    /// waits for it.
    pub(crate) fn nudge(&mut self, id: SocketId) -> Option<Waker> {
        let socket = self.sockets.get_mut(id.0 as usize)?;
        let source = socket.local;
        let data = Bytes::new();
        socket.push(Datagram { source, data });
        socket.take_reader()
    }

    /// Schedules an event that belongs to whoever runs tasks on top.
    pub(crate) fn schedule(&mut self, at: Time, event: Event) {
        self.events.schedule(at, event);
    }

    /// Drops scheduled timers that `alive` refuses.
    pub(crate) fn retain_timers(&mut self, mut alive: impl FnMut(u32) -> bool) {
        self.events.retain(|event| match event {
            Event::Timer(slot) => alive(slot),
            _ => true,
        });
    }

    /// How many events are scheduled.
    pub(crate) fn scheduled(&self) -> usize {
        self.events.len()
    }

    /// When the next event happens.
    pub fn next_at(&self) -> Option<Time> {
        self.events.next_at()
    }

    /// Moves the clock forward without an event, to `to` at the most.
    pub(crate) fn idle_until(&mut self, to: Time) {
        debug_assert!(self.events.next_at().is_none_or(|next| next >= to));
        self.now = self.now.max(to);
    }

    /// Does the next event; `None` if nothing is scheduled.
    pub fn step(&mut self) -> Option<Step> {
        let (at, event) = self.events.pop()?;
        self.now = at;
        Some(match event {
            Event::Packet(slot) => self.arrive(slot),
            Event::Tcp => Step::Tcp,
            Event::Timer(slot) => Step::Timer(slot),
        })
    }

    /// Puts a packet on its host's access link.
    pub(crate) fn send(&mut self, origin: HostId, packet: Packet) {
        let flight = Flight {
            packet,
            id: self.next_packet,
            sent: self.now,
            origin,
            leg: Leg::Up,
        };
        self.next_packet += 1;
        self.observe(&flight, Stage::Sent);
        if *flight.packet.destination.ip() == self.map.host(origin).address {
            return self.loop_back(flight);
        }
        let up = &mut self.map.host_mut(origin).up;
        if up.is_ideal() {
            self.climb(flight);
            return;
        }
        match up.offer(self.now, flight.packet.wire_bytes()) {
            Verdict::Deliver { at } => self.fly(at, flight),
            Verdict::Drop(reason) => self.drop(&flight, DropReason::Uplink(reason), Some(origin)),
        }
    }

    /// Delivers a packet to the host that sent it, without its link.
    fn loop_back(&mut self, mut flight: Flight) {
        flight.leg = Leg::Down(flight.origin);
        self.fly(self.now, flight);
    }

    fn fly(&mut self, at: Time, flight: Flight) {
        let slot = self.flights.insert(flight);
        self.events.schedule(at, Event::Packet(slot as u32));
    }

    /// A packet has crossed the link that it was on.
    fn arrive(&mut self, slot: u32) -> Step {
        let flight = self.flights.remove(slot as usize);
        match flight.leg {
            Leg::Up => {
                self.climb(flight);
                Step::Packet(None)
            }
            Leg::Down(host) => self.deliver(flight, host),
        }
    }

    /// Takes a packet from its origin's link towards the root until its destination's network is
    /// found, through the NATs on the way.
    fn climb(&mut self, mut flight: Flight) {
        let mut network = self.map.host(flight.origin).behind;
        let mut hops = 0;
        loop {
            let destination = *flight.packet.destination.ip();
            if let Some(node) = self.map.find(network, destination) {
                return self.descend(flight, node, hops);
            }
            let Some(id) = network else {
                return self.drop(&flight, DropReason::NoRoute, None);
            };
            let gateway = self.map.gateway_mut(id);
            let verdict = gateway.nat.outbound(
                self.now,
                flight.packet.protocol(),
                flight.packet.source,
                flight.packet.destination,
            );
            match verdict {
                Outbound::Forward { source } => {
                    flight.packet.source = source;
                    network = gateway.behind;
                }
                Outbound::Hairpin {
                    source,
                    destination,
                } => {
                    flight.packet.source = source;
                    flight.packet.destination = destination;
                }
                Outbound::Drop(reason) => {
                    return self.drop(&flight, DropReason::Nat(reason), None);
                }
            }
            hops += 1;
            if hops > HOP_LIMIT {
                return self.drop(&flight, DropReason::HopLimit, None);
            }
        }
    }

    /// Takes a packet from the network of its destination down to a host, through the NATs on the
    /// way.
    fn descend(&mut self, mut flight: Flight, mut node: Node, mut hops: u32) {
        loop {
            let id = match node {
                Node::Host(host) => return self.enter_downlink(flight, host),
                Node::Gateway(id) => id,
            };
            hops += 1;
            if hops > HOP_LIMIT {
                return self.drop(&flight, DropReason::HopLimit, None);
            }
            let verdict = self.map.gateway_mut(id).nat.inbound(
                self.now,
                flight.packet.protocol(),
                flight.packet.source,
                flight.packet.destination,
            );
            match verdict {
                Ok(internal) => flight.packet.destination = internal,
                Err(reason) => return self.drop(&flight, DropReason::Nat(reason), None),
            }
            match self.map.find(Some(id), *flight.packet.destination.ip()) {
                Some(inside) => node = inside,
                None => return self.drop(&flight, DropReason::NoRoute, None),
            }
        }
    }

    fn enter_downlink(&mut self, mut flight: Flight, host: HostId) {
        flight.leg = Leg::Down(host);
        let down = &mut self.map.host_mut(host).down;
        match down.offer(self.now, flight.packet.wire_bytes()) {
            Verdict::Deliver { at } => self.fly(at, flight),
            Verdict::Drop(reason) => self.drop(&flight, DropReason::Downlink(reason), Some(host)),
        }
    }

    fn deliver(&mut self, flight: Flight, host: HostId) -> Step {
        let Payload::Udp(data) = &flight.packet.payload else {
            self.observe(&flight, Stage::Delivered(host));
            return Step::Segment(flight.packet);
        };
        let port = flight.packet.destination.port();
        let Some(socket) = self.map.host(host).ports.find(port) else {
            self.drop(&flight, DropReason::PortUnreachable, Some(host));
            return Step::Packet(None);
        };
        let datagram = Datagram {
            source: flight.packet.source,
            data: data.clone(),
        };
        let socket = &mut self.sockets[socket.0 as usize];
        if !socket.push(datagram) {
            self.drop(&flight, DropReason::SocketBufferFull, Some(host));
            return Step::Packet(None);
        }
        let reader = socket.take_reader();
        self.observe(&flight, Stage::Delivered(host));
        Step::Packet(reader)
    }

    fn drop(&mut self, flight: &Flight, reason: DropReason, host: Option<HostId>) {
        self.observe(flight, Stage::Dropped(reason, host));
    }

    fn observe(&mut self, flight: &Flight, stage: Stage) {
        let event = PacketEvent {
            at: self.now,
            id: flight.id,
            sent: flight.sent,
            origin: flight.origin,
            stage,
            packet: &flight.packet,
        };
        self.counters.count(&event);
        for tap in &mut self.taps {
            tap.packet(&event);
        }
    }
}
