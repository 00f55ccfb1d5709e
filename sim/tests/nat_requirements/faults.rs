//! What happens to a NAT: rebinding, and firewalls that close.

use std::net::Ipv4Addr;

use sim::{NatConfig, NatDrop, Outbound, PortAssignment, Protocol, Time};

use crate::bench::*;

#[test]
fn a_nat_that_rebinds_ports_goes_on_from_other_ones() {
    // 5000 is not given again, so the same flow gets the next one, 5001, and the old one leads
    // nowhere. The next time it is 5002.
    let mut bench = Bench::new(BASE);
    for (old, new) in [(5000, 5001), (5001, 5002)] {
        assert_eq!(bench.send(A, Y1), old);
        bench.nat.rebind_ports();
        assert_eq!(bench.receive(Y1, old), Err(NatDrop::NoMapping));
        assert_eq!(bench.send(A, Y1), new);
        assert_eq!(bench.receive(Y1, new), Ok(A));
    }
    // A reboot forgets that, too.
    bench.nat.reboot();
    assert_eq!(bench.send(A, Y1), 5000);
}

#[test]
fn a_random_nat_rebinds_to_none_of_the_ports_that_it_had() {
    // 64,512 ports, of which 1,000 were taken: 1,000 further draws would miss all of those by
    // chance once in (1 - 1,000 / 64,512)^-1,000 = 6 million.
    let mut bench = Bench::new(NatConfig {
        ports: PortAssignment::Random,
        ..BASE
    });
    let ports = |bench: &mut Bench| -> Vec<u16> {
        (1..=1_000)
            .map(|port| bench.send(inside(1, port), Y1))
            .collect()
    };
    let before = ports(&mut bench);
    bench.nat.rebind_ports();
    let after = ports(&mut bench);
    assert!(after.iter().all(|port| !before.contains(port)));
}

#[test]
fn a_reboot_forgets_who_had_which_address() {
    // A came first and had the first address; after the reboot B comes first.
    let mut bench = Bench::pooled(BASE, 2);
    let mut first = |host| bench.try_send(host, Y1).map(|source| *source.ip());
    assert_eq!([first(A), first(A)], [Ok(EXTERNAL); 2]);
    assert_ne!(first(B), Ok(EXTERNAL));
    bench.nat.reboot();
    let mut first = |host| bench.try_send(host, Y1).map(|source| *source.ip());
    assert_eq!(first(B), Ok(EXTERNAL));
    assert_ne!(first(A), Ok(EXTERNAL));
}

#[test]
fn a_pool_that_rebinds_has_the_new_address_alone() {
    let new = Ipv4Addr::new(192, 0, 2, 1);
    let mut bench = Bench::pooled(BASE, 2);
    let old = [A, B].map(|host| bench.try_send(host, Y1).unwrap());
    bench.nat.rebind(new);
    let shown = [A, B].map(|host| bench.try_send(host, Y1).map(|source| *source.ip()));
    assert_eq!(shown, [Ok(new); 2]);
    for source in old {
        let heard = bench.nat.inbound(Time::ZERO, Protocol::Udp, Y1, source);
        assert_eq!(heard, Err(NatDrop::NoMapping));
    }
}

#[test]
fn a_firewall_that_closes_and_opens_again_keeps_the_mappings() {
    let mut bench = Bench::new(BASE);
    let port = bench.send(A, Y1);
    let blocked = Err(NatDrop::UdpBlocked);
    for (block_udp, only_tcp_443) in [(true, false), (false, true)] {
        bench.nat.set_firewall(block_udp, only_tcp_443);
        assert_eq!(bench.receive(Y1, port), blocked.map(|()| A));
        let sent = bench.nat.outbound(bench.now, Protocol::Udp, A, Y1);
        assert_eq!(sent, Outbound::Drop(NatDrop::UdpBlocked));
        // UDP alone is blocked, or TCP to other ports as well.
        let tcp = bench.nat.outbound(bench.now, Protocol::Tcp, A, Y1);
        assert_eq!(tcp == Outbound::Drop(NatDrop::TcpBlocked), only_tcp_443);
        bench.nat.set_firewall(false, false);
        assert_eq!(bench.receive(Y1, port), Ok(A));
    }
}
