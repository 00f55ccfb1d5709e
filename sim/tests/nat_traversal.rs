//! Hole punching through two NATs, for all 81 pairs of mapping and filtering behaviours.
//!
//! Two hosts learn their external endpoints from a server, tell each other, and send checks to
//! every endpoint of the other that they know of. A check that is let in teaches its source and is
//! answered; it succeeds if the answer comes from where the check went (RFC 8445 section
//! 7.2.5.2.1). The expectation is a closed form.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddrV4};

use sim::Behavior::{
    self, AddressAndPortDependent as Port, AddressDependent as Address, EndpointIndependent as Open,
};
use sim::{Nat, NatConfig, Outbound, Protocol, Seed, Time, nat};

/// The mapping and the filtering of a NAT.
type Kind = (Behavior, Behavior);

/// A host behind a NAT of its own.
struct Host {
    nat: Nat,
    internal: SocketAddrV4,
    /// Where it knows the other host to be.
    remotes: BTreeSet<SocketAddrV4>,
}

impl Host {
    fn new(number: u8, (mapping, filtering): Kind, reply_pinning: bool) -> Self {
        let config = NatConfig {
            mapping,
            filtering,
            reply_pinning,
            ..nat::presets::FULL_CONE
        };
        let external = Ipv4Addr::new(198, 51, 100, number);
        Host {
            nat: Nat::new(config, external, Seed(1).stream("nat")),
            internal: SocketAddrV4::new(Ipv4Addr::new(10, 0, number, 2), 5000),
            remotes: BTreeSet::new(),
        }
    }

    /// Sends to `to`; returns the source that is seen outside.
    fn send(&mut self, to: SocketAddrV4) -> SocketAddrV4 {
        match self
            .nat
            .outbound(Time::ZERO, Protocol::Udp, self.internal, to)
        {
            Outbound::Forward { source } => source,
            other => panic!("to the outside: {other:?}"),
        }
    }

    /// Whether a packet gets in.
    fn receives(&mut self, from: SocketAddrV4, to: SocketAddrV4) -> bool {
        self.nat
            .inbound(Time::ZERO, Protocol::Udp, from, to)
            .is_ok()
    }
}

/// Sends a check from one host to `to` and the answer back; whether the check succeeds.
fn check(from: &mut Host, to: SocketAddrV4, other: &mut Host) -> bool {
    let seen_from = from.send(to);
    if !other.receives(seen_from, to) {
        return false;
    }
    other.remotes.insert(seen_from);
    let answered_from = other.send(seen_from);
    from.receives(answered_from, seen_from) && answered_from == to
}

/// Whether two hosts behind such NATs reach each other directly.
fn punches(left: Kind, right: Kind, pinning: bool) -> bool {
    let mut left = Host::new(1, left, pinning);
    let mut right = Host::new(2, right, pinning);
    let server = SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 1), 3478);
    left.remotes.insert(right.send(server));
    right.remotes.insert(left.send(server));
    // The longest chain of the derivation below takes three rounds: two in which each side learns
    // where the other's last check came from, and one whose check is answered from where it went.
    (0..4).any(|_| {
        let (to_right, to_left) = (left.remotes.clone(), right.remotes.clone());
        let sent_right = to_right.iter().any(|to| check(&mut left, *to, &mut right));
        let sent_left = to_left.iter().any(|to| check(&mut right, *to, &mut left));
        sent_right || sent_left
    })
}

/// Without reply pinning.
///
/// - Both mappings are endpoint-independent: each sends from where the other expects it, so the
///   second check gets through any filter.
/// - One is: the other one's checks come from a port that was not announced. They pass unless the
///   filtering of the first depends on the port; the way back is open.
/// - Neither is: the announced mappings were made for the server, so only an open filter lets a
///   check in there. Its receiver then answers from yet another mapping, whose address the first
///   must let in; and one of the two must map by address alone, or every answer comes from a
///   mapping of its own and no check is ever answered from where it went.
fn direct(left: Kind, right: Kind) -> bool {
    match (left, right) {
        ((Open, _), (Open, _)) => true,
        ((Open, filtering), _) | (_, (Open, filtering)) => filtering != Port,
        ((left_maps, left_filters), (right_maps, right_filters)) => {
            let by_address = left_maps == Address || right_maps == Address;
            let lets_in = matches!(
                (left_filters, right_filters),
                (Open, Open | Address) | (Address, Open)
            );
            by_address && lets_in
        }
    }
}

/// With reply pinning: every check that is let in is answered from where it went, so one that is
/// let in suffices. An announced mapping lets in a check if its filter is open, or if its host has
/// sent to the other's address through it, which takes endpoint-independent mapping and filtering
/// that does not look at an unannounced port.
fn direct_with_pinning(left: Kind, right: Kind) -> bool {
    let lets_in = |(maps, filters): Kind, (other_maps, _): Kind| match filters {
        Open => true,
        Address => maps == Open,
        Port => maps == Open && other_maps == Open,
    };
    lets_in(left, right) || lets_in(right, left)
}

#[test]
fn every_pair_of_behaviors_connects_as_derived() {
    let behaviors = [Open, Address, Port];
    let kinds: Vec<Kind> = behaviors
        .iter()
        .flat_map(|m| behaviors.map(|f| (*m, f)))
        .collect();
    let mut counts = [0, 0];
    for (left, right) in kinds.iter().flat_map(|l| kinds.iter().map(|r| (*l, *r))) {
        let strict = punches(left, right, false);
        let pinned = punches(left, right, true);
        assert_eq!(strict, direct(left, right), "{left:?} {right:?}");
        assert_eq!(
            pinned,
            direct_with_pinning(left, right),
            "{left:?} {right:?}, pinning"
        );
        counts[0] += usize::from(strict);
        counts[1] += usize::from(pinned);
    }
    // Strict: both 3 x 3 = 9; one, either side, 2 x (2 x 6) = 24; neither 3 x 3 = 9.
    // Pinning: 9; one, either side, 2 x (18 - 4) = 28; neither 4 x (9 - 4) = 20.
    assert_eq!(counts, [42, 57]);
}
