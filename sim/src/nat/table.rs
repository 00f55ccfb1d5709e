//! The mappings of one protocol.
//!
//! # Whose filter it is
//!
//! RFC 4787 section 5 says that a packet from Y:y for the internal endpoint X:x is filtered unless
//! X:x has sent to Y (or to Y:y). With endpoint-independent mapping, X:x has one mapping and that
//! is all there is to it. Otherwise it has several, and the text leaves open whether sending to Y
//! through one of them lets Y in through the others. Here it does not, unless
//! [`FilterScope::InternalEndpoint`] says so: **what was sent through a mapping opens that
//! mapping**. Reasons: translators keep their filter in the entry of the
//! mapping and not in a second table by internal endpoint, and they drop it with that entry; and a
//! mapping of its own for each remote would otherwise be a door for every remote that X:x talks
//! to. What follows for the nine combinations:
//!
//! - endpoint-independent mapping: the scope makes no difference;
//! - endpoint-independent filtering: whatever comes to a live mapping is let in, also through a
//!   mapping that was made for another remote (symmetric mapping with open filtering);
//! - address-dependent mapping: a mapping is only ever used to send to one address, so both
//!   address-dependent filtering and the finer one let in that address alone, the finer one only
//!   from the ports that were sent to;
//! - address-and-port-dependent mapping: a mapping is only ever used to send to one endpoint;
//!   address-dependent filtering lets in every port of its address, the finer one that endpoint
//!   alone.
//!
//! Reply pinning can send to further remotes through a mapping; they are then let in as well.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::net::SocketAddrV4;
use std::time::Duration;

use rustc_hash::FxHashMap;
use slab::Slab;

#[cfg(doc)]
use super::config::FilterScope;
use super::config::{Behavior, NatConfig, Refresh};
use super::extras::{Extras, whole};
use super::facet::{Facet, Flow};
use super::limits::Limits;
use super::mapping::{External, Mapping, Permitted, Slot};
use super::pool::Pool;
use super::ports::Ports;
use super::tcp::{Segment, Side, TRANSITORY_LIFETIME};
use super::verdict::NatDrop;
use crate::packet::Protocol;
use crate::time::Time;

/// The mappings of one protocol.
///
/// An expired mapping is never used; it is removed when the next mapping is made, before its port
/// is chosen, so its port is free from the instant of its expiry and the table never holds more
/// than were alive at once.
#[derive(Debug)]
pub(super) struct Table {
    mapping: Behavior,
    filtering: Behavior,
    reply_pinning: bool,
    lifetime: Duration,
    refresh: Refresh,
    mappings: Slab<Mapping>,
    by_flow: FxHashMap<Flow, Slot>,
    by_external: FxHashMap<External, Slot>,
    /// Flows, told apart by address and port, whose packets leave through another mapping than
    /// the mapping behaviour asks for.
    pins: FxHashMap<Flow, Slot>,
    /// One for each external address.
    ports: Vec<Ports>,
    limits: Limits,
    /// One entry for every mapping, no later than its expiry: refreshing a mapping does not touch
    /// the heap, an entry that comes up early is put back.
    deadlines: BinaryHeap<Reverse<(Time, Slot)>>,
    extras: Option<Box<Extras>>,
}

impl Table {
    /// No mappings yet, on this many external addresses.
    pub(super) fn new(config: &NatConfig, protocol: Protocol, addresses: usize) -> Self {
        let (lifetime, refresh) = match protocol {
            Protocol::Udp => (config.udp_lifetime, config.refresh),
            Protocol::Tcp => (TRANSITORY_LIFETIME, Refresh::Both),
        };
        Table {
            mapping: config.mapping,
            filtering: config.filtering,
            reply_pinning: config.reply_pinning,
            lifetime,
            refresh,
            mappings: Slab::new(),
            by_flow: FxHashMap::default(),
            by_external: FxHashMap::default(),
            pins: FxHashMap::default(),
            ports: (0..addresses).map(|_| Ports::new(config)).collect(),
            limits: Limits::new(config),
            deadlines: BinaryHeap::new(),
            extras: Extras::new(config, protocol),
        }
    }

    /// The same without mappings, and without the ports that they had.
    pub(super) fn without_taken_ports(self, config: &NatConfig, protocol: Protocol) -> Self {
        let ports = self.ports.into_iter();
        Table {
            ports: ports.map(|ports| ports.without_taken(config)).collect(),
            ..Table::new(config, protocol, 0)
        }
    }

