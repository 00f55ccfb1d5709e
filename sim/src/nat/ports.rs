//! The choice of external ports (RFC 4787 section 4.2).

use std::ops::RangeInclusive;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::config::PortAssignment;

/// Ports below the well-known boundary of RFC 4787 REQ-3a, without the reserved port 0.
const WELL_KNOWN: RangeInclusive<u16> = 1..=1023;
/// Ports that any mapping may get: the range of REQ-3a for all other internal ports.
const DYNAMIC: RangeInclusive<u16> = 1024..=65_535;
/// A word of the bitmap holds this many ports.
const WORD: usize = u64::BITS as usize;

/// The external ports of one protocol on one address: which are taken, and which comes next.
///
/// No port is ever given to two mappings at once (REQ-3: no port overloading).
#[derive(Debug)]
pub(super) struct Ports {
    assignment: PortAssignment,
    /// A bit for every port, set while it is taken.
    taken: Vec<u64>,
    /// How many of [`DYNAMIC`] are free.
    free: u32,
    /// Where a sequential search begins.
    next: u16,
}

impl Ports {
    /// All ports free; a sequential assignment begins at 1024.
    pub(super) fn new(assignment: PortAssignment) -> Self {
        Ports {
            assignment,
            taken: vec![0; (usize::from(u16::MAX) + 1) / WORD],
            free: DYNAMIC.len() as u32,
            next: *DYNAMIC.start(),
        }
    }

    /// Takes a free port for a mapping of `internal`; `None` if none is left.
    ///
    /// Only a preserving assignment gives well-known ports, and only to well-known internal ports
    /// (REQ-3a, a recommendation).
    pub(super) fn take(&mut self, internal: u16, rng: &mut ChaCha8Rng) -> Option<u16> {
        let port = match self.assignment {
            PortAssignment::Preserving if WELL_KNOWN.contains(&internal) => {
                self.next_free(WELL_KNOWN, internal)
            }
            PortAssignment::Preserving => self.next_free(DYNAMIC, internal.max(*DYNAMIC.start())),
            PortAssignment::Sequential => self.next_free(DYNAMIC, self.next),
            PortAssignment::Random => self.random(rng),
        }?;
        self.taken[usize::from(port) / WORD] |= bit(port);
        self.free -= u32::from(DYNAMIC.contains(&port));
        self.next = port.checked_add(1).unwrap_or(*DYNAMIC.start());
        Some(port)
    }

    /// Gives `port` back.
    pub(super) fn release(&mut self, port: u16) {
        debug_assert!(
            self.taken[usize::from(port) / WORD] & bit(port) != 0,
            "{port} is free"
        );
        self.taken[usize::from(port) / WORD] &= !bit(port);
        self.free += u32::from(DYNAMIC.contains(&port));
    }

    /// The first free port from `from` upwards, wrapping at the end of `range`.
    fn next_free(&self, range: RangeInclusive<u16>, from: u16) -> Option<u16> {
        self.first_free(from..=*range.end())
            .or_else(|| self.first_free(*range.start()..=from))
    }

    /// The lowest free port of `range`.
    fn first_free(&self, range: RangeInclusive<u16>) -> Option<u16> {
        words(&range).find_map(|word| lowest(word, self.free_bits(word, &range)))
    }

    /// One of the free ports, each as likely as any other. One draw, however full the range is.
    fn random(&self, rng: &mut ChaCha8Rng) -> Option<u16> {
        if self.free == 0 {
            return None;
        }
        let mut skip = rng.random_range(0..self.free);
        for word in words(&DYNAMIC) {
            let mut free = self.free_bits(word, &DYNAMIC);
            if skip >= free.count_ones() {
                skip -= free.count_ones();
                continue;
            }
            for _ in 0..skip {
                free &= free - 1;
            }
            return lowest(word, free);
        }
        unreachable!("the bitmap has as many free ports as were counted")
    }

