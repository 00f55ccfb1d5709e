//! How many mappings a table may have.

use std::net::Ipv4Addr;
use std::num::NonZeroU32;

use rustc_hash::FxHashMap;

use super::config::{NatConfig, WhenFull};
use super::verdict::NatDrop;

/// The limits of a table, and what every internal address has of it.
#[derive(Debug)]
pub(super) struct Limits {
    total: Option<NonZeroU32>,
    per_host: Option<NonZeroU32>,
    when_full: WhenFull,
    /// Counted only if `per_host` is set.
    mappings: FxHashMap<Ipv4Addr, u32>,
}

/// How room is made for a new mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// There is room.
    Is,
    /// Another mapping has to end.
    Evicts,
}

impl Room {
    pub(super) fn evicts(self) -> bool {
        self == Room::Evicts
    }
}

impl Limits {
    pub(super) fn new(config: &NatConfig) -> Self {
        Limits {
            total: config.max_mappings,
            per_host: config.max_mappings_per_host,
            when_full: config.when_full,
            mappings: FxHashMap::default(),
        }
    }

    /// Whether `host` may have another mapping in a table that has so many.
    pub(super) fn admit(&self, host: Ipv4Addr, mappings: usize) -> Result<Room, NatDrop> {
        let own = self.mappings.get(&host).copied().unwrap_or(0);
        if self.per_host.is_some_and(|limit| own >= limit.get()) {
            return Err(NatDrop::HostLimit);
        }
        let full = self
            .total
            .is_some_and(|limit| mappings >= limit.get() as usize);
        match (full, self.when_full) {
            (false, _) => Ok(Room::Is),
            (true, WhenFull::Evict) => Ok(Room::Evicts),
            (true, WhenFull::Refuse) => Err(NatDrop::TableFull),
        }
    }

    /// A mapping of `host` was made.
    pub(super) fn made(&mut self, host: Ipv4Addr) {
        if self.per_host.is_some() {
            *self.mappings.entry(host).or_default() += 1;
        }
    }

    /// A mapping of `host` has ended.
    pub(super) fn ended(&mut self, host: Ipv4Addr) {
        if let Some(own) = self.mappings.get_mut(&host) {
            *own -= 1;
            if *own == 0 {
                self.mappings.remove(&host);
            }
        }
    }
}
