//! Limits and firewalls: RFC 6888 REQ-4 and REQ-11, and what lies outside of the RFCs.

use std::num::NonZeroU32;

use sim::Behavior::AddressAndPortDependent as ByPort;
use sim::{NatConfig, NatDrop, Outbound, Protocol, Time, WhenFull};

use crate::bench::*;

fn at_most(mappings: u32, when_full: WhenFull) -> NatConfig {
    NatConfig {
        mapping: ByPort,
        max_mappings: NonZeroU32::new(mappings),
        when_full,
        ..BASE
    }
}

#[test]
fn rfc_6888_req_11_a_full_table_refuses_and_deletes_nothing() {
    let mut bench = Bench::new(at_most(2, WhenFull::Refuse));
    let ports = [bench.send(A, Y1), bench.send(A, Y2)];
    assert_eq!(bench.try_send(A, Z1), Err(NatDrop::TableFull));
    assert_eq!(bench.try_send(B, Z1), Err(NatDrop::TableFull));
    assert_eq!([bench.send(A, Y1), bench.send(A, Y2)], ports);
    // TCP has a table of its own.
    let tcp = bench.nat.outbound(bench.now, Protocol::Tcp, A, Z1);
    assert!(matches!(tcp, Outbound::Forward { .. }), "{tcp:?}");
    // When mappings expire, there is room.
    bench.now = Time::ZERO + LIFETIME;
    assert!(bench.try_send(A, Z1).is_ok());
}

#[test]
fn an_evicting_table_ends_the_mapping_that_would_expire_first() {
    // Made in the order Y1, Y2; then Y1 is used again, so that Y2's would be the first to expire.
    let mut bench = Bench::new(at_most(2, WhenFull::Evict));
    let [first, second] = [Y1, Y2].map(|to| {
        bench.now += NANOSECOND;
        bench.send(A, to)
    });
    bench.now += NANOSECOND;
    bench.send(A, Y1);
    let third = bench.send(A, Z1);
    let heard = [(Y1, first), (Z1, third)].map(|(from, port)| bench.receive(from, port));
    assert_eq!(heard, [Ok(A); 2]);
    // The evicted port was free, and is the lowest from 5000 on that was: the new mapping has it.
    assert_eq!((first, second, third), (5000, 5001, 5001));
    assert_eq!(
        bench.receive(Y2, second),
        Ok(A),
        "by the new mapping, as the filter is open"
    );
    // The one that was evicted is forgotten: it would be made anew, and end the next one.
    bench.now += NANOSECOND;
    assert_eq!(
        bench.send(A, Y2),
        first,
        "Y1's mapping has the earliest end now"
    );
}

#[test]
fn an_evicted_mapping_leaves_no_deadline_behind() {
    // One mapping at a time, each for another remote: every one has port 5000, as its predecessor
    // is gone; and long after all of them would have expired, the table still works.
    let mut bench = Bench::new(at_most(1, WhenFull::Evict));
    for port in 1..=100 {
        bench.now += NANOSECOND;
        assert_eq!(bench.send(A, y(port)), 5000);
    }
    bench.now += LIFETIME * 2;
    assert_eq!(bench.send(B, Y1), 5000);
    assert_eq!(bench.receive(Y1, 5000), Ok(B));
}

#[test]
fn rfc_6888_req_4_no_host_gets_more_than_its_share() {
    // Two for each host; what A asks for is refused and neither ends A's mappings nor takes B's.
    let mut bench = Bench::new(NatConfig {
        max_mappings_per_host: NonZeroU32::new(2),
        ..at_most(4, WhenFull::Evict)
    });
    for host in [A, B] {
        for to in [Y1, Y2] {
            assert!(bench.try_send(host, to).is_ok());
        }
        assert_eq!(bench.try_send(host, Z1), Err(NatDrop::HostLimit));
    }
    assert_eq!(bench.receive(Y1, 5000), Ok(A));
    bench.now = Time::ZERO + LIFETIME;
    assert!(bench.try_send(A, Z1).is_ok(), "its old ones have expired");
}

#[test]
fn a_firewall_for_the_web_lets_tcp_to_443_through_and_nothing_else() {
    let mut nat = Bench::new(NatConfig {
        only_tcp_443: true,
        ..BASE
    })
    .nat;
    let https = y(443);
    let mut send = |protocol, to| nat.outbound(Time::ZERO, protocol, A, to);
    assert_eq!(
        send(Protocol::Udp, https),
        Outbound::Drop(NatDrop::UdpBlocked)
    );
    assert_eq!(
        send(Protocol::Tcp, y(444)),
        Outbound::Drop(NatDrop::TcpBlocked)
    );
    let source = external(5000);
    assert_eq!(send(Protocol::Tcp, https), Outbound::Forward { source });
    // The mapping is open to everyone; the firewall is not.
    let mut hear = |from| nat.inbound(Time::ZERO, Protocol::Tcp, from, source);
    assert_eq!(hear(https), Ok(A));
    assert_eq!(hear(y(444)), Err(NatDrop::TcpBlocked));
}