    /// The free ports of `range` in one word of the bitmap, which `range` must touch.
    fn free_bits(&self, word: usize, range: &RangeInclusive<u16>) -> u64 {
        let base = word * WORD;
        let from = usize::from(*range.start()).saturating_sub(base);
        let to = (usize::from(*range.end()) - base).min(WORD - 1);
        !self.taken[word] & (u64::MAX << from) & (u64::MAX >> (WORD - 1 - to))
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::seed::Seed;

    fn rng() -> ChaCha8Rng {
        Seed(1).stream("ports")
    }

    #[test]
    fn preserving_takes_the_internal_port_then_the_next_above_and_wraps() {
        let mut ports = Ports::new(PortAssignment::Preserving);
        let mut take = |internal| ports.take(internal, &mut rng());
        assert_eq!(
            [take(5000), take(5000), take(5001)],
            [Some(5000), Some(5001), Some(5002)]
        );
        // The top of the range is 65535 and its bottom 1024.
        assert_eq!(
            [take(65_535), take(65_535), take(65_535)],
            [65_535, 1024, 1025].map(Some)
        );
    }

    #[test]
    fn preserving_keeps_well_known_ports_well_known() {
        let mut ports = Ports::new(PortAssignment::Preserving);
        let mut take = |internal| ports.take(internal, &mut rng());
        assert_eq!([take(1023), take(1023)], [Some(1023), Some(1)]);
        assert_eq!([take(1024), take(0)], [Some(1024), Some(1025)]);
        // 1..=1023 holds 1023 ports, two of which are taken: 1021 more, then none.
        for port in 2..=1022 {
            assert_eq!(take(1), Some(port));
        }
        assert_eq!(take(1), None);
    }

    #[test]
    fn sequential_goes_on_after_the_last_even_if_lower_ports_are_free() {
        let mut ports = Ports::new(PortAssignment::Sequential);
        assert_eq!(ports.take(9, &mut rng()), Some(1024));
        assert_eq!(ports.take(9, &mut rng()), Some(1025));
        ports.release(1024);
        assert_eq!(ports.take(9, &mut rng()), Some(1026));
        for port in 1027..=65_535 {
            assert_eq!(ports.take(9, &mut rng()), Some(port));
        }
        // 1024 is the only free one, and after it there is none.
        assert_eq!(ports.take(9, &mut rng()), Some(1024));
        assert_eq!(ports.take(9, &mut rng()), None);
        ports.release(40_000);
        assert_eq!(ports.take(9, &mut rng()), Some(40_000));
    }

    #[test]
    fn random_gives_every_dynamic_port_once() {
        let mut ports = Ports::new(PortAssignment::Random);
        let mut rng = rng();
        let given: BTreeSet<u16> = std::iter::from_fn(|| ports.take(80, &mut rng)).collect();
        // 65535 - 1024 + 1 = 64512; a set that large within the range is the whole range.
        assert_eq!(given.len(), 64_512);
        assert_eq!((given.first(), given.last()), (Some(&1024), Some(&65_535)));
        ports.release(2000);
        assert_eq!(ports.take(80, &mut rng), Some(2000));
    }

    #[test]
    fn random_is_uniform_over_the_free_ports() {
        // 1000 draws from an empty range: the mean of a uniform draw is (1024 + 65535) / 2 =
        // 33279.5 with a standard error of 64512 / sqrt(12) / sqrt(1000) = 589. Five of them is
        // passed by chance about once in two million; the seed is fixed besides.
        let mut rng = rng();
        let sum: u64 = (0..1000)
            .map(|_| {
                u64::from(
                    Ports::new(PortAssignment::Random)
                        .take(7, &mut rng)
                        .unwrap(),
                )
            })
            .sum();
        let mean = sum as f64 / 1000.0;
        assert!((mean - 33_279.5).abs() < 5.0 * 589.0, "mean {mean}");
    }
}
