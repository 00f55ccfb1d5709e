//! The network as one state machine: clock, events, sockets, and the path of every packet.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use slab::Slab;
use thiserror::Error;

use super::arena::Arena;
use super::drops::DropReason;
use super::event::Event;
use super::id::{GatewayId, HostId, SocketId};
use super::map::{Host, Map};
use super::queue::EventQueue;
use super::route::route;
use crate::host::cpu::{Cpu, CpuConfig, CpuError, CpuUsage, Overloaded, Work};
use crate::host::sockets::{Datagram, Socket, UdpError};
use crate::link::config::LinkConfig;
use crate::link::pipe::{Pipe, PipeStreams, Verdict};
use crate::link::validate::LinkError;
use crate::nat::{Nat, NatConfig};
use crate::packet::{Packet, Payload};
use crate::seed::Seed;
use crate::time::Time;
use crate::trace::counters::Counters;
use crate::trace::{PacketEvent, Stage, Tap};

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
    /// Its CPU; `None` if work takes no time.
    pub cpu: Option<CpuConfig>,
}

/// What cannot be built or sent.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum NetworkError {
    /// The link cannot exist.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The CPU cannot exist.
    #[error(transparent)]
    Cpu(#[from] CpuError),
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

/// A packet on its way. It stays in its slot from when it is sent until it comes to rest.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) packet: Packet,
    /// Its number and its time of sending; of no meaning before it is sent.
    id: u64,
    sent: Time,
    arrived: Option<Time>,
    pub(super) origin: HostId,
    pub(super) leg: Leg,
}

/// Where a packet is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Leg {
    /// In the CPU of its origin.
    Out,
    /// On the uplink of its origin.
    Up,
    /// On the downlink of a host.
    Down(HostId),
    /// None any more: the host has left the link that the packet was on.
    Cut(HostId),
    /// In the CPU of a host, or on its way back to the host that sent it.
    In(HostId),
}

