//! The path of every packet: CPU, uplink, NATs, downlink, CPU, socket.

use super::drops::DropReason;
use super::event::Event;
use super::id::{HostId, SocketId};
use super::lanes::{Lane, Occupant};
use super::network::{Network, Step};
use super::route::route;
use crate::host::cpu::Overloaded;
use crate::host::sockets::{Datagram, UdpError};
use crate::link::pipe::Verdict;
use crate::packet::{Packet, Payload};
use crate::time::Time;
use crate::trace::{PacketEvent, Stage};

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

impl Network {
    /// Sends a packet: through the host's CPU, then on its access link. TCP that carries
    /// no media, and what a host sends to itself, take no CPU.
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
        let packet = &self.flights[slot].packet;
        let verdict = up.offer_with(self.now, packet.wire_bytes(), packet.ecn);
        self.cross_link(slot, Lane::up(origin), verdict);
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
    pub(super) fn arrive(&mut self, slot: usize) -> Step {
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
        let (wire_bytes, ecn) = (flight.packet.wire_bytes(), flight.packet.ecn);
        if wire_bytes > receiver.mtu || flight.packet.fragments > 1 {
            return self.offer_slices_down(slot, host);
        }
        let verdict = receiver.down.offer_with(self.now, wire_bytes, ecn);
        self.cross_link(slot, Lane::down(host), verdict);
    }

    /// What a link made of a packet that was offered to it.
    fn cross_link(&mut self, slot: usize, lane: Lane, verdict: Verdict) {
        match verdict {
            Verdict::Deliver { at } => self.fly(at, slot),
            Verdict::Drop(reason) => self.drop(slot, lane.refusal(reason), Some(lane.host)),
            Verdict::Wait => self.wait(lane, [Occupant::Flight { slot, last: true }]),
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
                let (source, ecn) = (packet.source, packet.ecn);
                socket.push(Datagram { source, data, ecn });
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
