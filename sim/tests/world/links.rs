//! Packets through two access links: closed forms of delay, queueing and drops.

use std::net::SocketAddrV4;
use std::time::Duration;

use bytes::Bytes;
use sim::kernel::SocketId;
use sim::trace::Stage;
use sim::{DropReason, HostId, LinkConfig, PipeConfig, Seed, Simulation, Time, simulate};

use crate::fixture::{Journal, delay, endpoint, host, host_on, nat};

const ALICE: [u8; 4] = [203, 0, 113, 1];
const BOB: [u8; 4] = [203, 0, 113, 2];
const PORT: u16 = 4_000;

/// IPv4 (RFC 791) and UDP (RFC 768) headers.
const HEADERS: u64 = 20 + 8;

/// Alice sends to Bob.
struct Line {
    world: Simulation,
    journal: Journal,
    alice: SocketId,
    bob: SocketId,
    bob_host: HostId,
}

impl Line {
    fn new(mut world: Simulation, up: PipeConfig, down: PipeConfig) -> Self {
        let ideal = PipeConfig::default();
        let alice = host_on("alice", ALICE, LinkConfig { up, down: ideal });
        let bob = host_on("bob", BOB, LinkConfig { up: ideal, down });
        let (alice, bob_host) = (world.add_host(alice).unwrap(), world.add_host(bob).unwrap());
        let journal = Journal::default();
        let (alice, bob) = world.network(|network| {
            network.add_tap(Box::new(journal.clone()));
            let alice = network.bind_udp(alice, PORT).unwrap();
            (alice, network.bind_udp(bob_host, PORT).unwrap())
        });
        Line {
            world,
            journal,
            alice,
            bob,
            bob_host,
        }
    }

    /// Sends one datagram to Bob now.
    fn send(&self, payload: u64) {
        self.send_to(endpoint(BOB, PORT), payload);
    }

    fn send_to(&self, destination: SocketAddrV4, payload: u64) {
        let data = Bytes::from(vec![0; payload as usize]);
        self.world
            .network(|network| network.send_udp(self.alice, destination, data));
    }

    /// Runs for `span` and returns how many packets were dropped, by name.
    fn run(&mut self, span: Duration) -> Vec<(String, u64)> {
        self.world.run_until(self.world.now() + span);
        self.world.network(|network| {
            let dropped = &network.counters().dropped;
            dropped.iter().map(|(why, n)| (why.name(), *n)).collect()
        })
    }

    /// Where and when each dropped packet was dropped.
    fn drops(&self) -> Vec<(Time, Option<HostId>)> {
        let entries = self.journal.entries().into_iter();
        entries
            .filter_map(|entry| match entry.stage {
                Stage::Dropped(_, host) => Some((entry.at, host)),
                _ => None,
            })
            .collect()
    }
}

fn on_a_line<R: Send>(up: PipeConfig, down: PipeConfig, test: impl FnOnce(Line) -> R + Send) -> R {
    simulate(Seed(1), |world| test(Line::new(world, up, down)))
}

fn at_rate(rate_bps: u64, millis: u64) -> PipeConfig {
    PipeConfig {
        rate_bps: Some(rate_bps),
        ..delay(Duration::from_millis(millis))
    }
}

const LONG: Duration = Duration::from_secs(3_600);

#[test]
fn one_way_delay_is_serialisation_and_propagation_of_both_links() {
    // A datagram of p bytes is p + 28 bytes on the wire. Each link stores it, sends it in
    // (p + 28) * 8e9 / r ns, of which a fraction counts as a whole nanosecond, and delays it; so
    // the way takes ceil((p + 28) * 8e9 / up) + 20 ms + ceil((p + 28) * 8e9 / down) + 5 ms.
    // 3 and 7 Mbit/s divide neither 8e9 nor each other.
    for (up, down) in [(2_000_000, 8_000_000), (3_000_000, 7_000_000)] {
        on_a_line(at_rate(up, 20), at_rate(down, 5), |mut line| {
            let mut expected = Vec::new();
            for payload in [0, 1, 172, 1_172, 1_472] {
                let now = line.world.now();
                line.send(payload);
                let serialise = |rate| ((payload + HEADERS) * 8_000_000_000).div_ceil(rate);
                let nanos = serialise(up) + 20_000_000 + serialise(down) + 5_000_000;
                expected.push(now + Duration::from_nanos(nanos));
                line.run(Duration::from_secs(1));
            }
            assert_eq!(line.journal.deliveries(), expected);
        });
    }
}

