//! The network as one state machine: clock, events, hosts and sockets.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use slab::Slab;
use thiserror::Error;

use super::arena::Arena;
use super::cross::Cross;
use super::event::Event;
use super::id::{GatewayId, HostId, SocketId};
use super::lanes::{Lane, Lines};
use super::map::{Host, Map};
use super::path::Flight;
use super::queue::EventQueue;
use crate::ecn::Ecn;
use crate::host::cpu::{Cpu, CpuConfig, CpuError, CpuUsage, Overloaded, Work};
use crate::host::sockets::{Datagram, Socket};
use crate::link::config::LinkConfig;
use crate::link::pipe::{Pipe, PipeStreams};
use crate::link::validate::LinkError;
use crate::nat::{Nat, NatConfig};
use crate::packet::{Packet, Payload};
use crate::seed::Seed;
use crate::time::Time;
use crate::trace::Tap;
use crate::trace::counters::Counters;

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

/// Hosts behind NATs and links, in virtual time.
pub struct Network {
    pub(super) now: Time,
    seed: Seed,
    pub(super) map: Map,
    pub(super) events: EventQueue,
    pub(super) flights: Slab<Flight>,
    payloads: Arena,
    pub(super) sockets: Slab<Socket>,
    pub(super) lines: Lines,
    pub(super) cross: Cross,
    pub(super) next_packet: u64,
    pub(super) icmp: bool,
    /// Flights that are not sent yet: their origin's CPU is at work on them.
    pub(super) unsent: u64,
    /// Where CPU usage is counted.
    cpu_window: (Time, Time),
    pub(super) counters: Counters,
    pub(super) taps: Vec<Box<dyn Tap>>,
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
            lines: Lines::default(),
            cross: Cross::default(),
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

    /// Sends a datagram, Not-ECT.
    pub fn send_udp(&mut self, id: SocketId, destination: SocketAddrV4, data: Bytes) {
        self.send_datagram(id, destination, data, Ecn::NotEct);
    }

    /// Sends a copy of `data`, in memory that the network uses again and again.
    pub fn send_udp_copy(
        &mut self,
        id: SocketId,
        destination: SocketAddrV4,
        data: &[u8],
        ecn: Ecn,
    ) {
        let data = self.payloads.copy(data);
        self.send_datagram(id, destination, data, ecn);
    }

    fn send_datagram(&mut self, id: SocketId, destination: SocketAddrV4, data: Bytes, ecn: Ecn) {
        let Socket { host, local, .. } = self.sockets[id.0 as usize];
        let packet = Packet::new(local, destination, Payload::Udp(data));
        self.send(host, Packet { ecn, ..packet });
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
        let ecn = Ecn::NotEct;
        socket.push(Datagram { source, data, ecn });
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
            Event::Cross(parcel) => self.cross_parcel(parcel as usize),
            Event::Transmitter(lane) => self.serve_at(Lane::from(lane)),
            Event::Tcp => Step::Tcp,
            Event::Timer(slot) => Step::Timer(slot),
        })
    }
}
