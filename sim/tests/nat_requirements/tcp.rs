//! TCP: RFC 5382.

use std::net::SocketAddrV4;
use std::time::Duration;

use sim::Behavior::AddressAndPortDependent as ByPort;
use sim::nat::Segment::{self, Data, Fin, Rst, Syn};
use sim::nat::Transport;
use sim::nat::tcp::{ESTABLISHED_LIFETIME, TRANSITORY_LIFETIME};
use sim::{Nat, NatConfig, NatDrop, Outbound, Protocol, Time};

use crate::bench::*;

/// A segment that passes the NAT: from A, or from Y1.
#[derive(Clone, Copy, Debug)]
enum Passes {
    Out(Segment),
    In(Segment),
}
use Passes::{In, Out};

fn pass(nat: &mut Nat, now: Time, remote: SocketAddrV4, passes: Passes) {
    match passes {
        Out(segment) => {
            let sent = nat.outbound(now, Transport::Tcp(segment), A, remote);
            let source = external(5000);
            assert_eq!(sent, Outbound::Forward { source }, "{passes:?}");
        }
        In(segment) => {
            let heard = nat.inbound(now, Transport::Tcp(segment), remote, external(5000));
            assert_eq!(heard, Ok(A), "{passes:?}");
        }
    }
}

/// How long the mapping lives after these segments, which pass at time zero: a packet at its last
/// nanosecond finds it, and one at the end does not.
fn lives_for(segments: &[Passes], lifetime: Duration) {
    let made = || {
        let mut nat = Bench::new(BASE).nat;
        for segment in segments {
            pass(&mut nat, Time::ZERO, Y1, *segment);
        }
        nat
    };
    let hear = |mut nat: Nat, at| nat.inbound(at, Transport::Tcp(Data), Y1, external(5000));
    let end = Time::ZERO + lifetime;
    let last = Time::ZERO + (lifetime - NANOSECOND);
    assert_eq!(hear(made(), last), Ok(A), "{segments:?}");
    assert_eq!(hear(made(), end), Err(NatDrop::NoMapping), "{segments:?}");
}

#[test]
fn req_5_the_lifetimes_are_the_least_that_it_allows() {
    assert_eq!(ESTABLISHED_LIFETIME, Duration::from_secs(2 * 3600 + 4 * 60));
    assert_eq!(TRANSITORY_LIFETIME, Duration::from_secs(4 * 60));
}

#[test]
fn req_5_connections_in_transition_live_four_minutes_and_established_ones_longer() {
    let open = [Out(Syn), In(Syn), Out(Data)];
    for (then, lifetime) in [
        (&[][..], ESTABLISHED_LIFETIME),
        (&[In(Data)], ESTABLISHED_LIFETIME),
        // Half closed: data may go on in the other direction for as long as it likes.
        (&[Out(Fin), In(Data)], ESTABLISHED_LIFETIME),
        (&[Out(Fin), In(Fin), Out(Data)], TRANSITORY_LIFETIME),
        (&[In(Rst)], TRANSITORY_LIFETIME),
        (&[Out(Rst)], TRANSITORY_LIFETIME),
        // The reset was not accepted, since its receiver goes on.
        (&[In(Rst), Out(Data)], ESTABLISHED_LIFETIME),
        // The same ports again, for another connection.
        (&[Out(Fin), In(Fin), Out(Syn)], TRANSITORY_LIFETIME),
        (
            &[Out(Fin), In(Fin), Out(Syn), In(Syn)],
            ESTABLISHED_LIFETIME,
        ),
    ] {
        lives_for(&[&open, then].concat(), lifetime);
    }
    // One that never gets an answer.
    lives_for(&[Out(Syn)], TRANSITORY_LIFETIME);
    lives_for(&[Out(Syn), Out(Syn)], TRANSITORY_LIFETIME);
}

#[test]
fn req_2_a_simultaneous_open_establishes_a_connection() {
    // SYN and SYN cross; then each acknowledges the other's with a SYN-ACK.
    lives_for(
        &[Out(Syn), In(Syn), Out(Syn), In(Syn)],
        ESTABLISHED_LIFETIME,
    );
}

#[test]
fn a_connection_that_the_nat_did_not_see_begin_is_established() {
    lives_for(&[Out(Data)], ESTABLISHED_LIFETIME);
}

