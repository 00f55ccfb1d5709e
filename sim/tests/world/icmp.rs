//! ICMP errors about closed ports: RFC 1122 section 4.1.3.1, RFC 4787 REQ-12.

use std::net::SocketAddrV4;
use std::time::Duration;

use bytes::Bytes;
use etherparse::{Icmpv4Type, NetSlice, SlicedPacket, TransportSlice, icmpv4};
use pcap_file::pcapng::{Block, PcapNgReader};
use sim::host::UdpError;
use sim::kernel::SocketId;
use sim::trace::pcapng::Capture;
use sim::{
    Behavior, DropReason, GatewayId, LinkConfig, NatConfig, NatDrop, Seed, Simulation, Time,
    simulate,
};

use crate::fixture::{delay, endpoint, host, host_on, nat};

const OPEN: Behavior = Behavior::EndpointIndependent;
const STRICT: Behavior = Behavior::AddressAndPortDependent;

fn send(world: &Simulation, from: SocketId, to: SocketAddrV4) {
    world.network(|network| network.send_udp(from, to, Bytes::from_static(b"hello")));
}

/// Runs until nothing is on the way.
fn settle(world: &mut Simulation) {
    world.run_until(world.now() + Duration::from_secs(1));
}

fn error(world: &Simulation, socket: SocketId) -> Option<UdpError> {
    world.network(|network| network.take_udp_error(socket))
}

/// What the next datagram in a socket shows as its source.
fn heard(world: &Simulation, socket: SocketId) -> Option<SocketAddrV4> {
    world.network(|network| network.receive_udp(socket).map(|datagram| datagram.source))
}

/// A NAT, or a chain of two, the inner one first; the external address is 203.0.113.`last`.
fn homes(world: &mut Simulation, last: u8, chain: &[NatConfig]) -> Option<GatewayId> {
    let mut behind = None;
    for (depth, config) in chain.iter().rev().enumerate() {
        let external = match depth {
            0 => [203, 0, 113, last],
            depth => [100, 64, last, depth as u8],
        };
        behind = Some(world.add_gateway(*config, external.into(), behind).unwrap());
    }
    behind
}

#[test]
fn a_closed_port_answers_if_the_world_says_so() {
    // 10 ms each way and the error back: nothing has come at 19 ms, the error at 20 ms.
    for icmp in [false, true] {
        simulate(Seed(1), |mut world| {
            let slow = delay(Duration::from_millis(5));
            let link = LinkConfig {
                up: slow,
                down: slow,
            };
            let [alice, bob] = [1, 2].map(|last| {
                let config = host_on(&format!("{last}"), [198, 51, 100, last], link);
                world.add_host(config).unwrap()
            });
            let socket = world.network(|network| {
                network.set_icmp(icmp);
                network.bind_udp(bob, 4000).unwrap();
                network.bind_udp(alice, 5000).unwrap()
            });
            let closed = endpoint([198, 51, 100, 2], 4001);
            send(&world, socket, closed);
            world.run_until(Time::from_millis(19));
            assert_eq!(error(&world, socket), None);
            world.run_until(Time::from_millis(20));
            let refused = icmp.then_some(UdpError::Refused(closed));
            assert_eq!(error(&world, socket), refused);
            assert_eq!(error(&world, socket), None, "an error is told once");
            // The error is a packet, and the datagram was dropped all the same.
            let counters = world.network(|network| network.counters().clone());
            let packets = 1 + u64::from(icmp);
            assert_eq!((counters.sent, counters.delivered), (packets, packets - 1));
            assert_eq!(counters.dropped[&DropReason::PortUnreachable], 1);
        });
    }
}

#[test]
fn an_error_is_not_answered_with_an_error() {
    // Alice's port is closed when the error comes: two packets, both dropped, and no third.
    simulate(Seed(1), |mut world| {
        let ids = [1, 2].map(|last| {
            let config = host(&format!("{last}"), [198, 51, 100, last], None);
            world.add_host(config).unwrap()
        });
        world.network(|network| {
            network.set_icmp(true);
            let socket = network.bind_udp(ids[0], 5000).unwrap();
            let data = Bytes::from_static(b"hello");
            network.send_udp(socket, endpoint([198, 51, 100, 2], 4001), data);
            network.close_udp(socket);
        });
        settle(&mut world);
        let counters = world.network(|network| network.counters().clone());
        assert_eq!((counters.sent, counters.delivered), (2, 0));
        assert_eq!(counters.dropped[&DropReason::PortUnreachable], 2);
    });
}

#[test]
fn req_12_errors_cross_nats_both_ways_and_end_no_mapping() {
    // Alice behind two NATs and Bob behind one have opened their filters for each other. Bob's
    // socket closes; what Alice sends then comes back as an error about the endpoint that she sent
    // to. Bob opens the port again, and everything is as before.
    simulate(Seed(1), |mut world| {
        let inner = homes(&mut world, 1, &[nat(OPEN, STRICT), nat(OPEN, OPEN)]);
        let other = homes(&mut world, 2, &[nat(OPEN, STRICT)]);
        let alice = world.add_host(host("alice", [10, 0, 0, 2], inner)).unwrap();
        let bob = world.add_host(host("bob", [10, 0, 1, 2], other)).unwrap();
        let server = host("server", [198, 51, 100, 1], None);
        let server = world.add_host(server).unwrap();
        let [from_alice, from_bob, from_server] = world.network(|network| {
            network.set_icmp(true);
            [(alice, 5000), (bob, 6000), (server, 3478)]
                .map(|(host, port)| network.bind_udp(host, port).unwrap())
        });
        // Ports are preserved.
        let alice_outside = endpoint([203, 0, 113, 1], 5000);
        let bob_outside = endpoint([203, 0, 113, 2], 6000);
        send(&world, from_alice, endpoint([198, 51, 100, 1], 3478));
        send(&world, from_bob, alice_outside);
        settle(&mut world);
        send(&world, from_alice, bob_outside);
        settle(&mut world);
        assert_eq!(heard(&world, from_bob), Some(alice_outside));
        world.network(|network| network.close_udp(from_bob));
        send(&world, from_alice, bob_outside);
        settle(&mut world);
        assert_eq!(
            error(&world, from_alice),
            Some(UdpError::Refused(bob_outside))
        );
        // What Alice has opened for others is still open.
        send(&world, from_server, alice_outside);
        settle(&mut world);
        assert!(heard(&world, from_alice).is_some());
        let again = world.network(|network| network.bind_udp(bob, 6000).unwrap());
        send(&world, from_alice, bob_outside);
        settle(&mut world);
        assert_eq!(heard(&world, again), Some(alice_outside));
        send(&world, again, alice_outside);
        settle(&mut world);
        assert_eq!(heard(&world, from_alice), Some(bob_outside));
    });
}

