//! External addresses, and who gets which (RFC 4787 section 4.1, "IP address pooling").

use std::net::Ipv4Addr;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rustc_hash::FxHashMap;

use super::config::Pooling;

/// The external addresses of a NAT, one or more, by their places in the pool.
#[derive(Debug)]
pub(super) struct Pool {
    addresses: Vec<Ipv4Addr>,
    pooling: Pooling,
    /// The address of every internal address that has been seen.
    paired: FxHashMap<Ipv4Addr, u16>,
    /// Draws addresses and ports.
    pub(super) rng: ChaCha8Rng,
}

impl Pool {
    /// # Panics
    ///
    /// If there is no address.
    pub(super) fn new(addresses: Vec<Ipv4Addr>, pooling: Pooling, rng: ChaCha8Rng) -> Self {
        assert!(!addresses.is_empty(), "a NAT has an external address");
        Pool {
            addresses,
            pooling,
            paired: FxHashMap::default(),
            rng,
        }
    }

    pub(super) fn addresses(&self) -> &[Ipv4Addr] {
        &self.addresses
    }

    pub(super) fn address(&self, place: u16) -> Ipv4Addr {
        self.addresses[usize::from(place)]
    }

    pub(super) fn place(&self, address: Ipv4Addr) -> Option<u16> {
        let place = self.addresses.iter().position(|own| *own == address)?;
        Some(place as u16)
    }

    /// Has these addresses and no others from now on, and forgets who had which.
    pub(super) fn replace(&mut self, addresses: Vec<Ipv4Addr>) {
        assert!(!addresses.is_empty(), "a NAT has an external address");
        self.addresses = addresses;
        self.forget();
    }

    /// Forgets who has which address.
    pub(super) fn forget(&mut self) {
        self.paired.clear();
    }

    /// The addresses that a new mapping of `host` may have, the first choice first.
    pub(super) fn choices(&mut self, host: Ipv4Addr) -> impl Iterator<Item = u16> + use<> {
        let count = self.addresses.len() as u16;
        let (first, choices) = match self.pooling {
            _ if count == 1 => (0, 1),
            Pooling::Paired => {
                let next = (self.paired.len() % self.addresses.len()) as u16;
                (*self.paired.entry(host).or_insert(next), 1)
            }
            // The others come after the one that was drawn, should it have no port left.
            Pooling::Arbitrary => (self.rng.random_range(0..count), count),
        };
        (0..choices)
            .map(move |step| ((u32::from(first) + u32::from(step)) % u32::from(count)) as u16)
    }
}
