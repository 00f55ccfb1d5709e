//! Which port the next relayed address gets.

use std::ops::RangeInclusive;

use rand::{Rng, RngExt};

/// The ports that RFC 8656, 7.2 recommends for relayed addresses: the dynamic ports of RFC 6335.
pub const DYNAMIC_PORTS: RangeInclusive<u16> = 49152..=65535;

/// Hands out ports of a range in turn, so that a freed port rests as long as possible.
#[derive(Clone, Debug)]
pub struct RelayPorts {
    range: RangeInclusive<u16>,
    next: u16,
}

impl RelayPorts {
    /// From the first port of the range upwards, and around.
    ///
    /// # Panics
    ///
    /// If the range is empty.
    pub fn sequential(range: RangeInclusive<u16>) -> Self {
        assert!(
            !range.is_empty(),
            "a range of relay ports holds at least one port"
        );
        RelayPorts {
            next: *range.start(),
            range,
        }
    }

    /// From a random port of the range upwards, and around.
    ///
    /// # Panics
    ///
    /// If the range is empty.
    pub fn from_random_start(range: RangeInclusive<u16>, rng: &mut impl Rng) -> Self {
        let mut ports = RelayPorts::sequential(range);
        ports.next = rng.random_range(ports.range.clone());
        ports
    }

    /// The next port for which `is_free` holds; `None` if there is none.
    pub(super) fn take(&mut self, is_free: impl Fn(u16) -> bool) -> Option<u16> {
        for _ in self.range.clone() {
            let port = self.next;
            self.next = if port == *self.range.end() {
                *self.range.start()
            } else {
                port + 1
            };
            if is_free(port) {
                return Some(port);
            }
        }
        None
    }
}

impl Default for RelayPorts {
    /// The dynamic ports, in sequence.
    fn default() -> Self {
        RelayPorts::sequential(DYNAMIC_PORTS)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn goes_around_and_skips_what_is_taken() {
        let mut ports = RelayPorts::sequential(65533..=65535);
        let mut taken = BTreeSet::new();
        for expected in [65533, 65534, 65535] {
            assert_eq!(ports.take(|port| !taken.contains(&port)), Some(expected));
            taken.insert(expected);
        }
        assert_eq!(ports.take(|port| !taken.contains(&port)), None);
        taken.remove(&65534);
        assert_eq!(ports.take(|port| !taken.contains(&port)), Some(65534));
    }

    #[test]
    fn a_random_start_follows_the_seed_and_stays_in_range() {
        let first = |seed| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            RelayPorts::from_random_start(DYNAMIC_PORTS, &mut rng)
                .take(|_| true)
                .unwrap()
        };
        assert_eq!(first(7), first(7));
        // 16 draws of 16,384 ports: all equal with probability 16384^-15.
        let starts: BTreeSet<u16> = (0..16).map(first).collect();
        assert!(starts.len() > 1);
        assert!(starts.iter().all(|port| DYNAMIC_PORTS.contains(port)));
    }
}
