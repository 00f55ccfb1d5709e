//! The part of a remote endpoint that a behaviour looks at.

use std::net::SocketAddrV4;

use super::config::Behavior;

/// What is left of a remote endpoint when the parts that a behaviour ignores are blanked: two
/// remotes are the same to the behaviour exactly when their facets are equal.
///
/// Facets of different behaviours are not comparable; a table never mixes them in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Facet(u64);

impl Facet {
    /// Bits 0 to 47, of which those that the behaviour ignores are 0.
    pub(super) fn bits(self) -> u64 {
        self.0
    }

    /// What `behavior` sees of `remote`.
    pub(super) fn of(remote: SocketAddrV4, behavior: Behavior) -> Self {
        Facet(match behavior {
            Behavior::EndpointIndependent => 0,
            Behavior::AddressDependent => pack(remote) & !0xffff,
            Behavior::AddressAndPortDependent => pack(remote),
        })
    }
}

/// An internal endpoint and what is seen of the remote: the key of a mapping or of a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Flow {
    internal: u64,
    remote: Facet,
}

impl Flow {
    /// The flow from `internal` to `remote` as `behavior` tells flows apart.
    pub(super) fn new(internal: SocketAddrV4, remote: SocketAddrV4, behavior: Behavior) -> Self {
        Flow {
            internal: pack(internal),
            remote: Facet::of(remote, behavior),
        }
    }
}

/// The address in bits 16 to 47 and the port in bits 0 to 15: one word to hash and compare.
fn pack(endpoint: SocketAddrV4) -> u64 {
    u64::from(u32::from(*endpoint.ip())) << 16 | u64::from(endpoint.port())
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_facet_keeps_what_its_behavior_depends_on() {
        let at = |last: u8, port: u16| SocketAddrV4::new(Ipv4Addr::new(192, 0, 2, last), port);
        let same = |a, b, behavior| Facet::of(a, behavior) == Facet::of(b, behavior);
        // RFC 4787 section 4.1: nothing; the address; the address and the port. Ports 0 and 65535
        // differ in every bit of the port field and in none of the address field.
        for (behavior, other_port, other_address) in [
            (Behavior::EndpointIndependent, true, true),
            (Behavior::AddressDependent, true, false),
            (Behavior::AddressAndPortDependent, false, false),
        ] {
            assert!(same(at(1, 9), at(1, 9), behavior));
            assert_eq!(same(at(1, 0), at(1, 65_535), behavior), other_port);
            assert_eq!(same(at(1, 9), at(2, 9), behavior), other_address);
        }
    }
}