#[test]
fn a_mapping_lives_as_long_as_one_of_its_connections() {
    // Both from A's port 5000: one to Y1 that is over, one to Z1 that is not.
    let mut nat = Bench::new(BASE).nat;
    for (remote, segments) in [
        (Y1, [Out(Syn), In(Syn), Out(Fin), In(Fin)]),
        (Z1, [Out(Syn), In(Syn), Out(Data), In(Data)]),
        (Y1, [Out(Data), In(Data), Out(Data), In(Data)]),
    ] {
        for segment in segments {
            pass(&mut nat, Time::ZERO, remote, segment);
        }
    }
    pass(
        &mut nat,
        Time::ZERO + (ESTABLISHED_LIFETIME - NANOSECOND),
        Z1,
        In(Data),
    );
}

#[test]
fn the_port_of_a_closed_connection_is_free_after_four_minutes() {
    // Established at 0, closed at 5 min: gone at 9 min, and not at 2 h 4 min. At 5 min another
    // mapping is made, for which the NAT looks through those that are there.
    let minutes = |minutes: u64| Time::ZERO + Duration::from_secs(60 * minutes);
    let mut nat = Bench::new(BASE).nat;
    for segment in [Out(Syn), In(Syn), Out(Data)] {
        pass(&mut nat, Time::ZERO, Y1, segment);
    }
    let opens = |nat: &mut Nat, at, host| match nat.outbound(at, Transport::Tcp(Syn), host, Y1) {
        Outbound::Forward { source } => source.port(),
        other => panic!("{other:?}"),
    };
    assert_eq!(opens(&mut nat, minutes(5), B), 5001);
    for segment in [Out(Fin), In(Fin)] {
        pass(&mut nat, minutes(5), Y1, segment);
    }
    assert_eq!(opens(&mut nat, minutes(8), inside(3, 5000)), 5002);
    assert_eq!(opens(&mut nat, minutes(9), inside(4, 5000)), 5000);
}

#[test]
fn req_3_and_req_4_an_unsolicited_syn_is_dropped_in_silence_and_leaves_no_trace() {
    // A filter by address and port lets in only who was sent to; the drop keeps nothing alive.
    let mut nat = Bench::new(NatConfig {
        filtering: ByPort,
        ..BASE
    })
    .nat;
    let knock = |nat: &mut Nat, at| nat.inbound(at, Transport::Tcp(Syn), Z1, external(5000));
    assert_eq!(knock(&mut nat, Time::ZERO), Err(NatDrop::NoMapping));
    pass(&mut nat, Time::ZERO, Y1, Out(Syn));
    let last = Time::ZERO + (TRANSITORY_LIFETIME - NANOSECOND);
    assert_eq!(knock(&mut nat, last), Err(NatDrop::Filtered));
    let end = Time::ZERO + TRANSITORY_LIFETIME;
    assert_eq!(knock(&mut nat, end), Err(NatDrop::NoMapping));
}

#[test]
fn req_7_tcp_ports_are_not_overloaded_and_req_8_tcp_hairpins() {
    let mut nat = Bench::new(BASE).nat;
    let mut send = |from, to| nat.outbound(Time::ZERO, Transport::Tcp(Syn), from, to);
    let forward = |port| Outbound::Forward {
        source: external(port),
    };
    assert_eq!([send(A, Y1), send(B, Y1)], [forward(5000), forward(5001)]);
    assert_eq!(
        send(A, external(5001)),
        Outbound::Hairpin {
            source: external(5000),
            destination: B
        }
    );
}

#[test]
fn rfc_5382_req_5_idle_tcp_mappings_live_two_hours_and_four_minutes() {
    // 2 h 4 min = 7440 s. An inbound packet just before that ends the idleness.
    assert_eq!(ESTABLISHED_LIFETIME, Duration::from_secs(7440));
    let mut nat = Bench::new(BASE).nat;
    let receive_at = |nat: &mut Nat, now| nat.inbound(now, Protocol::Tcp, Y1, external(5000));
    nat.outbound(Time::ZERO, Protocol::Tcp, A, Y1);
    let almost = Time::ZERO + (ESTABLISHED_LIFETIME - NANOSECOND);
    assert_eq!(receive_at(&mut nat, almost), Ok(A));
    let second = almost + (ESTABLISHED_LIFETIME - NANOSECOND);
    assert_eq!(receive_at(&mut nat, second), Ok(A));
    assert_eq!(
        receive_at(&mut nat, second + ESTABLISHED_LIFETIME),
        Err(NatDrop::NoMapping)
    );
}