/// Hosts behind NATs and links, in virtual time.
pub struct Network {
    pub(super) now: Time,
    seed: Seed,
    pub(super) map: Map,
    events: EventQueue,
    pub(super) flights: Slab<Flight>,
    payloads: Arena,
    pub(super) sockets: Slab<Socket>,
    next_packet: u64,
    pub(super) icmp: bool,
    /// Flights that are not sent yet: their origin's CPU is at work on them.
    unsent: u64,
    /// Where CPU usage is counted.
    cpu_window: (Time, Time),
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
            payloads: Arena::default(),
            sockets: Slab::new(),
            next_packet: 0,
            icmp: false,
            unsent: 0,
            cpu_window: (Time::ZERO, Time::from_nanos(u64::MAX)),
            counters: Counters::default(),
            taps: Vec::new(),
        }
    }

    /// Adds a host.
    ///
    /// # Errors
    ///
    /// [`NetworkError::AddressTaken`] if its network has that address already, and
    /// [`NetworkError::Link`] or [`NetworkError::Cpu`] if its link or CPU is impossible.
    pub fn add_host(&mut self, config: HostConfig) -> Result<HostId, NetworkError> {
        let cpu = |cpu| Cpu::new(cpu, self.cpu_window);
        let (up, down) = self.pipes(&config.name, config.link)?;
        let host = Host {
            address: config.address,
            behind: config.behind,
            up,
            down,
            ports: Default::default(),
            mtu: u32::MAX,
            dont_fragment: false,
            moves: 0,
            cpu: config.cpu.map(cpu).transpose()?,
            name: config.name,
        };
        self.map.add_host(host).map_err(NetworkError::AddressTaken)
    }

    /// Both ways of the access link of this name, which has carried nothing.
    pub(super) fn pipes(&self, name: &str, link: LinkConfig) -> Result<(Pipe, Pipe), LinkError> {
        let pipe = |direction, config| {
            let name = format!("link/{name}/{direction}");
            Pipe::new(config, PipeStreams::new(self.seed, &name))
        };
        Ok((pipe("up", link.up)?, pipe("down", link.down)?))
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
        self.add_gateway_with_pool(config, &[external], behind)
    }

    /// Adds a NAT that has several external addresses, with an empty network behind it.
    ///
    /// # Errors
    ///
    /// [`NetworkError::AddressTaken`] if its network has one of the addresses already, or it is
    /// there twice.
    ///
    /// # Panics
    ///
    /// If there is no address.
    pub fn add_gateway_with_pool(
        &mut self,
        config: NatConfig,
        externals: &[Ipv4Addr],
        behind: Option<GatewayId>,
    ) -> Result<GatewayId, NetworkError> {
        let stream = self.map.stream_name(behind, externals[0]);
        let nat = Nat::with_pool(config, externals.to_vec(), self.seed.stream(&stream));
        self.map
            .add_gateway(nat, behind)
            .map_err(NetworkError::AddressTaken)
    }

    /// The NAT that a host is behind, the innermost of several; `None` on the internet.
    pub fn gateway(&self, host: HostId) -> Option<GatewayId> {
        self.map.host(host).behind
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

    /// Packets that were sent and have not come to rest: on a link, or in the CPU of the host
    /// that they are for.
    pub fn in_flight(&self) -> u64 {
        self.flights.len() as u64 - self.unsent
    }

    /// Counts the usage of every CPU in the window `[from, to)` alone, and what they refuse from
    /// now on. Before the first call all of the run counts.
    pub fn measure_cpus(&mut self, from: Time, to: Time) {
        self.cpu_window = (from, to);
        for cpu in self.map.hosts_mut().filter_map(|host| host.cpu.as_mut()) {
            cpu.measure((from, to));
        }
    }

    /// What a host's CPU did so far; work counts when it is admitted. `None` if the CPU is free.
    pub fn cpu_usage(&self, host: HostId) -> Option<&CpuUsage> {
        self.map.host(host).cpu.as_ref().map(Cpu::usage)
    }

    /// What every host's CPU did, in the order of creation.
    pub(crate) fn cpu_usages(&self) -> Vec<Option<CpuUsage>> {
        let usage = |(id, _)| self.cpu_usage(id).cloned();
        self.map.hosts().map(usage).collect()
    }

    /// Charges a host for work that costs `cost` at speed 1, and returns when it is done: now if
    /// its CPU is free.
    pub(crate) fn charge(
        &mut self,
        host: HostId,
        work: Work,
        cost: Duration,
    ) -> Result<Time, Overloaded> {
        match &mut self.map.host_mut(host).cpu {
            Some(cpu) => cpu.admit(self.now, work, cost),
            None => Ok(self.now),
        }
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
        self.send(host, Packet::new(local, destination, Payload::Udp(data)));
    }

    /// Sends a copy of `data`, in memory that the network uses again and again.
    pub fn send_udp_copy(&mut self, id: SocketId, destination: SocketAddrV4, data: &[u8]) {
        let data = self.payloads.copy(data);
        self.send_udp(id, destination, data);
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
            Event::Packet(slot) => self.arrive(slot as usize),
            Event::Tcp => Step::Tcp,
            Event::Timer(slot) => Step::Timer(slot),
        })
    }

    /// Sends a packet: through the host's CPU, then on its access link. TCP that
    /// carries no media, and what a host sends to itself, take no CPU.
    pub(crate) fn send(&mut self, origin: HostId, packet: Packet) {
        let host = self.map.host_mut(origin);
        let charged = packet.is_charged() && *packet.destination.ip() != host.address;
        let cpu = host.cpu.as_mut().filter(|_| charged);
        let done = cpu.map(|cpu| cpu.send(self.now));
        let slot = self.flights.insert(Flight {
            packet,
            id: 0,
            sent: self.now,
            arrived: None,
            origin,
            leg: Leg::Out,
        });
        self.unsent += 1;
        match done {
            None => self.launch(slot),
            Some(Ok(at)) => self.fly(at, slot),
            Some(Err(Overloaded)) => {
                self.mark_sent(slot);
                self.drop(slot, DropReason::CpuOverload, Some(origin));
            }
        }
    }

    /// Puts a packet on its origin's access link.
    fn launch(&mut self, slot: usize) {
        let oversize = self.slice(slot);
        self.mark_sent(slot);
        let flight = &self.flights[slot];
        let origin = flight.origin;
        if *flight.packet.destination.ip() == self.map.host(origin).address {
            return self.loop_back(slot);
        }
        self.flights[slot].leg = Leg::Up;
        if oversize {
            return self.offer_slices(slot, origin);
        }
        let up = &mut self.map.host_mut(origin).up;
        if up.is_ideal() {
            return self.leave_uplink(slot);
        }
        match up.offer(self.now, self.flights[slot].packet.wire_bytes()) {
            Verdict::Deliver { at } => self.fly(at, slot),
            Verdict::Drop(reason) => self.drop(slot, DropReason::Uplink(reason), Some(origin)),
        }
    }

    /// From now on the packet is one of the network's.
    fn mark_sent(&mut self, slot: usize) {
        let flight = &mut self.flights[slot];
        (flight.id, flight.sent) = (self.next_packet, self.now);
        self.next_packet += 1;
        self.unsent -= 1;
        self.observe(slot, Stage::Sent);
    }

    /// Delivers a packet to the host that sent it, without its link.
    fn loop_back(&mut self, slot: usize) {
        let flight = &mut self.flights[slot];
        flight.leg = Leg::In(flight.origin);
        flight.arrived = Some(self.now);
        self.fly(self.now, slot);
    }

    pub(super) fn fly(&mut self, at: Time, slot: usize) {
        self.events.schedule(at, Event::Packet(slot as u32));
    }

    /// A packet has crossed the link that it was on, or a CPU is done with it.
    fn arrive(&mut self, slot: usize) -> Step {
        match self.flights[slot].leg {
            Leg::Out => self.launch(slot),
            Leg::Up => self.leave_uplink(slot),
            Leg::Down(host) => return self.reach(slot, host),
            Leg::In(host) => return self.deliver(slot, host),
            Leg::Cut(host) => self.drop(slot, DropReason::LinkLeft, Some(host)),
        }
        Step::Packet(None)
    }

    /// A packet has crossed its last link: the host's CPU takes it from there.
    fn reach(&mut self, slot: usize, host: HostId) -> Step {
        let flight = &mut self.flights[slot];
        flight.arrived = Some(self.now);
        let charged = flight.packet.is_charged();
        let cpu = self.map.host_mut(host).cpu.as_mut();
        match cpu.filter(|_| charged).map(|cpu| cpu.receive(self.now)) {
            None => return self.deliver(slot, host),
            Some(Ok(at)) => {
                flight.leg = Leg::In(host);
                self.fly(at, slot);
            }
            Some(Err(Overloaded)) => self.drop(slot, DropReason::CpuOverload, Some(host)),
        }
        Step::Packet(None)
    }

    fn leave_uplink(&mut self, slot: usize) {
        let flight = &mut self.flights[slot];
        match route(&mut self.map, self.now, flight.origin, &mut flight.packet) {
            Ok(host) => self.enter_downlink(slot, host),
            Err(reason) => self.drop(slot, reason, None),
        }
    }

    fn enter_downlink(&mut self, slot: usize, host: HostId) {
        let flight = &mut self.flights[slot];
        flight.leg = Leg::Down(host);
        let receiver = self.map.host_mut(host);
        let wire_bytes = flight.packet.wire_bytes();
        if wire_bytes > receiver.mtu || flight.packet.fragments > 1 {
            return self.offer_slices_down(slot, host);
        }
        match receiver.down.offer(self.now, wire_bytes) {
            Verdict::Deliver { at } => self.fly(at, slot),
            Verdict::Drop(reason) => self.drop(slot, DropReason::Downlink(reason), Some(host)),
        }
    }

    fn deliver(&mut self, slot: usize, host: HostId) -> Step {
        let socket = match self.receiver(&self.flights[slot].packet, host) {
            Ok(socket) => socket,
            Err(reason) => {
                let error = self.refusal(slot, reason);
                self.drop(slot, reason, Some(host));
                if let Some(error) = error {
                    self.send(host, error);
                }
                return Step::Packet(None);
            }
        };
        self.observe(slot, Stage::Delivered(host));
        let packet = self.flights.remove(slot).packet;
        match (packet.payload, socket) {
            (Payload::Udp(data), Some(socket)) => {
                let socket = &mut self.sockets[socket.0 as usize];
                let source = packet.source;
                socket.push(Datagram { source, data });
                Step::Packet(socket.take_reader())
            }
            (Payload::PortUnreachable, Some(socket)) => {
                self.sockets[socket.0 as usize].error = Some(UdpError::Refused(packet.source));
                Step::Packet(None)
            }
            (payload, _) => Step::Segment(Packet { payload, ..packet }),
        }
    }

    /// The socket that a UDP packet is for; TCP has no socket here, and its stack takes all.
    fn receiver(&self, packet: &Packet, host: HostId) -> Result<Option<SocketId>, DropReason> {
        let bytes = match &packet.payload {
            Payload::Udp(data) => data.len(),
            Payload::PortUnreachable => 0,
            Payload::Tcp(_) => return Ok(None),
        };
        let ports = &self.map.host(host).ports;
        let id = ports
            .find(packet.destination.port())
            .ok_or(DropReason::PortUnreachable)?;
        match self.sockets[id.0 as usize].has_room(bytes) {
            true => Ok(Some(id)),
            false => Err(DropReason::SocketBufferFull),
        }
    }

    pub(super) fn drop(&mut self, slot: usize, reason: DropReason, host: Option<HostId>) {
        self.observe(slot, Stage::Dropped(reason, host));
        self.flights.remove(slot);
    }

    fn observe(&mut self, slot: usize, stage: Stage) {
        let flight = &self.flights[slot];
        let event = PacketEvent {
            at: self.now,
            id: flight.id,
            sent: flight.sent,
            arrived: flight.arrived,
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
