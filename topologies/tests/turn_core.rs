//! The TURN core against RFC 8489 and RFC 8656, with real messages and no I/O.

mod turn_support;

use turn_support::*;
use turn_types::attribute::{Data, XorPeerAddress};
use turn_types::message::DATA;
use turn_types::stun::attribute::{Nonce, Realm, XorMappedAddress};
use turn_types::stun::message::{Message, MessageClass};

use topologies::infra::turn::Direction;

#[test]
fn a_binding_request_tells_the_source() {
    let mut bench = Bench::new(&config());
    let reply = bench.request(client(), &binding());
    let message = reply.message();
    assert_eq!(message.class(), MessageClass::Success);
    let mapped = message.attribute::<XorMappedAddress>().unwrap();
    assert_eq!(mapped.addr(message.transaction_id()), client());
}

#[test]
fn an_allocation_needs_the_long_term_credential() {
    // RFC 8489, 9.2.4: no MESSAGE-INTEGRITY is answered with 401, a realm and a nonce.
    let mut bench = Bench::new(&config());
    let challenge = bench.request(client(), &allocate(None));
    assert_eq!(challenge.error(), Some(401));
    assert_eq!(
        challenge.message().attribute::<Realm>().unwrap().realm(),
        REALM
    );
    assert!(challenge.message().attribute::<Nonce>().is_ok());

    let good = Credentials::from_challenge(&challenge);
    for wrong in [
        Credentials {
            password: "guess".into(),
            ..good.clone()
        },
        Credentials {
            user: "mallory".into(),
            ..good.clone()
        },
    ] {
        assert_eq!(
            bench.request(client(), &allocate(Some(&wrong))).error(),
            Some(401)
        );
    }
    assert!(bench.world.open.is_empty());

    // RFC 8656, 3.2: the default lifetime is 10 minutes.
    let reply = bench.request(client(), &allocate(Some(&good)));
    assert_eq!(reply.error(), None);
    assert_eq!((reply.relayed(), reply.lifetime()), (relay(), 600));
    let message = reply.message();
    let mapped = message.attribute::<XorMappedAddress>().unwrap();
    assert_eq!(mapped.addr(message.transaction_id()), client());
    assert!(bench.world.open.contains(&relay()));
    let counters = &bench.core.counters().clients[&client()];
    assert_eq!(
        (counters.username.as_deref(), counters.allocations),
        (Some(USER), 1)
    );
}

#[test]
fn a_retransmitted_allocate_request_gets_the_same_response() {
    // RFC 8489, 6.3.1, for 40 s; a different request is a mismatch: RFC 8656, 7.2, 437.
    let mut bench = Bench::new(&config());
    let credentials = Credentials::from_challenge(&bench.request(client(), &allocate(None)));
    let request = allocate(Some(&credentials));
    let first = bench.request(client(), &request);
    bench.now = seconds(39);
    assert_eq!(bench.request(client(), &request).0, first.0);
    assert_eq!(
        bench
            .request(client(), &allocate(Some(&credentials)))
            .error(),
        Some(437)
    );
    bench.now = seconds(40);
    assert_eq!(bench.request(client(), &request).error(), Some(437));
    assert_eq!(bench.world.open.len(), 1);
    // After the allocation is gone, the old response would be a lie.
    assert_eq!(
        bench
            .request(client(), &refresh(&credentials, Some(0)))
            .error(),
        None
    );
    let again = bench.request(client(), &request);
    assert_eq!(again.error(), None);
    assert_ne!(again.relayed(), first.relayed());
}

#[test]
fn an_occupied_port_is_skipped_and_a_full_server_says_so() {
    let mut bench = Bench::new(&config());
    bench.world.occupied = [49152, 49153].into();
    let credentials = Credentials::from_challenge(&bench.request(client(), &allocate(None)));
    let reply = bench.request(client(), &allocate(Some(&credentials)));
    assert_eq!(reply.relayed(), addr("203.0.113.1:49154"));

    // RFC 8656, 7.2: 508 (Insufficient Capacity).
    bench.world.occupied = (49155..=65535).collect();
    let other = addr("198.51.100.8:40000");
    let credentials = Credentials::from_challenge(&bench.request(other, &allocate(None)));
    assert_eq!(
        bench.request(other, &allocate(Some(&credentials))).error(),
        Some(508)
    );
    assert_eq!(bench.world.open.len(), 1);
}

