//! Ranges of ports for internal addresses, as carriers assign them to subscribers.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::num::NonZeroU16;
use std::ops::RangeInclusive;

use rustc_hash::FxHashMap;

use super::ports::DYNAMIC;

/// Which internal address has which range.
#[derive(Debug)]
pub(super) struct PortBlocks {
    size: u16,
    /// The numbers of the ranges that are leased.
    leased: BTreeSet<u16>,
    leases: FxHashMap<Ipv4Addr, Lease>,
}

/// A range, and how many mappings its holder has in it.
#[derive(Debug)]
struct Lease {
    number: u16,
    mappings: u32,
}

impl PortBlocks {
    /// Ranges of `size` ports, from 1024 on; ports at the end that fill no range are left out.
    pub(super) fn new(size: NonZeroU16) -> Self {
        PortBlocks {
            size: size.get(),
            leased: BTreeSet::new(),
            leases: FxHashMap::default(),
        }
    }

    /// The range that `host` has, or would get; `None` if all are leased to others.
    pub(super) fn of(&self, host: Ipv4Addr) -> Option<RangeInclusive<u16>> {
        let number = self.number(host)?;
        let start = DYNAMIC.start() + number * self.size;
        Some(start..=start + (self.size - 1))
    }

    /// Counts a mapping of `host`, for which [`PortBlocks::of`] found a range.
    pub(super) fn hold(&mut self, host: Ipv4Addr) {
        let number = self.number(host).expect("a port was found in its range");
        self.leased.insert(number);
        let lease = Lease {
            number,
            mappings: 0,
        };
        self.leases.entry(host).or_insert(lease).mappings += 1;
    }

    /// Counts a mapping of `host` that has ended; with the last one the lease ends.
    pub(super) fn release(&mut self, host: Ipv4Addr) {
        let lease = self.leases.get_mut(&host).expect("it has a mapping");
        lease.mappings -= 1;
        if lease.mappings == 0 {
            self.leased.remove(&lease.number);
            self.leases.remove(&host);
        }
    }

    /// The number of the range that `host` has, or of the lowest one that nobody has.
    fn number(&self, host: Ipv4Addr) -> Option<u16> {
        let ranges = (DYNAMIC.len() / usize::from(self.size)) as u16;
        match self.leases.get(&host) {
            Some(lease) => Some(lease.number),
            None => (0..ranges).find(|number| !self.leased.contains(number)),
        }
    }
}
