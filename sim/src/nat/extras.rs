//! What only some tables keep besides their mappings: one look tells all others that it is not
//! there.

use std::net::SocketAddrV4;

use rustc_hash::FxHashMap;

use super::config::{Behavior, FilterScope, NatConfig, PortAssignment, TimerScope};
use super::facet::Facet;
use super::mapping::{External, Mapping, Slot};
use super::tcp::Connections;
use crate::packet::Protocol;
use crate::time::Time;

/// Each part is there if a switch asks for it; at least one is.
#[derive(Debug)]
pub(super) struct Extras {
    /// The mappings of every internal endpoint, where the filter goes by endpoints.
    pub(super) siblings: Option<FxHashMap<SocketAddrV4, Vec<Slot>>>,
    /// When remotes are let in no more, where they have lifetimes of their own.
    pub(super) remotes: Option<Remotes>,
    /// Who sent to a remote endpoint last, where ports are overloaded.
    pub(super) senders: Option<Senders>,
    /// The state of connections, of TCP.
    pub(super) connections: Option<Connections>,
}

impl Extras {
    /// What a table needs; `None` if that is nothing.
    pub(super) fn new(config: &NatConfig, protocol: Protocol) -> Option<Box<Self>> {
        let scoped = config.filter_scope == FilterScope::InternalEndpoint;
        let timed = config.timer_scope == TimerScope::Remote && protocol == Protocol::Udp;
        let overloads = config.ports == PortAssignment::Overloading;
        let tracks = protocol == Protocol::Tcp;
        (scoped || timed || overloads || tracks).then(|| {
            Box::new(Extras {
                siblings: scoped.then(FxHashMap::default),
                remotes: timed.then(Remotes::default),
                senders: overloads.then(Senders::default),
                connections: tracks.then(Connections::default),
            })
        })
    }

    /// `mapping` was made at `slot`.
    pub(super) fn made(&mut self, slot: Slot, mapping: &Mapping) {
        if let Some(siblings) = &mut self.siblings {
            siblings.entry(mapping.internal).or_default().push(slot);
        }
    }

    /// `mapping` is gone from `slot`.
    pub(super) fn ended(&mut self, slot: Slot, mapping: &Mapping) {
        if let Some(siblings) = &mut self.siblings
            && let Some(slots) = siblings.get_mut(&mapping.internal)
        {
            slots.retain(|other| *other != slot);
            if slots.is_empty() {
                siblings.remove(&mapping.internal);
            }
        }
        if let Some(remotes) = &mut self.remotes {
            remotes.0.remove(&slot);
        }
        if let Some(senders) = &mut self.senders {
            senders.0.retain(|_, sender| *sender != slot);
        }
        if let Some(connections) = &mut self.connections {
            connections.forget(slot);
        }
    }

    /// Whether any mapping of the endpoint that has the one at `slot` lets in by its own filter,
    /// as `lets_in` says. That one is the only one where filters go by mappings.
    pub(super) fn any_lets_in(
        &self,
        slot: Slot,
        internal: SocketAddrV4,
        mut lets_in: impl FnMut(Slot) -> bool,
    ) -> bool {
        match &self.siblings {
            None => lets_in(slot),
            Some(siblings) => siblings[&internal].iter().any(|slot| lets_in(*slot)),
        }
    }
}

/// Lifetimes of remotes, as the filtering tells them apart, at each mapping.
#[derive(Debug, Default)]
pub(super) struct Remotes(FxHashMap<Slot, FxHashMap<Facet, Time>>);

impl Remotes {
    /// The remote is let in until `expires`.
    pub(super) fn open(&mut self, slot: Slot, remote: Facet, expires: Time) {
        self.0.entry(slot).or_default().insert(remote, expires);
    }

    /// The remote is let in until `expires`, if it is now.
    pub(super) fn extend(&mut self, now: Time, slot: Slot, remote: Facet, expires: Time) {
        if self.alive(now, slot, remote) {
            self.open(slot, remote, expires);
        }
    }

    /// Whether the remote, which was let in once, still is.
    pub(super) fn alive(&self, now: Time, slot: Slot, remote: Facet) -> bool {
        let expires = self.0.get(&slot).and_then(|at| at.get(&remote));
        expires.is_some_and(|expires| now < *expires)
    }
}

/// Through which mapping the last packet from an external endpoint to a remote one went.
#[derive(Debug, Default)]
pub(super) struct Senders(FxHashMap<(External, Facet), Slot>);

impl Senders {
    pub(super) fn sent(&mut self, external: External, remote: SocketAddrV4, slot: Slot) {
        self.0.insert((external, whole(remote)), slot);
    }

    pub(super) fn last(&self, external: External, remote: SocketAddrV4) -> Option<Slot> {
        self.0.get(&(external, whole(remote))).copied()
    }
}

/// A remote endpoint as a facet that nothing was taken from.
pub(super) fn whole(remote: SocketAddrV4) -> Facet {
    Facet::of(remote, Behavior::AddressAndPortDependent)
}