#[test]
fn a_nat_adds_no_delay_and_an_ideal_link_none_at_all() {
    // 10 ms of Alice's uplink is all there is, with and without a NAT in front of Bob.
    simulate(Seed(1), |mut world| {
        let alice = host_on(
            "alice",
            ALICE,
            LinkConfig {
                up: delay(Duration::from_millis(10)),
                down: PipeConfig::default(),
            },
        );
        let alice = world.add_host(alice).unwrap();
        let open = nat(
            sim::Behavior::EndpointIndependent,
            sim::Behavior::EndpointIndependent,
        );
        let gateway = world.add_gateway(open, BOB.into(), None).unwrap();
        let bob = host("bob", [10, 0, 0, 2], Some(gateway));
        let bob = world.add_host(bob).unwrap();
        let journal = Journal::default();
        world.network(|network| {
            let alice = network.bind_udp(alice, PORT).unwrap();
            let bob = network.bind_udp(bob, PORT).unwrap();
            network.add_tap(Box::new(journal.clone()));
            network.send_udp(bob, endpoint(ALICE, PORT), Bytes::new());
            network.send_udp(alice, endpoint(BOB, PORT), Bytes::new());
        });
        world.run_until(Time::from_millis(100));
        assert_eq!(
            journal.deliveries(),
            [Time::ZERO, Time::from_millis(10)],
            "Bob's hole, then Alice through it"
        );
    });
}

#[test]
fn a_burst_queues_at_the_slower_link() {
    // 1,172 bytes of payload are 1,200 on the wire: 4.8 ms at 2 Mbit/s, 9.6 ms at 1 Mbit/s, 0.6 ms
    // at 16 Mbit/s. The k-th of a burst leaves the uplink at 4.8 k. A slower downlink is busy from
    // the first arrival on: the k-th is there at 4.8 + 9.6 k. A faster one finds each packet
    // alone: 4.8 k + 0.6. All plus 20 + 5 ms of propagation.
    type Form = fn(u64) -> u64;
    let forms: [(u64, Form); 2] = [
        (1_000_000, |k| 4_800 + 9_600 * k),
        (16_000_000, |k| 4_800 * k + 600),
    ];
    for (down, micros) in forms {
        on_a_line(at_rate(2_000_000, 20), at_rate(down, 5), |mut line| {
            (0..50).for_each(|_| line.send(1_172));
            line.run(LONG);
            let expected: Vec<Time> = (1..=50)
                .map(|k| Time::from_nanos((micros(k) + 25_000) * 1_000))
                .collect();
            assert_eq!(line.journal.deliveries(), expected);
        });
    }
}

#[test]
fn two_senders_share_the_downlink_of_their_receiver() {
    // Two packets of 1,200 bytes come to a downlink of 1 Mbit/s (9.6 ms each) at the same instant:
    // one is there after 9.6 ms, the other after 19.2 ms.
    on_a_line(PipeConfig::default(), at_rate(1_000_000, 0), |mut line| {
        let carol = host("carol", [203, 0, 113, 3], None);
        let carol = line.world.add_host(carol).unwrap();
        line.send(1_172);
        line.world.network(|network| {
            let carol = network.bind_udp(carol, PORT).unwrap();
            let data = Bytes::from(vec![0; 1_172]);
            network.send_udp(carol, endpoint(BOB, PORT), data);
        });
        line.run(LONG);
        assert_eq!(
            line.journal.deliveries(),
            [9_600_000, 19_200_000].map(Time::from_nanos)
        );
    });
}

