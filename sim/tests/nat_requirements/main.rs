//! The requirements of RFC 4787 (REQ-n), RFC 5382 and RFC 6888, one by one.

mod bench;
mod faults;
mod limits;
mod ports;
mod scopes;
mod tcp;

use std::net::{Ipv4Addr, SocketAddrV4};

use sim::Behavior::{
    AddressAndPortDependent as ByPort, AddressDependent as ByAddress, EndpointIndependent as Open,
};
use sim::{Hairpinning, NatConfig, NatDrop, Outbound, PortAssignment, Protocol, Refresh, Time};

use crate::bench::*;

#[test]
fn req_1_an_endpoint_independent_mapping_is_one_for_every_remote() {
    let mut bench = Bench::with(Open, ByPort);
    assert_eq!([Y1, Y2, Z1].map(|to| bench.send(A, to)), [5000; 3]);
}

#[test]
fn section_4_1_dependent_mappings_differ_where_the_remote_does() {
    // Ports are preserved and count up on a collision: 5000 for the first mapping, 5001 and 5002
    // for further ones. By address, Y1 and Y2 share one.
    let mut bench = Bench::with(ByAddress, Open);
    assert_eq!(
        [Y1, Y2, Z1, Y1].map(|to| bench.send(A, to)),
        [5000, 5000, 5001, 5000]
    );
    let mut bench = Bench::with(ByPort, Open);
    assert_eq!(
        [Y1, Y2, Z1, Y1].map(|to| bench.send(A, to)),
        [5000, 5001, 5002, 5000]
    );
}

#[test]
fn req_3_ports_are_never_overloaded() {
    // Both hosts talk to the same remote from the same internal port: the second gets the next
    // port, and replies find their host.
    let mut bench = Bench::new(BASE);
    assert_eq!([bench.send(A, Y1), bench.send(B, Y1)], [5000, 5001]);
    assert_eq!(
        [bench.receive(Y1, 5000), bench.receive(Y1, 5001)],
        [Ok(A), Ok(B)]
    );
}

#[test]
fn req_3a_well_known_ports_stay_in_their_range() {
    let mut bench = Bench::new(BASE);
    let well_known = |host: SocketAddrV4| SocketAddrV4::new(*host.ip(), 1023);
    // 1023 is the last well-known port; after it the range begins again at 1.
    assert_eq!(
        [bench.send(well_known(A), Y1), bench.send(well_known(B), Y1)],
        [1023, 1]
    );
}

#[test]
fn ports_of_udp_and_tcp_are_separate() {
    let mut bench = Bench::new(BASE);
    assert_eq!(bench.send(A, Y1), 5000);
    let tcp = bench.nat.outbound(Time::ZERO, Protocol::Tcp, B, Y1);
    assert_eq!(
        tcp,
        Outbound::Forward {
            source: external(5000)
        }
    );
    assert_eq!(bench.receive(Y1, 5000), Ok(A));
    assert_eq!(
        bench
            .nat
            .inbound(Time::ZERO, Protocol::Tcp, Y1, external(5000)),
        Ok(B)
    );
}

#[test]
fn req_5_a_mapping_lives_to_the_last_nanosecond_of_its_lifetime_and_not_beyond() {
    for refresh in [Refresh::Outbound, Refresh::Both] {
        let mut bench = Bench::new(NatConfig { refresh, ..BASE });
        let port = bench.send(A, Y1);
        bench.now = Time::ZERO + (LIFETIME - NANOSECOND);
        let mut late = Bench::new(NatConfig { refresh, ..BASE });
        late.send(A, Y1);
        late.now = Time::ZERO + LIFETIME;
        assert_eq!(bench.receive(Y1, port), Ok(A));
        assert_eq!(late.receive(Y1, port), Err(NatDrop::NoMapping));
    }
}

#[test]
fn req_5_an_expired_mapping_is_not_used_and_its_port_is_free() {
    let mut bench = Bench::new(NatConfig {
        ports: PortAssignment::Sequential,
        ..BASE
    });
    assert_eq!(bench.send(A, Y1), 1024);
    bench.now = Time::ZERO + LIFETIME;
    // The old mapping would have kept 1024; sequential assignment goes on at 1025.
    assert_eq!(bench.send(A, Y1), 1025);

    let mut bench = Bench::new(BASE);
    assert_eq!(bench.send(A, Y1), 5000);
    bench.now = Time::ZERO + (LIFETIME - NANOSECOND);
    assert_eq!(bench.send(B, Y1), 5001);
    bench.now = Time::ZERO + LIFETIME;
    // A's mapping has expired and B's has not: a third host finds 5000 free.
    let third = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 3), 5000);
    assert_eq!(bench.send(third, Y1), 5000);
}

#[test]
fn req_6_outbound_packets_refresh() {
    let mut bench = Bench::new(BASE);
    let port = bench.send(A, Y1);
    bench.now = Time::ZERO + (LIFETIME - NANOSECOND);
    // Any remote will do: the mapping is endpoint-independent.
    bench.send(A, Z1);
    // Refreshed at 120 s - 1 ns: alive until 240 s - 2 ns, gone at 240 s - 1 ns.
    bench.now = Time::ZERO + (LIFETIME * 2 - NANOSECOND * 2);
    assert_eq!(bench.receive(Y1, port), Ok(A));
    bench.now += NANOSECOND;
    assert_eq!(bench.receive(Y1, port), Err(NatDrop::NoMapping));
}

