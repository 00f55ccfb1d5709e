//! The mappings of one protocol.
//!
//! # Whose filter it is
//!
//! RFC 4787 section 5 says that a packet from Y:y for the internal endpoint X:x is filtered unless
//! X:x has sent to Y (or to Y:y). With endpoint-independent mapping, X:x has one mapping and that
//! is all there is to it. Otherwise it has several, and the text leaves open whether sending to Y
//! through one of them lets Y in through the others. Here it does not: **what was sent through a
//! mapping opens that mapping**. Reasons: translators keep their filter in the entry of the
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

use rand_chacha::ChaCha8Rng;
use rustc_hash::FxHashMap;
use slab::Slab;

use super::config::{Behavior, NatConfig, Refresh};
use super::facet::{Facet, Flow};
use super::mapping::{Mapping, Permitted};
use super::ports::Ports;
use super::verdict::NatDrop;
use crate::time::Time;

/// Where a mapping is in its table, for as long as it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Slot(usize);

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
    by_port: FxHashMap<u16, Slot>,
    /// Flows, told apart by address and port, whose packets leave through another mapping than
    /// the mapping behaviour asks for.
    pins: FxHashMap<Flow, Slot>,
    ports: Ports,
    /// One entry for every mapping, no later than its expiry: refreshing a mapping does not touch
    /// the heap, an entry that comes up early is put back.
    deadlines: BinaryHeap<Reverse<(Time, Slot)>>,
}

impl Table {
    /// No mappings yet; an idle one will live for `lifetime`, which `refresh` restarts.
    pub(super) fn new(config: &NatConfig, lifetime: Duration, refresh: Refresh) -> Self {
        Table {
            mapping: config.mapping,
            filtering: config.filtering,
            reply_pinning: config.reply_pinning,
            lifetime,
            refresh,
            mappings: Slab::new(),
            by_flow: FxHashMap::default(),
            by_port: FxHashMap::default(),
            pins: FxHashMap::default(),
            ports: Ports::new(config.ports),
            deadlines: BinaryHeap::new(),
        }
    }

    /// The external port by which a packet leaves; makes a mapping if there is none to use.
    pub(super) fn outbound(
        &mut self,
        now: Time,
        source: SocketAddrV4,
        destination: SocketAddrV4,
        rng: &mut ChaCha8Rng,
    ) -> Result<u16, NatDrop> {
        let slot = match self.find(now, source, destination) {
            Some(slot) => slot,
            None => self.create(now, source, destination, rng)?,
        };
        let mapping = &mut self.mappings[slot.0];
        mapping.expires = now + self.lifetime;
        mapping
            .permitted
            .insert(Facet::of(destination, self.filtering));
        Ok(mapping.port)
    }

    /// Where a packet from `source` to the external `port` goes inside.
    pub(super) fn inbound(
        &mut self,
        now: Time,
        source: SocketAddrV4,
        port: u16,
    ) -> Result<SocketAddrV4, NatDrop> {
        let slot = *self.by_port.get(&port).ok_or(NatDrop::NoMapping)?;
        let mapping = &mut self.mappings[slot.0];
        if !mapping.alive(now) {
            return Err(NatDrop::NoMapping);
        }
        if !mapping
            .permitted
            .contains(Facet::of(source, self.filtering))
        {
            return Err(NatDrop::Filtered);
        }
        if self.refresh == Refresh::Both {
            mapping.expires = now + self.lifetime;
        }
        let internal = mapping.internal;
        if self.reply_pinning {
            self.pin(slot, internal, source);
        }
        Ok(internal)
    }

