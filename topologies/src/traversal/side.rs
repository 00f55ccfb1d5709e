//! What a participant is behind, several NATs in a row taken as one.

use reports::traversal::{Behavior, Side};
use scenarios::NatType;
use sim::NatConfig;

/// All NATs of a type as one: it maps as the most dependent of them and filters as the strictest.
pub fn of(nat: &NatType) -> Side {
    let most = |of: fn(&NatConfig) -> sim::Behavior| nat.nats.iter().map(of).max().map(named);
    Side {
        name: nat.name.clone(),
        mapping: most(|nat| nat.mapping),
        filtering: most(|nat| nat.filtering),
        udp_blocked: nat.nats.iter().any(|nat| nat.block_udp || nat.only_tcp_443),
    }
}

/// A server's public address.
pub static PUBLIC: Side = Side {
    name: String::new(),
    mapping: None,
    filtering: None,
    udp_blocked: false,
};

fn named(behavior: sim::Behavior) -> Behavior {
    match behavior {
        sim::Behavior::EndpointIndependent => Behavior::EndpointIndependent,
        sim::Behavior::AddressDependent => Behavior::AddressDependent,
        sim::Behavior::AddressAndPortDependent => Behavior::AddressAndPortDependent,
    }
}