#[test]
fn nothing_is_relayed_without_a_permission() {
    // RFC 8656, 9: both directions need the permission for the peer's IP address.
    let mut bench = Bench::new(&config());
    let credentials = bench.allocated();
    let indication = send_indication(peer(), b"ping");
    assert_eq!(bench.deliver(client(), server(), &indication), []);
    assert_eq!(bench.deliver(peer(), relay(), b"pong"), []);
    assert_eq!(bench.core.counters().dropped_from_clients.packets, 1);
    assert_eq!(bench.core.counters().dropped_from_peers.packets, 1);
    assert_eq!(
        bench.core.counters().dropped_from_peers.wire_bytes,
        20 + 8 + 4
    );

    let granted = bench.request(client(), &create_permission(&credentials, peer()));
    assert_eq!(granted.error(), None);
    let sent = bench.deliver(client(), server(), &indication);
    assert_eq!(
        sent,
        [Sent {
            from: relay(),
            to: peer(),
            data: b"ping".to_vec()
        }]
    );

    let stranger = addr("192.0.2.10:50000");
    assert_eq!(bench.deliver(stranger, relay(), b"pong"), []);
    let sent = bench.deliver(peer(), relay(), b"pong");
    assert_eq!(
        (sent.len(), sent[0].from, sent[0].to),
        (1, server(), client())
    );
    let message = Message::from_bytes(&sent[0].data).unwrap();
    assert_eq!(
        (message.class(), message.method()),
        (MessageClass::Indication, DATA)
    );
    let source = message.attribute::<XorPeerAddress>().unwrap();
    assert_eq!(source.addr(message.transaction_id()), peer());
    assert_eq!(message.attribute::<Data>().unwrap().data(), b"pong");
}

#[test]
fn a_channel_carries_data_both_ways() {
    let mut bench = Bench::new(&config());
    let credentials = bench.allocated();
    let bind = channel_bind(&credentials, CHANNEL, peer());
    assert_eq!(
        bench.deliver(client(), server(), &channel_data(CHANNEL, b"early")),
        []
    );
    assert_eq!(bench.request(client(), &bind).error(), None);
    let sent = bench.deliver(client(), server(), &channel_data(CHANNEL, b"media"));
    assert_eq!(
        sent,
        [Sent {
            from: relay(),
            to: peer(),
            data: b"media".to_vec()
        }]
    );
    let sent = bench.deliver(peer(), relay(), b"back");
    let framed = channel_data(CHANNEL, b"back");
    assert_eq!(
        sent,
        [Sent {
            from: server(),
            to: client(),
            data: framed
        }]
    );
}

#[test]
fn counters_equal_the_bytes_of_the_packets() {
    // Payloads of 100 bytes. IPv4 and UDP headers: 20 + 8. ChannelData: 4. An indication: 20 for
    // the header, 4 + 8 for XOR-PEER-ADDRESS, 4 for DATA, which needs no padding: 36.
    let mut bench = Bench::new(&config());
    let credentials = bench.allocated();
    bench.request(client(), &create_permission(&credentials, peer()));
    bench.deliver(client(), server(), &send_indication(peer(), &[7; 100]));
    bench.deliver(peer(), relay(), &[7; 100]);
    let expected = Direction {
        packets: 1,
        payload_bytes: 100,
        wire_bytes_in: 28 + 36 + 100,
        wire_bytes_out: 28 + 100,
    };
    let relayed = bench.core.counters().relayed;
    assert_eq!(relayed.to_peers, expected);
    let (framed, bare) = (expected.wire_bytes_in, expected.wire_bytes_out);
    let back = Direction {
        wire_bytes_in: bare,
        wire_bytes_out: framed,
        ..expected
    };
    assert_eq!(relayed.to_clients, back);

    bench.request(client(), &channel_bind(&credentials, CHANNEL, peer()));
    for _ in 0..3 {
        bench.deliver(client(), server(), &channel_data(CHANNEL, &[7; 100]));
    }
    bench.deliver(peer(), relay(), &[7; 100]);
    let counters = bench.core.counters();
    let to_peers = Direction {
        packets: 4,
        payload_bytes: 400,
        wire_bytes_in: 164 + 3 * (28 + 4 + 100),
        wire_bytes_out: 4 * 128,
    };
    let to_clients = Direction {
        packets: 2,
        payload_bytes: 200,
        wire_bytes_in: 2 * 128,
        wire_bytes_out: 164 + 132,
    };
    assert_eq!(counters.relayed.to_peers, to_peers);
    assert_eq!(counters.relayed.to_clients, to_clients);
    assert_eq!(counters.clients[&client()].relayed, counters.relayed);
    // Challenge, Allocate, CreatePermission, ChannelBind: every request has one response.
    assert_eq!(
        (counters.requests.packets, counters.responses.packets),
        (4, 4)
    );
}

#[test]
fn clients_are_counted_apart() {
    let mut bench = Bench::new(&config());
    bench.allocated();
    let other = addr("198.51.100.8:40000");
    let credentials = Credentials::from_challenge(&bench.request(other, &allocate(None)));
    let second = bench
        .request(other, &allocate(Some(&credentials)))
        .relayed();
    assert_eq!(second, addr("203.0.113.1:49153"));
    bench.request(other, &channel_bind(&credentials, CHANNEL, peer()));
    bench.deliver(other, server(), &channel_data(CHANNEL, b"x"));
    bench.deliver(client(), server(), &channel_data(CHANNEL, b"x"));
    let counters = bench.core.counters();
    assert_eq!(counters.clients[&other].relayed.to_peers.packets, 1);
    assert_eq!(counters.clients[&client()].relayed.to_peers.packets, 0);
    assert_eq!(counters.dropped_from_clients.packets, 1);
}