#[test]
fn an_error_about_a_hairpinned_datagram_turns_round_as_well() {
    simulate(Seed(1), |mut world| {
        let home = homes(&mut world, 1, &[nat(OPEN, OPEN)]);
        let ids = [2, 3].map(|last| {
            let config = host(&format!("{last}"), [10, 0, 0, last], home);
            world.add_host(config).unwrap()
        });
        let stranger = world
            .add_host(host("server", [198, 51, 100, 1], None))
            .unwrap();
        let [alice, bob] = world.network(|network| {
            network.set_icmp(true);
            network.bind_udp(stranger, 3478).unwrap();
            [(ids[0], 5000), (ids[1], 6000)].map(|(id, port)| network.bind_udp(id, port).unwrap())
        });
        // Bob has a mapping, and then no socket.
        send(&world, bob, endpoint([198, 51, 100, 1], 3478));
        settle(&mut world);
        world.network(|network| network.close_udp(bob));
        let target = endpoint([203, 0, 113, 1], 6000);
        send(&world, alice, target);
        settle(&mut world);
        assert_eq!(error(&world, alice), Some(UdpError::Refused(target)));
    });
}

#[test]
fn an_error_without_a_mapping_goes_nowhere() {
    // The datagram came in through a mapping that was made for another remote (dependent mapping,
    // open filter): the NAT has no way back for it.
    simulate(Seed(1), |mut world| {
        let home = homes(&mut world, 1, &[nat(STRICT, OPEN)]);
        let bob = world.add_host(host("bob", [10, 0, 0, 2], home)).unwrap();
        let [alice, server] = [1, 2].map(|last| {
            let config = host(&format!("{last}"), [198, 51, 100, last], None);
            world.add_host(config).unwrap()
        });
        let [alice, bob] = world.network(|network| {
            network.set_icmp(true);
            network.bind_udp(server, 3478).unwrap();
            [(alice, 5000), (bob, 6000)].map(|(id, port)| network.bind_udp(id, port).unwrap())
        });
        send(&world, bob, endpoint([198, 51, 100, 2], 3478));
        settle(&mut world);
        world.network(|network| network.close_udp(bob));
        send(&world, alice, endpoint([203, 0, 113, 1], 6000));
        settle(&mut world);
        assert_eq!(error(&world, alice), None);
        let counters = world.network(|network| network.counters().clone());
        assert_eq!(counters.dropped[&DropReason::Nat(NatDrop::NoMapping)], 1);
    });
}

#[test]
fn a_capture_shows_a_port_unreachable_that_quotes_the_datagram() {
    simulate(Seed(1), |mut world| {
        let ids = [1, 2].map(|last| {
            let config = host(&format!("{last}"), [198, 51, 100, last], None);
            world.add_host(config).unwrap()
        });
        let handle = world.network(|network| {
            network.set_icmp(true);
            let (capture, handle) = Capture::new(Duration::ZERO, network.hosts()).unwrap();
            network.add_tap(Box::new(capture));
            let socket = network.bind_udp(ids[0], 5000).unwrap();
            let data = Bytes::from_static(b"hello");
            network.send_udp(socket, endpoint([198, 51, 100, 2], 4001), data);
            handle
        });
        settle(&mut world);
        let file = handle.bytes();
        let mut reader = PcapNgReader::new(&file[..]).unwrap();
        let mut packets = Vec::new();
        while let Some(block) = reader.next_block() {
            if let Block::EnhancedPacket(packet) = block.unwrap() {
                packets.push(packet.data.to_vec());
            }
        }
        // The datagram where it was sent, the error where it was sent and where it was delivered.
        assert_eq!(packets.len(), 3);
        // 20 + 8 + 20 + 8 bytes (RFC 792).
        assert_eq!(packets[1].len(), 56);
        let sliced = SlicedPacket::from_ip(&packets[1]).unwrap();
        let Some(TransportSlice::Icmpv4(icmp)) = sliced.transport else {
            panic!("{sliced:?}");
        };
        let port = icmpv4::DestUnreachableHeader::Port;
        assert_eq!(icmp.icmp_type(), Icmpv4Type::DestinationUnreachable(port));
        let quoted = SlicedPacket::from_ip(icmp.payload()).unwrap();
        let Some(NetSlice::Ipv4(ip)) = &quoted.net else {
            panic!("{quoted:?}");
        };
        assert_eq!(ip.header().destination(), [198, 51, 100, 2]);
        let Some(TransportSlice::Udp(udp)) = quoted.transport else {
            panic!("{quoted:?}");
        };
        assert_eq!((udp.source_port(), udp.destination_port()), (5000, 4001));
    });
}
