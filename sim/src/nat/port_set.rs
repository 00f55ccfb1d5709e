//! A set of ports that finds the next one in it, or the n-th.

use std::ops::RangeInclusive;

/// A word of the bitmap holds this many ports.
const WORD: usize = u64::BITS as usize;

/// Which ports of a range are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parity {
    Any,
    Even,
    Odd,
}

impl Parity {
    /// That of `port`.
    pub(super) fn of(port: u16) -> Self {
        match port.is_multiple_of(2) {
            true => Parity::Even,
            false => Parity::Odd,
        }
    }

    /// The bits of a word that are meant: words begin at even ports.
    fn bits(self) -> u64 {
        match self {
            Parity::Any => u64::MAX,
            Parity::Even => 0x5555_5555_5555_5555,
            Parity::Odd => 0xaaaa_aaaa_aaaa_aaaa,
        }
    }
}

/// A bit for every port.
#[derive(Clone, Debug)]
pub(super) struct PortSet(Vec<u64>);

impl PortSet {
    /// No port.
    pub(super) fn new() -> Self {
        PortSet(vec![0; (usize::from(u16::MAX) + 1) / WORD])
    }

    pub(super) fn contains(&self, port: u16) -> bool {
        self.0[usize::from(port) / WORD] & bit(port) != 0
    }

    pub(super) fn insert(&mut self, port: u16) {
        self.0[usize::from(port) / WORD] |= bit(port);
    }

    pub(super) fn remove(&mut self, port: u16) {
        self.0[usize::from(port) / WORD] &= !bit(port);
    }

    /// How many ports of `range` are not in the set.
    pub(super) fn count_free(&self, range: &RangeInclusive<u16>, parity: Parity) -> u32 {
        words(range)
            .map(|word| self.free_bits(word, range, parity).count_ones())
            .sum()
    }

    /// The first port from `from` upwards that is not in the set, wrapping at the end of `range`.
    pub(super) fn next_free(
        &self,
        range: &RangeInclusive<u16>,
        from: u16,
        parity: Parity,
    ) -> Option<u16> {
        self.first_free(from..=*range.end(), parity)
            .or_else(|| self.first_free(*range.start()..=from, parity))
    }

    /// The lowest port of `range` that is not in the set.
    fn first_free(&self, range: RangeInclusive<u16>, parity: Parity) -> Option<u16> {
        words(&range).find_map(|word| lowest(word, self.free_bits(word, &range, parity)))
    }

    /// Of the ports of `range` that are not in the set, the one with `skip` others below it.
    pub(super) fn nth_free(
        &self,
        range: &RangeInclusive<u16>,
        mut skip: u32,
        parity: Parity,
    ) -> Option<u16> {
        for word in words(range) {
            let mut free = self.free_bits(word, range, parity);
            if skip >= free.count_ones() {
                skip -= free.count_ones();
                continue;
            }
            for _ in 0..skip {
                free &= free - 1;
            }
            return lowest(word, free);
        }
        None
    }

    /// The ports of `range` in one word, which `range` must touch, that are not in the set.
    fn free_bits(&self, word: usize, range: &RangeInclusive<u16>, parity: Parity) -> u64 {
        let base = word * WORD;
        let from = usize::from(*range.start()).saturating_sub(base);
        let to = (usize::from(*range.end()) - base).min(WORD - 1);
        !self.0[word] & parity.bits() & (u64::MAX << from) & (u64::MAX >> (WORD - 1 - to))
    }
}

/// The words of the bitmap that hold the ports of `range`.
fn words(range: &RangeInclusive<u16>) -> RangeInclusive<usize> {
    usize::from(*range.start()) / WORD..=usize::from(*range.end()) / WORD
}

/// The port of the lowest bit of `bits` in `word`.
fn lowest(word: usize, bits: u64) -> Option<u16> {
    (bits != 0).then(|| (word * WORD) as u16 + bits.trailing_zeros() as u16)
}

/// The bit of `port` in its word.
fn bit(port: u16) -> u64 {
    1 << (usize::from(port) % WORD)
}