#[test]
fn req_6a_inbound_packets_refresh_only_where_configured() {
    for (refresh, afterwards) in [
        (Refresh::Outbound, Err(NatDrop::NoMapping)),
        (Refresh::Both, Ok(A)),
    ] {
        let mut bench = Bench::new(NatConfig { refresh, ..BASE });
        let port = bench.send(A, Y1);
        bench.now = Time::ZERO + (LIFETIME - NANOSECOND);
        assert_eq!(bench.receive(Y1, port), Ok(A));
        bench.now += LIFETIME - NANOSECOND;
        assert_eq!(bench.receive(Y1, port), afterwards, "{refresh:?}");
    }
}

#[test]
fn a_filtered_packet_does_not_refresh() {
    let mut bench = Bench::new(NatConfig {
        refresh: Refresh::Both,
        filtering: ByPort,
        ..BASE
    });
    let port = bench.send(A, Y1);
    bench.now = Time::ZERO + (LIFETIME - NANOSECOND);
    assert_eq!(bench.receive(Z1, port), Err(NatDrop::Filtered));
    bench.now += NANOSECOND;
    assert_eq!(bench.receive(Y1, port), Err(NatDrop::NoMapping));
}

#[test]
fn a_filter_is_forgotten_with_its_mapping() {
    let mut bench = Bench::with(Open, ByAddress);
    bench.send(A, Y1);
    bench.now = Time::ZERO + LIFETIME;
    let port = bench.send(A, Z1);
    assert_eq!(bench.receive(Y1, port), Err(NatDrop::Filtered));
    assert_eq!(bench.receive(Z1, port), Ok(A));
}

#[test]
fn req_8_and_section_5_for_all_nine_combinations() {
    // A has sent to Y1 and then to Z1. What gets in through the mapping that was used for Y1, from
    // Y1, Y2 (never sent to, same address as Y1), Z1 and Z2 (never sent to)? With
    // endpoint-independent mapping the filter knows Y1 and Z1; otherwise this mapping carried
    // packets to Y1 alone.
    let z2 = SocketAddrV4::new(*Z1.ip(), 2222);
    for (mapping, filtering, let_in) in [
        (Open, Open, [true, true, true, true]),
        (Open, ByAddress, [true, true, true, true]),
        (Open, ByPort, [true, false, true, false]),
        (ByAddress, Open, [true, true, true, true]),
        (ByAddress, ByAddress, [true, true, false, false]),
        (ByAddress, ByPort, [true, false, false, false]),
        (ByPort, Open, [true, true, true, true]),
        (ByPort, ByAddress, [true, true, false, false]),
        (ByPort, ByPort, [true, false, false, false]),
    ] {
        let mut bench = Bench::with(mapping, filtering);
        let port = bench.send(A, Y1);
        bench.send(A, Z1);
        let results = [Y1, Y2, Z1, z2].map(|from| bench.receive(from, port));
        let expected = let_in.map(|yes| if yes { Ok(A) } else { Err(NatDrop::Filtered) });
        assert_eq!(results, expected, "{mapping:?} {filtering:?}");
    }
}

#[test]
fn section_5_address_dependent_filtering_refuses_an_address_that_was_never_sent_to() {
    let mut bench = Bench::with(Open, ByAddress);
    let port = bench.send(A, Y1);
    assert_eq!(bench.receive(Z1, port), Err(NatDrop::Filtered));
}

#[test]
fn req_9a_hairpinned_packets_carry_the_external_source() {
    let mut bench = Bench::new(BASE);
    bench.send(A, Y1);
    bench.send(B, Y1);
    // REQ-3 above: A is at 5000, B at 5001.
    let hairpinned = bench
        .nat
        .outbound(Time::ZERO, Protocol::Udp, A, external(5001));
    assert_eq!(
        hairpinned,
        Outbound::Hairpin {
            source: external(5000),
            destination: B
        }
    );
}

#[test]
fn req_9_a_hairpinned_packet_passes_the_filter_of_its_destination() {
    // Port-restricted: B's first packet to A's external endpoint is filtered, but opens B's filter
    // for A, as hole punching asks; A's answer gets in, and then B's packets do.
    let mut bench = Bench::with(Open, ByPort);
    let (a, b) = (bench.send(A, Y1), bench.send(B, Y1));
    let mut send = |from, to| {
        bench
            .nat
            .outbound(Time::ZERO, Protocol::Udp, from, external(to))
    };
    assert_eq!(send(B, a), Outbound::Drop(NatDrop::Filtered));
    assert_eq!(
        send(A, b),
        Outbound::Hairpin {
            source: external(a),
            destination: B
        }
    );
    assert_eq!(
        send(B, a),
        Outbound::Hairpin {
            source: external(b),
            destination: A
        }
    );
}