    /// The live mapping that packets from `source` to `destination` use.
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
        rng: &mut ChaCha8Rng,
    ) -> Result<Slot, NatDrop> {
        self.reclaim(now);
        let port = self
            .ports
            .take(source.port(), rng)
            .ok_or(NatDrop::PortsExhausted)?;
        let flow = Flow::new(source, destination, self.mapping);
        let expires = now + self.lifetime;
        let slot = Slot(self.mappings.insert(Mapping {
            internal: source,
            port,
            flow,
            expires,
            permitted: Permitted::only(Facet::of(destination, self.filtering)),
            pinned: BTreeSet::new(),
        }));
        self.by_flow.insert(flow, slot);
        self.by_port.insert(port, slot);
        self.deadlines.push(Reverse((expires, slot)));
        Ok(slot)
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
                self.remove(slot);
            }
        }
    }

    /// Forgets a mapping and everything that leads to it.
    fn remove(&mut self, slot: Slot) {
        let mapping = self.mappings.remove(slot.0);
        self.ports.release(mapping.port);
        self.by_port.remove(&mapping.port);
        self.by_flow.remove(&mapping.flow);
        for key in mapping.pinned {
            if self.pins.get(&key) == Some(&slot) {
                self.pins.remove(&key);
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
    use crate::nat::presets;
    use crate::seed::Seed;

    const LIFETIME: Duration = Duration::from_nanos(100);

    fn endpoint(host: u8, port: u16) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, host), port)
    }

    fn pinning_table() -> Table {
        let config = NatConfig {
            mapping: Behavior::AddressAndPortDependent,
            reply_pinning: true,
            ..presets::FULL_CONE
        };
        Table::new(&config, LIFETIME, Refresh::Both)
    }

    #[test]
    fn memory_is_bounded_by_what_is_alive() {
        // A mapping, with a pin, every nanosecond, each alive for 100 ns: when one is made at t,
        // those made at t - 99 to t - 1 are alive, 100 with the new one.
        let mut table = pinning_table();
        let mut rng = Seed(1).stream("table");
        for nanos in 0..10_000u64 {
            let now = Time::from_nanos(nanos);
            let remote = endpoint(1, nanos as u16);
            let port = table
                .outbound(now, endpoint(0, 5000), remote, &mut rng)
                .unwrap();
            table.inbound(now, endpoint(2, nanos as u16), port).unwrap();
        }
        assert_eq!(table.mappings.len(), 100);
        assert_eq!([table.by_flow.len(), table.by_port.len()], [100, 100]);
        assert_eq!([table.pins.len(), table.deadlines.len()], [100, 100]);
    }

    #[test]
    fn refreshing_leaves_one_deadline_for_a_mapping() {
        // One mapping refreshed for ten lifetimes, and another made in each of them.
        let mut table = pinning_table();
        let mut rng = Seed(1).stream("table");
        for nanos in (0..1000).step_by(10) {
            let now = Time::from_nanos(nanos);
            table
                .outbound(now, endpoint(0, 5000), endpoint(1, 1), &mut rng)
                .unwrap();
            if nanos % 100 == 0 {
                let other = endpoint(1, 100 + nanos as u16);
                table
                    .outbound(now, endpoint(0, 5000), other, &mut rng)
                    .unwrap();
            }
        }
        // The other of 900 ns is alive until 1000 ns; all before it were removed when it was made.
        assert_eq!([table.mappings.len(), table.deadlines.len()], [2, 2]);
    }

    #[test]
    fn replies_that_change_their_mapping_leave_one_pin() {
        // Two mappings, and a remote that comes in by each in turn: one pin, listed at both.
        let mut table = pinning_table();
        let mut rng = Seed(1).stream("table");
        let [first, second] = [1, 2].map(|port| {
            table
                .outbound(Time::ZERO, endpoint(0, 5000), endpoint(1, port), &mut rng)
                .unwrap()
        });
        for port in [first, second].repeat(50) {
            table.inbound(Time::ZERO, endpoint(2, 9), port).unwrap();
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
        table
            .outbound(later, endpoint(0, 5000), endpoint(1, 3), &mut rng)
            .unwrap();
        assert_eq!([table.mappings.len(), table.pins.len()], [1, 0]);
    }
}