    /// The external endpoint by which a packet leaves; makes a mapping if there is none to use.
    pub(super) fn outbound(
        &mut self,
        now: Time,
        source: SocketAddrV4,
        destination: SocketAddrV4,
        segment: Option<Segment>,
        pool: &mut Pool,
    ) -> Result<External, NatDrop> {
        let slot = match self.find(now, source, destination) {
            Some(slot) => slot,
            None => self.create(now, source, destination, pool)?,
        };
        let mapping = &mut self.mappings[slot.0];
        mapping
            .permitted
            .insert(Facet::of(destination, self.filtering));
        let external = mapping.external;
        match self.extras {
            None => mapping.expires = now + self.lifetime,
            Some(_) => self.sent(now, slot, destination, segment),
        }
        Ok(external)
    }

    /// Where a packet from `source` to `external` goes inside.
    pub(super) fn inbound(
        &mut self,
        now: Time,
        source: SocketAddrV4,
        external: External,
        segment: Option<Segment>,
    ) -> Result<SocketAddrV4, NatDrop> {
        let slot = self.owner(external, source).ok_or(NatDrop::NoMapping)?;
        let mapping = &mut self.mappings[slot.0];
        if !mapping.alive(now) {
            return Err(NatDrop::NoMapping);
        }
        let internal = mapping.internal;
        if self.extras.is_some() {
            self.accept(now, slot, source, segment)?;
        } else {
            let remote = Facet::of(source, self.filtering);
            if !mapping.permitted.contains(remote) {
                return Err(NatDrop::Filtered);
            }
            if self.refresh == Refresh::Both {
                mapping.expires = now + self.lifetime;
            }
        }
        if self.reply_pinning {
            self.pin(slot, internal, source);
        }
        Ok(internal)
    }

    /// The external endpoint of the flow from `source` to `destination`, if it has a mapping; that
    /// someone asks changes nothing.
    pub(super) fn external_of(
        &self,
        now: Time,
        source: SocketAddrV4,
        destination: SocketAddrV4,
    ) -> Option<External> {
        let slot = self.find(now, source, destination)?;
        Some(self.mappings[slot.0].external)
    }

    /// Who has the mapping of `external` for packets from `remote`, whether or not they are let
    /// in; that someone asks changes nothing.
    pub(super) fn internal_of(
        &self,
        now: Time,
        external: External,
        remote: SocketAddrV4,
    ) -> Option<SocketAddrV4> {
        let slot = self.owner(external, remote)?;
        let mapping = &self.mappings[slot.0];
        mapping.alive(now).then_some(mapping.internal)
    }

    /// The mapping of an external endpoint; where several have it, that of who sent to `remote`
    /// last, or of the one that was made last if nobody did.
    #[inline]
    fn owner(&self, external: External, remote: SocketAddrV4) -> Option<Slot> {
        let senders = self.extras.as_ref().and_then(|it| it.senders.as_ref());
        senders
            .and_then(|senders| senders.last(external, remote))
            .or_else(|| self.by_external.get(&external).copied())
    }

    /// The live mapping that packets from `source` to `destination` use.
    #[inline]
    fn find(&self, now: Time, source: SocketAddrV4, destination: SocketAddrV4) -> Option<Slot> {
        let live = |slot: &Slot| self.mappings[slot.0].alive(now).then_some(*slot);
        if !self.pins.is_empty()
            && let Some(slot) = self.pins.get(&pin_key(source, destination)).and_then(live)
        {
            return Some(slot);
        }
        self.by_flow
            .get(&Flow::new(source, destination, self.mapping))
            .and_then(live)
    }

    /// Makes a mapping for packets from `source` to `destination`.
    fn create(
        &mut self,
        now: Time,
        source: SocketAddrV4,
        destination: SocketAddrV4,
        pool: &mut Pool,
    ) -> Result<Slot, NatDrop> {
        self.reclaim(now);
        if self
            .limits
            .admit(*source.ip(), self.mappings.len())?
            .evicts()
        {
            self.evict(now);
        }
        let external = pool
            .choices(*source.ip())
            .find_map(|place| {
                let ports = &mut self.ports[usize::from(place)];
                let port = ports.take(now, source, &mut pool.rng)?;
                Some(External::new(place, port))
            })
            .ok_or(NatDrop::PortsExhausted)?;
        let flow = Flow::new(source, destination, self.mapping);
        let expires = now + self.lifetime;
        let slot = Slot(self.mappings.insert(Mapping {
            internal: source,
            external,
            flow,
            expires,
            permitted: Permitted::only(Facet::of(destination, self.filtering)),
            pinned: BTreeSet::new(),
        }));
        self.by_flow.insert(flow, slot);
        self.by_external.insert(external, slot);
        self.deadlines.push(Reverse((expires, slot)));
        self.limits.made(*source.ip());
        if let Some(extras) = &mut self.extras {
            extras.made(slot, &self.mappings[slot.0]);
        }
        Ok(slot)
    }