#[test]
fn overflow_is_counted_on_the_link_where_it_happens() {
    // 10,000 bytes hold eight packets of 1,200 (9,600). Of a burst of 20, 12 are dropped at once.
    let small = PipeConfig {
        buffer_bytes: Some(10_000),
        ..at_rate(2_000_000, 20)
    };
    on_a_line(small, PipeConfig::default(), |mut line| {
        (0..20).for_each(|_| line.send(1_172));
        assert_eq!(line.run(LONG), [("uplink-buffer-full".into(), 12)]);
        assert_eq!(line.journal.deliveries().len(), 8);
        assert!(line.drops().iter().all(|(at, _)| *at == Time::ZERO));
    });
    // On the downlink the burst arrives 20 ms later, and Bob is where it is dropped.
    let far = delay(Duration::from_millis(20));
    on_a_line(far, small, |mut line| {
        (0..20).for_each(|_| line.send(1_172));
        assert_eq!(line.run(LONG), [("downlink-buffer-full".into(), 12)]);
        assert_eq!(line.journal.deliveries().len(), 8);
        let place = (Time::from_millis(20), Some(line.bob_host));
        assert_eq!(line.drops(), [place; 12]);
    });
}

#[test]
fn a_socket_that_nobody_reads_overflows() {
    // The receive buffer counts payload: 212,992 = 177 * 1,200 + 592. Of 200 datagrams of 1,200
    // bytes 177 are delivered and 23 dropped; after one is read, one more fits and then none.
    on_a_line(PipeConfig::default(), PipeConfig::default(), |mut line| {
        (0..200).for_each(|_| line.send(1_200));
        assert_eq!(line.run(LONG), [("socket-buffer-full".into(), 23)]);
        let bob = line.bob;
        let read = line.world.network(|network| network.receive_udp(bob));
        assert_eq!(read.map(|datagram| datagram.data.len()), Some(1_200));
        (0..2).for_each(|_| line.send(1_200));
        assert_eq!(line.run(LONG), [("socket-buffer-full".into(), 24)]);
        assert_eq!(line.journal.deliveries().len(), 178);
        assert!(
            line.drops()
                .iter()
                .all(|(_, at)| *at == Some(line.bob_host))
        );
    });
}

#[test]
fn an_unknown_address_has_no_route_and_a_closed_port_no_socket() {
    // Both are found out where the packet is then: after the uplink (28 bytes at 2 Mbit/s are
    // 0.112 ms, plus 20 ms) nobody has the address; after the downlink nobody has the port.
    on_a_line(at_rate(2_000_000, 20), at_rate(2_000_000, 5), |mut line| {
        line.send_to(endpoint([198, 51, 100, 9], PORT), 0);
        assert_eq!(line.run(LONG), [("no-route".into(), 1)]);
        assert_eq!(line.drops(), [(Time::from_nanos(20_112_000), None)]);
        let now = line.world.now();
        line.send_to(endpoint(BOB, PORT + 1), 0);
        assert_eq!(
            line.run(LONG),
            [("no-route".into(), 1), ("port-unreachable".into(), 1)]
        );
        let found = now + Duration::from_nanos(20_112_000 + 5_112_000);
        assert_eq!(line.drops()[1], (found, Some(line.bob_host)));
        assert_eq!(line.journal.deliveries(), []);
    });
}

#[test]
fn a_socket_that_closes_while_a_packet_flies_does_not_get_it() {
    on_a_line(at_rate(2_000_000, 20), PipeConfig::default(), |mut line| {
        line.send(0);
        let bob = line.bob;
        line.run(Duration::from_millis(10));
        line.world.network(|network| drop(network.close_udp(bob)));
        line.run(LONG);
        let counters = line.world.network(|network| network.counters().clone());
        assert_eq!(counters.dropped.get(&DropReason::PortUnreachable), Some(&1));
        assert_eq!((counters.sent, counters.delivered), (1, 0));
    });
}
