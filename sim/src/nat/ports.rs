//! The choice of external ports (RFC 4787 section 4.2).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::SocketAddrV4;
use std::ops::RangeInclusive;
use std::time::Duration;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::config::{NatConfig, PortAssignment};
use super::port_blocks::PortBlocks;
use super::port_set::{Parity, PortSet};
use crate::time::Time;

/// Ports below the well-known boundary of RFC 4787 REQ-3a, without the reserved port 0.
const WELL_KNOWN: RangeInclusive<u16> = 1..=1023;
/// Ports that any mapping may get: the range of REQ-3a for all other internal ports.
pub(super) const DYNAMIC: RangeInclusive<u16> = 1024..=65_535;

/// The external ports of one protocol on one address: which are taken, and which comes next.
///
/// Unless the assignment overloads ports, none is given to two mappings at once (REQ-3).
#[derive(Debug)]
pub(super) struct Ports {
    assignment: PortAssignment,
    keep_parity: bool,
    rest: Duration,
    taken: PortSet,
    /// Ports that no mapping has any more, and when they are free again.
    resting: BinaryHeap<Reverse<(Time, u16)>>,
    blocks: Option<PortBlocks>,
    /// Where a sequential search begins.
    next: u16,
}

impl Ports {
    /// All ports free; a sequential assignment begins at 1024.
    pub(super) fn new(config: &NatConfig) -> Self {
        Ports {
            assignment: config.ports,
            keep_parity: config.port_parity,
            rest: config.port_rest,
            taken: PortSet::new(),
            resting: BinaryHeap::new(),
            blocks: config.port_block.map(PortBlocks::new),
            next: *DYNAMIC.start(),
        }
    }

    /// The same without those that are taken or rest now, which nobody will have again; nothing
    /// else is remembered of who had them.
    pub(super) fn without_taken(self, config: &NatConfig) -> Self {
        Ports {
            taken: self.taken,
            next: self.next,
            ..Ports::new(config)
        }
    }

    /// Takes a port for a mapping of `internal`; `None` if none is left for it.
    ///
    /// Only a preserving assignment gives well-known ports, and only to well-known internal ports
    /// (REQ-3a, a recommendation).
    pub(super) fn take(
        &mut self,
        now: Time,
        internal: SocketAddrV4,
        rng: &mut ChaCha8Rng,
    ) -> Option<u16> {
        if self.assignment == PortAssignment::Overloading {
            return Some(internal.port());
        }
        self.end_rests(now);
        let range = self.range(internal)?;
        let parity = match self.keep_parity {
            true => Parity::of(internal.port()),
            false => Parity::Any,
        };
        let port = self
            .choose(&range, internal.port(), parity, rng)
            .or_else(|| self.choose(&range, internal.port(), Parity::Any, rng))?;
        self.taken.insert(port);
        if let Some(blocks) = &mut self.blocks {
            blocks.hold(*internal.ip());
        }
        self.next = port.checked_add(1).unwrap_or(*DYNAMIC.start());
        Some(port)
    }

    /// Gives back the `port` of a mapping of `internal` that ended at `at`.
    pub(super) fn release(&mut self, at: Time, internal: SocketAddrV4, port: u16) {
        if self.assignment == PortAssignment::Overloading {
            return;
        }
        debug_assert!(self.taken.contains(port), "{port} is free");
        if let Some(blocks) = &mut self.blocks {
            blocks.release(*internal.ip());
        }
        match self.rest.is_zero() {
            true => self.taken.remove(port),
            false => self.resting.push(Reverse((at + self.rest, port))),
        }
    }

    /// The ports that a mapping of `internal` may have.
    fn range(&self, internal: SocketAddrV4) -> Option<RangeInclusive<u16>> {
        match &self.blocks {
            Some(blocks) => blocks.of(*internal.ip()),
            None if self.assignment == PortAssignment::Preserving
                && WELL_KNOWN.contains(&internal.port()) =>
            {
                Some(WELL_KNOWN)
            }
            None => Some(DYNAMIC),
        }
    }