    /// A packet has left through the mapping at `slot`, of a table with extras.
    fn sent(&mut self, now: Time, slot: Slot, to: SocketAddrV4, segment: Option<Segment>) {
        let expires = self.expiry(now, slot, to, Side::Inside, segment);
        self.set_expiry(slot, expires);
        let external = self.mappings[slot.0].external;
        let Some(extras) = &mut self.extras else {
            return;
        };
        if let Some(remotes) = &mut extras.remotes {
            remotes.open(slot, Facet::of(to, self.filtering), expires);
        }
        if let Some(senders) = &mut extras.senders {
            senders.sent(external, to, slot);
        }
    }

    /// A packet has come to the mapping at `slot`, of a table with extras.
    fn accept(
        &mut self,
        now: Time,
        slot: Slot,
        from: SocketAddrV4,
        segment: Option<Segment>,
    ) -> Result<(), NatDrop> {
        let remote = Facet::of(from, self.filtering);
        if !self.lets_in(now, slot, remote) {
            return Err(NatDrop::Filtered);
        }
        if self.refresh == Refresh::Both {
            let expires = self.expiry(now, slot, from, Side::Outside, segment);
            self.set_expiry(slot, expires);
            if let Some(remotes) = self.extras.as_mut().and_then(|it| it.remotes.as_mut()) {
                remotes.extend(now, slot, remote, expires);
            }
        }
        Ok(())
    }

    /// Whether the filter lets a remote in through the mapping at `slot`, of a table with extras.
    fn lets_in(&self, now: Time, slot: Slot, remote: Facet) -> bool {
        let Some(extras) = &self.extras else {
            return self.mappings[slot.0].permitted.contains(remote);
        };
        extras.any_lets_in(slot, self.mappings[slot.0].internal, |slot| {
            let mapping = &self.mappings[slot.0];
            let timed = extras.remotes.as_ref();
            mapping.alive(now)
                && mapping.permitted.contains(remote)
                && timed.is_none_or(|remotes| remotes.alive(now, slot, remote))
        })
    }

    /// When a mapping expires through which a packet passes now.
    fn expiry(
        &mut self,
        now: Time,
        slot: Slot,
        remote: SocketAddrV4,
        from: Side,
        segment: Option<Segment>,
    ) -> Time {
        let connections = self.extras.as_mut().and_then(|it| it.connections.as_mut());
        match connections.zip(segment) {
            Some((connections, segment)) => {
                connections.pass(now, slot, whole(remote), from, segment)
            }
            None => now + self.lifetime,
        }
    }

    /// Sets when a mapping expires, which may be sooner than before.
    fn set_expiry(&mut self, slot: Slot, expires: Time) {
        let mapping = &mut self.mappings[slot.0];
        let sooner = expires < mapping.expires;
        mapping.expires = expires;
        if sooner {
            self.deadlines.retain(|Reverse((_, other))| *other != slot);
            self.deadlines.push(Reverse((expires, slot)));
        }
    }

    /// Makes later packets from `internal` to `remote` leave through the mapping at `slot`. The
    /// latest accepted packet decides, also over a mapping that was already in use.
    fn pin(&mut self, slot: Slot, internal: SocketAddrV4, remote: SocketAddrV4) {
        let key = pin_key(internal, remote);
        let mapping = &mut self.mappings[slot.0];
        if mapping.flow == Flow::new(internal, remote, self.mapping) {
            self.pins.remove(&key);
        } else if self.pins.insert(key, slot) != Some(slot) {
            mapping.pinned.insert(key);
        }
    }

    /// Removes every expired mapping. A mapping comes up about once in a lifetime, so the cost is
    /// spread over the mappings made.
    fn reclaim(&mut self, now: Time) {
        while let Some(&Reverse((deadline, slot))) = self.deadlines.peek()
            && deadline <= now
        {
            self.deadlines.pop();
            let expires = self.mappings[slot.0].expires;
            if expires > deadline {
                // Refreshed since: it comes up again, at once if it has expired all the same.
                self.deadlines.push(Reverse((expires, slot)));
            } else {
                self.remove(slot, expires);
            }
        }
    }

    /// Removes the mapping that would expire first; of several, the one in the lowest slot. Looks
    /// at all of them.
    fn evict(&mut self, now: Time) {
        let by_expiry = |(_, mapping): &(usize, &Mapping)| mapping.expires;
        if let Some((slot, _)) = self.mappings.iter().min_by_key(by_expiry) {
            self.deadlines.retain(|Reverse((_, other))| other.0 != slot);
            self.remove(Slot(slot), now);
        }
    }

