//! External addresses and ports: RFC 4787 REQ-2 to REQ-4, RFC 6888 REQ-2, REQ-4 and REQ-8.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::num::NonZeroU16;
use std::time::Duration;

use sim::Behavior::AddressAndPortDependent as ByPort;
use sim::{NatConfig, NatDrop, Outbound, Pooling, PortAssignment, Protocol, Time};

use crate::bench::*;

/// Every remote endpoint needs a mapping.
const MANY: NatConfig = NatConfig {
    mapping: ByPort,
    ..BASE
};

#[test]
fn req_2_paired_pooling_gives_a_host_one_address_for_everything() {
    let mut bench = Bench::pooled(MANY, 3);
    let mut addresses = |host| {
        let udp = (1..=50).map(|port| *bench.try_send(inside(host, 5000), y(port)).unwrap().ip());
        let mut seen: BTreeSet<Ipv4Addr> = udp.collect();
        match bench
            .nat
            .outbound(Time::ZERO, Protocol::Tcp, inside(host, 5001), Y1)
        {
            Outbound::Forward { source } => seen.insert(*source.ip()),
            other => panic!("{other:?}"),
        };
        seen.into_iter().collect::<Vec<_>>()
    };
    // Four hosts, three addresses: each has one, and no address stays unused.
    let own: Vec<_> = [1, 2, 3, 4].map(&mut addresses).concat();
    assert_eq!(own.len(), 4);
    assert_eq!(own.iter().collect::<BTreeSet<_>>().len(), 3);
}

#[test]
fn arbitrary_pooling_spreads_the_mappings_of_one_host_evenly() {
    // 1,000 mappings over four addresses: 250 each, with a standard deviation of
    // sqrt(1,000 x 1/4 x 3/4) = 13.7; five of them are 68.
    let config = NatConfig {
        pooling: Pooling::Arbitrary,
        ..MANY
    };
    let mut bench = Bench::pooled(config, 4);
    let mut counts = BTreeMap::<Ipv4Addr, u32>::new();
    for port in 1..=1_000 {
        *counts
            .entry(*bench.try_send(A, y(port)).unwrap().ip())
            .or_default() += 1;
    }
    assert_eq!(counts.len(), 4);
    assert!(counts.values().all(|count| (182..=318).contains(count)));
}

#[test]
fn every_address_of_a_pool_has_ports_and_mappings_of_its_own() {
    // Two hosts with one port and an address each: both keep the port (REQ-3a), and a packet to
    // one address does not reach who has the other.
    let mut bench = Bench::pooled(BASE, 2);
    let [a, b] = [A, B].map(|host| bench.try_send(host, Y1).unwrap());
    assert_eq!([a.port(), b.port()], [5000, 5000]);
    assert_ne!(a.ip(), b.ip());
    let mut reach = |to| bench.nat.inbound(Time::ZERO, Protocol::Udp, Y1, to);
    assert_eq!([reach(a), reach(b)], [Ok(A), Ok(B)]);
}

#[test]
fn a_full_address_ends_paired_pooling_and_makes_arbitrary_pooling_take_the_other() {
    // Four ports for a host on each of two addresses: paired, it gets 4 external endpoints, as the
    // other address is not its own; otherwise 8, whatever the draws.
    for (pooling, endpoints) in [(Pooling::Paired, 4), (Pooling::Arbitrary, 8)] {
        let config = NatConfig {
            pooling,
            port_block: NonZeroU16::new(4),
            ..MANY
        };
        let mut bench = Bench::pooled(config, 2);
        let mut given = BTreeSet::new();
        let first_refused = (1..=9).find(|port| match bench.try_send(A, y(*port)) {
            Ok(source) => !given.insert(source),
            Err(reason) => reason == NatDrop::PortsExhausted,
        });
        assert_eq!(given.len(), endpoints, "{pooling:?}");
        assert_eq!(first_refused, Some(endpoints as u16 + 1));
    }
}

#[test]
fn req_3_overloading_gives_one_port_to_two_hosts_and_confuses_them() {
    // Section 4.2.1: the internal port always, and the source of an answer tells whose it is. It
    // tells as long as the two talk to different remote endpoints, and no longer.
    let mut bench = Bench::new(NatConfig {
        ports: PortAssignment::Overloading,
        ..BASE
    });
    assert_eq!([bench.send(A, Y1), bench.send(B, Z1)], [5000, 5000]);
    assert_eq!(
        [bench.receive(Y1, 5000), bench.receive(Z1, 5000)],
        [Ok(A), Ok(B)]
    );
    bench.send(B, Y1);
    assert_eq!(bench.receive(Y1, 5000), Ok(B), "A's answers are B's now");
}

