//! What filters, lifetimes and hairpinning go by: RFC 4787 sections 4.3, 5 and 6, and REQ-12.

use std::net::SocketAddrV4;

use sim::Behavior::{
    AddressAndPortDependent as ByPort, AddressDependent as ByAddress, EndpointIndependent as Open,
};
use sim::{
    FilterScope, Hairpinning, NatConfig, NatDrop, Outbound, Protocol, Refresh, Time, TimerScope,
};

use crate::bench::*;

#[test]
fn section_5_to_the_letter_for_all_nine_combinations() {
    // "X:x has sent to Y" (or to Y:y), through whichever mapping: A has sent to Y1 and to Z1, so
    // at the mapping that was used for Y1 the filter knows both, whatever the mapping behaviour.
    let z2 = SocketAddrV4::new(*Z1.ip(), 2222);
    let stranger = inside(99, 1);
    for mapping in [Open, ByAddress, ByPort] {
        for (filtering, let_in) in [
            (Open, [true, true, true, true, true]),
            (ByAddress, [true, true, true, true, false]),
            (ByPort, [true, false, true, false, false]),
        ] {
            let mut bench = Bench::new(NatConfig {
                mapping,
                filtering,
                filter_scope: FilterScope::InternalEndpoint,
                ..BASE
            });
            let port = bench.send(A, Y1);
            bench.send(A, Z1);
            // What another endpoint has sent does not count.
            bench.send(B, stranger);
            let results = [Y1, Y2, Z1, z2, stranger].map(|from| bench.receive(from, port));
            let expected = let_in.map(|yes| if yes { Ok(A) } else { Err(NatDrop::Filtered) });
            assert_eq!(results, expected, "{mapping:?} {filtering:?}");
        }
    }
}

#[test]
fn what_was_sent_through_a_mapping_that_is_gone_lets_nobody_in() {
    let mut bench = Bench::new(NatConfig {
        mapping: ByPort,
        filtering: ByPort,
        filter_scope: FilterScope::InternalEndpoint,
        ..BASE
    });
    let port = bench.send(A, Y1);
    bench.send(A, Z1);
    bench.now = Time::ZERO + LIFETIME / 2;
    bench.send(A, Y1);
    bench.now = Time::ZERO + (LIFETIME - NANOSECOND);
    assert_eq!(bench.receive(Z1, port), Ok(A));
    // 120 s after the only packet to Z1; Y1's mapping has 60 s left.
    bench.now = Time::ZERO + LIFETIME;
    assert_eq!(bench.receive(Z1, port), Err(NatDrop::Filtered));
    // The same once the dead mapping has been cleared away, which making another one does.
    bench.send(B, Y1);
    assert_eq!(bench.receive(Z1, port), Err(NatDrop::Filtered));
    assert_eq!(bench.receive(Y1, port), Ok(A));
}

#[test]
fn section_4_3_remotes_may_have_lifetimes_of_their_own() {
    // One mapping, kept alive by packets to Z1. Y1 was sent to at 0 alone: at 120 s it is let in
    // no more, unless the mapping has one lifetime for all.
    for (timer_scope, at_expiry) in [
        (TimerScope::Mapping, Ok(A)),
        (TimerScope::Remote, Err(NatDrop::Filtered)),
    ] {
        let mut bench = Bench::new(NatConfig {
            filtering: ByPort,
            timer_scope,
            ..BASE
        });
        let port = bench.send(A, Y1);
        bench.now = Time::ZERO + (LIFETIME - NANOSECOND);
        assert_eq!(bench.send(A, Z1), port);
        assert_eq!(bench.receive(Y1, port), Ok(A));
        bench.now = Time::ZERO + LIFETIME;
        assert_eq!(bench.receive(Y1, port), at_expiry, "{timer_scope:?}");
        assert_eq!(bench.receive(Z1, port), Ok(A));
        // Sending opens it again.
        bench.send(A, Y1);
        assert_eq!(bench.receive(Y1, port), Ok(A));
    }
}

#[test]
fn the_lifetimes_of_remotes_go_by_what_the_filter_tells_apart() {
    // By address, a packet to Y2 keeps Y1; with an open filter, one to anybody does.
    for (filtering, keeper) in [(ByAddress, Y2), (Open, Z1)] {
        let mut bench = Bench::new(NatConfig {
            filtering,
            timer_scope: TimerScope::Remote,
            ..BASE
        });
        let port = bench.send(A, Y1);
        bench.now = Time::ZERO + LIFETIME / 2;
        bench.send(A, keeper);
        bench.now = Time::ZERO + LIFETIME;
        assert_eq!(bench.receive(Y1, port), Ok(A), "{filtering:?}");
    }
}

#[test]
fn req_6a_inbound_refresh_keeps_the_remote_that_sent() {
    for (refresh, afterwards) in [
        (Refresh::Outbound, Err(NatDrop::Filtered)),
        (Refresh::Both, Ok(A)),
    ] {
        let mut bench = Bench::new(NatConfig {
            filtering: ByPort,
            timer_scope: TimerScope::Remote,
            refresh,
            ..BASE
        });
        let port = bench.send(A, Y1);
        bench.now = Time::ZERO + LIFETIME / 2;
        bench.send(A, Z1);
        assert_eq!(bench.receive(Y1, port), Ok(A));
        bench.now = Time::ZERO + LIFETIME;
        assert_eq!(bench.receive(Y1, port), afterwards, "{refresh:?}");
    }
}

#[test]
fn req_9a_is_failed_by_hairpinning_with_the_internal_source() {
    let mut bench = Bench::new(NatConfig {
        hairpinning: Hairpinning::InternalSource,
        filtering: ByPort,
        ..BASE
    });
    let (a, b) = (bench.send(A, Y1), bench.send(B, Y1));
    let mut send = |from, to| {
        bench
            .nat
            .outbound(Time::ZERO, Protocol::Udp, from, external(to))
    };
    // The filter goes by external endpoints, as without the fault: B opens its own first.
    assert_eq!(send(B, a), Outbound::Drop(NatDrop::Filtered));
    assert_eq!(
        send(A, b),
        Outbound::Hairpin {
            source: A,
            destination: B
        }
    );
}

#[test]
fn req_12_asking_for_an_icmp_error_neither_refreshes_nor_ends_a_mapping() {
    let mut bench = Bench::with(Open, ByPort);
    let port = bench.send(A, Y1);
    let ask = |bench: &Bench, now| {
        let out = bench.nat.external_of(now, Protocol::Udp, A, Y1);
        let back = bench
            .nat
            .internal_of(now, Protocol::Udp, external(port), Z1);
        (out, back)
    };
    // REQ-12a: an error about a packet to Y may come from anyone on the way.
    let last = Time::ZERO + (LIFETIME - NANOSECOND);
    assert_eq!(ask(&bench, last), (Some(external(port)), Some(A)));
    bench.now = last;
    assert_eq!(bench.receive(Y1, port), Ok(A), "the mapping is still there");
    assert_eq!(ask(&bench, Time::ZERO + LIFETIME), (None, None));
    // None is made for what has none.
    let unknown = bench.nat.external_of(last, Protocol::Udp, B, Y1);
    assert_eq!(
        (unknown, bench.receive(Y1, 5001)),
        (None, Err(NatDrop::NoMapping))
    );
}