    /// Forgets a mapping that ended at `at`, and everything that leads to it but its deadline.
    fn remove(&mut self, slot: Slot, at: Time) {
        let mapping = self.mappings.remove(slot.0);
        let ports = &mut self.ports[usize::from(mapping.external.place())];
        ports.release(at, mapping.internal, mapping.external.port());
        self.limits.ended(*mapping.internal.ip());
        self.by_flow.remove(&mapping.flow);
        self.unlist(slot, mapping.external);
        if let Some(extras) = &mut self.extras {
            extras.ended(slot, &mapping);
        }
        for key in mapping.pinned {
            if self.pins.get(&key) == Some(&slot) {
                self.pins.remove(&key);
            }
        }
    }

    /// Takes a mapping that is gone from its external endpoint, which goes to another one that has
    /// it, if ports are overloaded.
    fn unlist(&mut self, slot: Slot, external: External) {
        if self.by_external.get(&external) != Some(&slot) {
            return;
        }
        self.by_external.remove(&external);
        if self.extras.as_ref().is_some_and(|it| it.senders.is_some()) {
            let mut others = self.mappings.iter();
            if let Some((other, _)) = others.find(|(_, mapping)| mapping.external == external) {
                self.by_external.insert(external, Slot(other));
            }
        }
    }
}

/// Pins are for one remote endpoint, whatever the mapping behaviour.
fn pin_key(internal: SocketAddrV4, remote: SocketAddrV4) -> Flow {
    Flow::new(internal, remote, Behavior::AddressAndPortDependent)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::nat::{Pooling, presets};
    use crate::seed::Seed;

    const LIFETIME: Duration = Duration::from_nanos(100);

    fn endpoint(host: u8, port: u16) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, host), port)
    }

    fn pinning_table() -> Table {
        let config = NatConfig {
            mapping: Behavior::AddressAndPortDependent,
            reply_pinning: true,
            udp_lifetime: LIFETIME,
            refresh: Refresh::Both,
            ..presets::FULL_CONE
        };
        Table::new(&config, Protocol::Udp, 1)
    }

    fn pool() -> Pool {
        let external = Ipv4Addr::new(198, 51, 100, 1);
        Pool::new(vec![external], Pooling::Paired, Seed(1).stream("table"))
    }

    /// The port by which a packet leaves.
    fn send(table: &mut Table, now: Time, to: SocketAddrV4, pool: &mut Pool) -> External {
        let sent = table.outbound(now, endpoint(0, 5000), to, None, pool);
        sent.expect("ports are left")
    }

    #[test]
    fn memory_is_bounded_by_what_is_alive() {
        // A mapping, with a pin, every nanosecond, each alive for 100 ns: when one is made at t,
        // those made at t - 99 to t - 1 are alive, 100 with the new one.
        let mut table = pinning_table();
        let mut pool = pool();
        for nanos in 0..10_000u64 {
            let now = Time::from_nanos(nanos);
            let remote = endpoint(1, nanos as u16);
            let port = send(&mut table, now, remote, &mut pool);
            table
                .inbound(now, endpoint(2, nanos as u16), port, None)
                .unwrap();
        }
        assert_eq!(table.mappings.len(), 100);
        assert_eq!([table.by_flow.len(), table.by_external.len()], [100, 100]);
        assert_eq!([table.pins.len(), table.deadlines.len()], [100, 100]);
    }

    #[test]
    fn refreshing_leaves_one_deadline_for_a_mapping() {
        // One mapping refreshed for ten lifetimes, and another made in each of them.
        let mut table = pinning_table();
        let mut pool = pool();
        for nanos in (0..1000).step_by(10) {
            let now = Time::from_nanos(nanos);
            send(&mut table, now, endpoint(1, 1), &mut pool);
            if nanos % 100 == 0 {
                let other = endpoint(1, 100 + nanos as u16);
                send(&mut table, now, other, &mut pool);
            }
        }
        // The other of 900 ns is alive until 1000 ns; all before it were removed when it was made.
        assert_eq!([table.mappings.len(), table.deadlines.len()], [2, 2]);
    }

    #[test]
    fn replies_that_change_their_mapping_leave_one_pin() {
        // Two mappings, and a remote that comes in by each in turn: one pin, listed at both.
        let mut table = pinning_table();
        let mut pool = pool();
        let [first, second] =
            [1, 2].map(|port| send(&mut table, Time::ZERO, endpoint(1, port), &mut pool));
        for port in [first, second].repeat(50) {
            table
                .inbound(Time::ZERO, endpoint(2, 9), port, None)
                .unwrap();
        }
        assert_eq!(table.pins.len(), 1);
        let listed: usize = table
            .mappings
            .iter()
            .map(|(_, mapping)| mapping.pinned.len())
            .sum();
        assert_eq!(listed, 2);
        // Both die at 100 ns; making a third then removes the pin with them.
        let later = Time::ZERO + LIFETIME;
        send(&mut table, later, endpoint(1, 3), &mut pool);
        assert_eq!([table.mappings.len(), table.pins.len()], [1, 0]);
    }
}
