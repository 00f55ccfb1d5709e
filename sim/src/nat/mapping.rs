//! One mapping: an internal endpoint, its external endpoint, and whom it lets in.

use std::collections::BTreeSet;
use std::net::SocketAddrV4;

use super::facet::{Facet, Flow};
use super::facet_set::FacetSet;
use crate::time::Time;

/// Where a mapping is in its table, for as long as it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Slot(pub(super) usize);

/// An external endpoint, as one word to hash: the place of its address in the NAT's pool in the
/// upper half, its port in the lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct External(u32);

impl External {
    pub(super) fn new(place: u16, port: u16) -> Self {
        External(u32::from(place) << 16 | u32::from(port))
    }

    /// The place of its address in the pool.
    pub(super) fn place(self) -> u16 {
        (self.0 >> 16) as u16
    }

    pub(super) fn port(self) -> u16 {
        self.0 as u16
    }
}

/// A mapping between an internal endpoint and an external one.
#[derive(Debug)]
pub(super) struct Mapping {
    /// Where accepted packets from the outside go.
    pub(super) internal: SocketAddrV4,
    /// Where they are sent to.
    pub(super) external: External,
    /// The flows that the mapping behaviour sends through it.
    pub(super) flow: Flow,
    /// The first instant at which it is gone.
    pub(super) expires: Time,
    /// Whom the internal endpoint has sent to through it, as the filtering behaviour sees them.
    pub(super) permitted: Permitted,
    /// The keys under which replies were pinned to it; some may have been pinned elsewhere since.
    pub(super) pinned: BTreeSet<Flow>,
}

impl Mapping {
    /// Whether it may still be used.
    pub(super) fn alive(&self, now: Time) -> bool {
        now < self.expires
    }
}

/// A set of facets that is never empty. The first sits inline: for most mappings it is the only
/// one (always so when the filtering is endpoint-independent), and needs no lookup or allocation.
#[derive(Debug)]
pub(super) struct Permitted {
    first: Facet,
    others: FacetSet,
}

impl Permitted {
    /// The set of `first` alone.
    pub(super) fn only(first: Facet) -> Self {
        Permitted {
            first,
            others: FacetSet::default(),
        }
    }

    /// Adds `facet`.
    pub(super) fn insert(&mut self, facet: Facet) {
        if facet != self.first {
            self.others.insert(facet);
        }
    }

    /// Whether `facet` was added.
    pub(super) fn contains(&self, facet: Facet) -> bool {
        facet == self.first || self.others.contains(facet)
    }
}
