//! A set of facets.

use super::facet::Facet;

/// Slots of a set that holds anything: one cache line.
const LEAST_SLOTS: usize = 4;

/// A set of facets that only grows.
///
/// The filter of a NAT is asked twice for every packet, and in a large call each time for another
/// remote, so what counts is how much memory all filters of the world are. The hosts of a world
/// have addresses in a row: facets that differ in the last six bits of the address alone share a
/// block, in which each is a bit. Blocks are found by open addressing with linear probing.
#[derive(Debug, Default)]
pub(super) struct FacetSet {
    /// As many as a power of two, of which at most three quarters are used; or none.
    slots: Vec<Block>,
    used: usize,
}

/// Up to 64 facets.
#[derive(Clone, Copy, Debug, Default)]
struct Block {
    /// What they have in common.
    common: u64,
    /// A bit for each, by what they differ in; 0 if the slot is free.
    members: u64,
}

impl Block {
    /// The block of `facet` alone.
    fn of(facet: Facet) -> Self {
        // The address begins at bit 16.
        let low = facet.bits() >> 16 & 0x3f;
        Block {
            common: facet.bits() ^ low << 16,
            members: 1 << low,
        }
    }
}

impl FacetSet {
    pub(super) fn contains(&self, facet: Facet) -> bool {
        let block = Block::of(facet);
        !self.slots.is_empty() && self.slots[self.find(block.common)].members & block.members != 0
    }

    pub(super) fn insert(&mut self, facet: Facet) {
        if self.used * 4 >= self.slots.len() * 3 {
            self.grow();
        }
        self.add(Block::of(facet));
    }

    fn grow(&mut self) {
        let slots = (self.slots.len() * 2).max(LEAST_SLOTS);
        let blocks = std::mem::replace(&mut self.slots, vec![Block::default(); slots]);
        self.used = 0;
        for block in blocks.into_iter().filter(|block| block.members != 0) {
            self.add(block);
        }
    }

    fn add(&mut self, block: Block) {
        let slot = self.find(block.common);
        let slot = &mut self.slots[slot];
        self.used += usize::from(slot.members == 0);
        slot.common = block.common;
        slot.members |= block.members;
    }

    /// The slot of the block with `common`, or the free one where it would be.
    fn find(&self, common: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = home(common, self.slots.len());
        while self.slots[slot].members != 0 && self.slots[slot].common != common {
            slot = (slot + 1) & mask;
        }
        slot
    }
}

/// Where among `slots` the search for a key begins: its product with 2^64 divided by the golden
/// ratio, of which only the high bits depend on all bits of the key, scaled down (D. E. Knuth,
/// "The Art of Computer Programming" 3, section 6.4).
fn home(key: u64, slots: usize) -> usize {
    let product = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((u128::from(product) * slots as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::{Ipv4Addr, SocketAddrV4};

    use super::super::config::Behavior;
    use super::*;

    #[test]
    fn has_what_was_inserted_and_nothing_else() {
        // Endpoints that differ in few bits, in the address, in the port, or in both, and the one
        // that has no bit at all; every second one is inserted, some of them twice.
        let endpoint = |i: u32| {
            let port = if i.is_multiple_of(3) { i as u16 } else { 0 };
            SocketAddrV4::new(Ipv4Addr::from_bits(i / 2), port)
        };
        let facet = |i| Facet::of(endpoint(i), Behavior::AddressAndPortDependent);
        let (mut set, mut model) = (FacetSet::default(), BTreeSet::new());
        for i in (0..20_000).step_by(2).chain((0..20_000).step_by(6)) {
            set.insert(facet(i));
            model.insert(facet(i));
        }
        for i in 0..40_000 {
            assert_eq!(set.contains(facet(i)), model.contains(&facet(i)), "{i}");
        }
    }

    #[test]
    fn hosts_in_a_row_are_small() {
        // 1,000 addresses from x.x.0.1 on are in the blocks 0 to 15 of 64 (1,000 / 64 = 15.6), so
        // in 32 slots, as 16 are full at 12.
        let mut set = FacetSet::default();
        for i in 0..1_000 {
            let endpoint = SocketAddrV4::new(Ipv4Addr::from_bits(0xc612_0001 + i), 4_000);
            set.insert(Facet::of(endpoint, Behavior::AddressAndPortDependent));
        }
        assert_eq!((set.used, set.slots.len()), (16, 32));
    }

    #[test]
    fn probes_are_short_however_regular_the_endpoints_are() {
        // At a load of at most 3/4, linear probing finds a key of a random set after (1 + 1 /
        // (1 - 3/4)) / 2 = 2.5 slots on average (Knuth, section 6.4, theorem K), 1 at the least;
        // networks, ports and addresses in a row must not be much worse.
        let regular: [fn(u32) -> SocketAddrV4; 3] = [
            |i| SocketAddrV4::new(Ipv4Addr::from_bits(0xc612_0001 + (i << 6)), 4_000),
            |i| SocketAddrV4::new(Ipv4Addr::new(198, 18, 0, 1), 1_024 + i as u16),
            |i| SocketAddrV4::new(Ipv4Addr::from_bits(i << 24), 4_000),
        ];
        for endpoint in regular {
            let mut set = FacetSet::default();
            let facet = |i| Facet::of(endpoint(i), Behavior::AddressAndPortDependent);
            (0..192).for_each(|i| set.insert(facet(i)));
            assert_eq!(set.slots.len(), 256);
            let mask = set.slots.len() - 1;
            let probes = |i| {
                let key = Block::of(facet(i)).common;
                (set.find(key).wrapping_sub(home(key, 256)) & mask) + 1
            };
            let mean = (0..192).map(probes).sum::<usize>() as f64 / 192.0;
            assert!((1.0..3.0).contains(&mean), "{mean}");
        }
    }
}