#[test]
fn a_hairpinned_packet_to_no_mapping_opens_the_sender_all_the_same() {
    let mut bench = Bench::with(Open, ByPort);
    let to_nobody = bench
        .nat
        .outbound(Time::ZERO, Protocol::Udp, A, external(5001));
    assert_eq!(to_nobody, Outbound::Drop(NatDrop::NoMapping));
    // A now has a mapping at 5000 that knows 5001, which B gets next, and B sends to A.
    let answer = bench
        .nat
        .outbound(Time::ZERO, Protocol::Udp, B, external(5000));
    assert_eq!(
        answer,
        Outbound::Hairpin {
            source: external(5001),
            destination: A
        }
    );
}

#[test]
fn without_hairpinning_nothing_happens() {
    let config = NatConfig {
        hairpinning: Hairpinning::None,
        ..BASE
    };
    let mut bench = Bench::new(NatConfig {
        ports: PortAssignment::Sequential,
        ..config
    });
    let hairpinned = bench
        .nat
        .outbound(Time::ZERO, Protocol::Udp, A, external(5001));
    assert_eq!(hairpinned, Outbound::Drop(NatDrop::NoHairpinning));
    // No mapping was made for it: the first port of a sequential assignment is still to come.
    assert_eq!(bench.send(A, Y1), 1024);
}

#[test]
fn pinned_replies_leave_by_the_mapping_they_answer() {
    for (reply_pinning, reply_port) in [(false, 5001), (true, 5000)] {
        let mut bench = Bench::new(NatConfig {
            mapping: ByPort,
            filtering: Open,
            reply_pinning,
            ..BASE
        });
        bench.send(A, Y1);
        assert_eq!(bench.receive(Z1, 5000), Ok(A));
        assert_eq!(bench.send(A, Z1), reply_port, "pinning {reply_pinning}");
    }
}

#[test]
fn a_filtered_packet_pins_nothing() {
    let mut bench = Bench::new(NatConfig {
        mapping: ByPort,
        filtering: ByAddress,
        reply_pinning: true,
        ..BASE
    });
    bench.send(A, Y1);
    assert_eq!(bench.receive(Z1, 5000), Err(NatDrop::Filtered));
    assert_eq!(bench.send(A, Z1), 5001);
}

#[test]
fn the_latest_accepted_packet_pins_and_a_pin_ends_with_its_mapping() {
    let mut bench = Bench::new(NatConfig {
        mapping: ByPort,
        filtering: Open,
        reply_pinning: true,
        ..BASE
    });
    let (to_y1, to_z1) = (bench.send(A, Y1), bench.send(A, Z1));
    assert_eq!((to_y1, to_z1), (5000, 5001));
    // Z1 has a mapping of its own already; an accepted packet at Y1's pins over it, and one at its
    // own mapping takes that back.
    assert_eq!(bench.receive(Z1, to_y1), Ok(A));
    assert_eq!(bench.send(A, Z1), to_y1);
    assert_eq!(bench.receive(Z1, to_z1), Ok(A));
    assert_eq!(bench.send(A, Z1), to_z1);
    assert_eq!(bench.receive(Z1, to_y1), Ok(A));
    // All mappings die at 120 s, and the pin with them. Another remote takes 5000; had the pin
    // survived, it would send Z1's packets there.
    bench.now = Time::ZERO + LIFETIME;
    assert_eq!(bench.send(A, Y2), 5000);
    assert_eq!(bench.send(A, Z1), 5001);
}

#[test]
fn blocked_udp_is_dropped_both_ways_and_tcp_is_translated() {
    let mut nat = Bench::new(NatConfig {
        block_udp: true,
        ..BASE
    })
    .nat;
    let out = nat.outbound(Time::ZERO, Protocol::Udp, A, Y1);
    assert_eq!(out, Outbound::Drop(NatDrop::UdpBlocked));
    let inbound = nat.inbound(Time::ZERO, Protocol::Udp, Y1, external(5000));
    assert_eq!(inbound, Err(NatDrop::UdpBlocked));
    let out = nat.outbound(Time::ZERO, Protocol::Tcp, A, Y1);
    assert_eq!(
        out,
        Outbound::Forward {
            source: external(5000)
        }
    );
    assert_eq!(
        nat.inbound(Time::ZERO, Protocol::Tcp, Y1, external(5000)),
        Ok(A)
    );
}

#[test]
fn req_11_a_nat_behaves_the_same_whatever_happened_before() {
    // Section 8: a NAT must not change its behaviour when ports collide, for instance. B's mapping
    // got another port than its own; it is endpoint-independent and filters by port all the same.
    let mut bench = Bench::with(Open, ByPort);
    assert_eq!(bench.send(A, Y1), 5000);
    assert_eq!([Y1, Y2, Z1].map(|to| bench.send(B, to)), [5001; 3]);
    assert_eq!([Y2, Z1].map(|from| bench.receive(from, 5001)), [Ok(B); 2]);
    let stranger = SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 3), 1111);
    assert_eq!(bench.receive(stranger, 5001), Err(NatDrop::Filtered));
}