#[test]
fn an_overloaded_port_goes_on_with_who_still_has_it() {
    let mut bench = Bench::new(NatConfig {
        ports: PortAssignment::Overloading,
        ..BASE
    });
    bench.send(A, Y1);
    bench.now = Time::ZERO + LIFETIME / 2;
    bench.send(B, Y1);
    bench.send(B, Z1);
    bench.send(A, Y2);
    // B fell silent at 60 s, A did not: at 180 s, B's mapping is gone. A third host makes the NAT
    // look. What came for B's remote now goes to the one host that has the port, as the filter is
    // open.
    bench.now = Time::ZERO + LIFETIME;
    bench.send(A, Y2);
    bench.now = Time::ZERO + LIFETIME * 3 / 2;
    bench.send(inside(3, 6000), Y1);
    assert_eq!(bench.receive(Z1, 5000), Ok(A));
    assert_eq!(bench.receive(Y2, 5000), Ok(A));
}

#[test]
fn req_4_parity_is_preserved_by_every_assignment() {
    let of = |ports| NatConfig {
        ports,
        port_parity: true,
        ..BASE
    };
    // Preserving: 5000 is taken, the next even port is 5002; 5001 is free, then 5003.
    let mut bench = Bench::new(of(PortAssignment::Preserving));
    let mut sent = |host, port| bench.send(inside(host, port), Y1);
    assert_eq!([sent(1, 5000), sent(2, 5000)], [5000, 5002]);
    assert_eq!([sent(1, 5001), sent(2, 5001)], [5001, 5003]);
    // Sequential: 1024 is even; the next odd one after it is 1025, the next even one 1026.
    let mut bench = Bench::new(of(PortAssignment::Sequential));
    let mut sent = |port| bench.send(inside(1, port), Y1);
    assert_eq!(
        [sent(10), sent(11), sent(13), sent(12)],
        [1024, 1025, 1027, 1028]
    );
    // Random: 200 draws without parity would all be right once in 2^200.
    let mut bench = Bench::new(of(PortAssignment::Random));
    for port in 2000..2200 {
        assert_eq!(bench.send(inside(1, port), Y1) % 2, port % 2);
    }
}

#[test]
fn without_parity_a_collision_changes_it() {
    let mut bench = Bench::new(BASE);
    assert_eq!([bench.send(A, Y1), bench.send(B, Y1)], [5000, 5001]);
}

#[test]
fn req_4_a_port_of_the_other_parity_is_better_than_none() {
    // A block of four, 1024 to 1027, two of them even.
    let mut bench = Bench::new(NatConfig {
        port_parity: true,
        port_block: NonZeroU16::new(4),
        ..MANY
    });
    let ports = [1, 2, 3, 4].map(|port| bench.send(A, y(port)));
    assert_eq!(ports, [1024, 1026, 1025, 1027]);
}

#[test]
fn port_blocks_are_ranges_that_hosts_do_not_share() {
    // 64,512 / 100 = 645 blocks of 100 ports from 1024 on: A has 1024 to 1123, B 1124 to 1223,
    // whatever the assignment.
    for ports in [
        PortAssignment::Preserving,
        PortAssignment::Sequential,
        PortAssignment::Random,
    ] {
        let mut bench = Bench::new(NatConfig {
            ports,
            port_block: NonZeroU16::new(100),
            ..MANY
        });
        for (host, range) in [(A, 1024..=1123), (B, 1124..=1223)] {
            let given: BTreeSet<u16> = (1..=100).map(|to| bench.send(host, y(to))).collect();
            assert_eq!(given, range.collect(), "{ports:?}");
            // RFC 6888 REQ-4: that is all that the host gets.
            let more = bench.try_send(host, y(101));
            assert_eq!(more, Err(NatDrop::PortsExhausted));
        }
    }
}

#[test]
fn a_port_block_is_free_again_when_its_last_mapping_is_gone() {
    // Two blocks of 32,256 ports: a third host finds none, until A's last mapping has expired. A's
    // first mapping expires half a lifetime earlier; that is not enough.
    let mut bench = Bench::new(NatConfig {
        port_block: NonZeroU16::new(32_256),
        ..MANY
    });
    let third = inside(3, 5000);
    assert_eq!([bench.send(A, Y1), bench.send(B, Y1)], [5000, 33_280]);
    bench.now += LIFETIME / 2;
    bench.send(A, Y2);
    bench.send(B, Y2);
    bench.now = Time::ZERO + LIFETIME;
    assert_eq!(bench.try_send(third, Y1), Err(NatDrop::PortsExhausted));
    bench.send(B, Y2);
    bench.now += LIFETIME / 2;
    assert_eq!(bench.send(third, Y1), 5000);
}

#[test]
fn rfc_6888_req_8_a_port_rests_before_it_is_used_again() {
    // 120 s after the end of the mapping, which is a lifetime after its last packet.
    let rest = Duration::from_secs(120);
    let mut bench = Bench::new(NatConfig {
        port_rest: rest,
        ..BASE
    });
    assert_eq!(bench.send(A, Y1), 5000);
    bench.now = Time::ZERO + (LIFETIME + rest - NANOSECOND);
    assert_eq!(bench.send(B, Y1), 5001);
    bench.now += NANOSECOND;
    assert_eq!(bench.send(inside(3, 5000), Y1), 5000);
}