    fn choose(
        &self,
        range: &RangeInclusive<u16>,
        internal: u16,
        parity: Parity,
        rng: &mut ChaCha8Rng,
    ) -> Option<u16> {
        let from = |port| match range.contains(&port) {
            true => port,
            false => *range.start(),
        };
        match self.assignment {
            PortAssignment::Preserving => self.taken.next_free(range, from(internal), parity),
            PortAssignment::Sequential => self.taken.next_free(range, from(self.next), parity),
            PortAssignment::Random => self.random(range, parity, rng),
            PortAssignment::Overloading => Some(internal),
        }
    }

    /// One of the free ports, each as likely as any other. One draw, however full the range is.
    fn random(
        &self,
        range: &RangeInclusive<u16>,
        parity: Parity,
        rng: &mut ChaCha8Rng,
    ) -> Option<u16> {
        match self.taken.count_free(range, parity) {
            0 => None,
            free => self
                .taken
                .nth_free(range, rng.random_range(0..free), parity),
        }
    }

    fn end_rests(&mut self, now: Time) {
        while let Some(&Reverse((until, port))) = self.resting.peek()
            && until <= now
        {
            self.resting.pop();
            self.taken.remove(port);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::Ipv4Addr;

    use super::*;
    use crate::nat::presets::FULL_CONE;
    use crate::seed::Seed;

    const HOST: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);

    fn rng() -> ChaCha8Rng {
        Seed(1).stream("ports")
    }

    fn assigned(ports: PortAssignment) -> Ports {
        Ports::new(&NatConfig { ports, ..FULL_CONE })
    }

    fn take(ports: &mut Ports, internal: u16, rng: &mut ChaCha8Rng) -> Option<u16> {
        ports.take(Time::ZERO, SocketAddrV4::new(HOST, internal), rng)
    }

    fn release(ports: &mut Ports, port: u16) {
        ports.release(Time::ZERO, SocketAddrV4::new(HOST, 9), port);
    }

    #[test]
    fn preserving_takes_the_internal_port_then_the_next_above_and_wraps() {
        let mut ports = assigned(PortAssignment::Preserving);
        let mut take = |internal| take(&mut ports, internal, &mut rng());
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
        let mut ports = assigned(PortAssignment::Preserving);
        let mut take = |internal| take(&mut ports, internal, &mut rng());
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
        let mut ports = assigned(PortAssignment::Sequential);
        assert_eq!(take(&mut ports, 9, &mut rng()), Some(1024));
        assert_eq!(take(&mut ports, 9, &mut rng()), Some(1025));
        release(&mut ports, 1024);
        assert_eq!(take(&mut ports, 9, &mut rng()), Some(1026));
        for port in 1027..=65_535 {
            assert_eq!(take(&mut ports, 9, &mut rng()), Some(port));
        }
        // 1024 is the only free one, and after it there is none.
        assert_eq!(take(&mut ports, 9, &mut rng()), Some(1024));
        assert_eq!(take(&mut ports, 9, &mut rng()), None);
        release(&mut ports, 40_000);
        assert_eq!(take(&mut ports, 9, &mut rng()), Some(40_000));
    }

    #[test]
    fn random_gives_every_dynamic_port_once() {
        let mut ports = assigned(PortAssignment::Random);
        let mut rng = rng();
        let given: BTreeSet<u16> = std::iter::from_fn(|| take(&mut ports, 80, &mut rng)).collect();
        // 65535 - 1024 + 1 = 64512; a set that large within the range is the whole range.
        assert_eq!(given.len(), 64_512);
        assert_eq!((given.first(), given.last()), (Some(&1024), Some(&65_535)));
        release(&mut ports, 2000);
        assert_eq!(take(&mut ports, 80, &mut rng), Some(2000));
    }

    #[test]
    fn random_is_uniform_over_the_free_ports() {
        // 1000 draws from an empty range: the mean of a uniform draw is (1024 + 65535) / 2 =
        // 33279.5 with a standard error of 64512 / sqrt(12) / sqrt(1000) = 589. Five of them is
        // passed by chance about once in two million; the seed is fixed besides.
        let mut rng = rng();
        let sum: u64 = (0..1000)
            .map(|_| {
                let mut ports = assigned(PortAssignment::Random);
                u64::from(take(&mut ports, 7, &mut rng).unwrap())
            })
            .sum();
        let mean = sum as f64 / 1000.0;
        assert!((mean - 33_279.5).abs() < 5.0 * 589.0, "mean {mean}");
    }
}
