//! A NAT to be asked, and the endpoints of a few hosts.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use sim::{Behavior, Nat, NatConfig, NatDrop, Outbound, Protocol, Seed, Time, nat};

pub const EXTERNAL: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// The least that REQ-5 allows.
pub const LIFETIME: Duration = Duration::from_secs(120);
pub const NANOSECOND: Duration = Duration::from_nanos(1);

/// Two hosts behind one NAT, with the same port.
pub const A: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 5000);
pub const B: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 2), 5000);
/// Two ports of one remote address, and a port of another.
pub const Y1: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 1), 1111);
pub const Y2: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 1), 2222);
pub const Z1: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 2), 1111);

/// As open as RFC 4787 allows, with the shortest lifetime; tests change what they are about.
pub const BASE: NatConfig = NatConfig {
    udp_lifetime: LIFETIME,
    ..nat::presets::FULL_CONE
};

/// A NAT and the time; UDP unless a method says otherwise.
pub struct Bench {
    pub nat: Nat,
    pub now: Time,
}

impl Bench {
    pub fn new(config: NatConfig) -> Self {
        Bench {
            nat: Nat::new(config, EXTERNAL, Seed(1).stream("nat")),
            now: Time::ZERO,
        }
    }

    /// A NAT with this many external addresses, from [`EXTERNAL`] up.
    pub fn pooled(config: NatConfig, addresses: u8) -> Self {
        let pool =
            (0..addresses).map(|step| Ipv4Addr::from_bits(EXTERNAL.to_bits() + u32::from(step)));
        Bench {
            nat: Nat::with_pool(config, pool.collect(), Seed(1).stream("nat")),
            now: Time::ZERO,
        }
    }

    pub fn with(mapping: Behavior, filtering: Behavior) -> Self {
        Bench::new(NatConfig {
            mapping,
            filtering,
            ..BASE
        })
    }

    /// What a packet to the outside shows as its source.
    pub fn try_send(
        &mut self,
        from: SocketAddrV4,
        to: SocketAddrV4,
    ) -> Result<SocketAddrV4, NatDrop> {
        match self.nat.outbound(self.now, Protocol::Udp, from, to) {
            Outbound::Forward { source } => Ok(source),
            Outbound::Drop(reason) => Err(reason),
            other => panic!("{from} -> {to}: {other:?}"),
        }
    }

    /// The external port that a packet to the outside shows.
    pub fn send(&mut self, from: SocketAddrV4, to: SocketAddrV4) -> u16 {
        let source = self.try_send(from, to).unwrap();
        assert_eq!(*source.ip(), EXTERNAL);
        source.port()
    }

    /// Who gets a packet to `port`.
    pub fn receive(&mut self, from: SocketAddrV4, port: u16) -> Result<SocketAddrV4, NatDrop> {
        self.nat
            .inbound(self.now, Protocol::Udp, from, external(port))
    }
}

pub fn external(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(EXTERNAL, port)
}

/// A's and B's network neighbour number `last`.
pub fn inside(last: u8, port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, last), port)
}

/// Another port of Y.
pub fn y(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(*Y1.ip(), port)
}
