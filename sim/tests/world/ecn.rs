//! Marks on the way from socket to socket (RFC 3168).

use std::future::poll_fn;
use std::io::IoSliceMut;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sim::{
    Behavior, DropReason, LinkConfig, LinkDrop, PipeConfig, Queue, Seed, SimRuntime, Time, simulate,
};
use webrtc::runtime::{AsyncUdpSocket, EcnCodepoint, RecvMeta, Runtime, Transmit};

use crate::fixture::{endpoint, host, host_on, nat, spawn};

const BOB: [u8; 4] = [198, 51, 100, 1];
const EXTERNAL: [u8; 4] = [203, 0, 113, 1];
const PORT: u16 = 4_000;
const PACKETS: u64 = 400;

/// The ECN fields that arrived, by the number of the packet.
type Arrived = Arc<Mutex<Vec<(u64, Option<EcnCodepoint>)>>>;

/// Packets of 1,250 bytes every 5 ms, with the ECN field of their number.
async fn send(alice: SimRuntime, field: fn(u64) -> Option<EcnCodepoint>) {
    let socket = alice.bind_udp(0).unwrap();
    for number in 0..PACKETS {
        let mut data = number.to_be_bytes().to_vec();
        data.resize(1_222, 0);
        let transmit = Transmit {
            destination: endpoint(BOB, PORT).into(),
            ecn: field(number),
            contents: &data,
            segment_size: None,
            src_ip: None,
        };
        poll_fn(|cx| socket.poll_send(cx, &transmit)).await.unwrap();
        alice.sleep(Duration::from_millis(5)).await;
    }
}

async fn receive(bob: SimRuntime, arrived: Arrived) {
    let socket = bob.bind_udp(PORT).unwrap();
    loop {
        let (mut data, mut meta) = ([0; 1_500], [RecvMeta::default()]);
        poll_fn(|cx| socket.poll_recv(cx, &mut [IoSliceMut::new(&mut data)], &mut meta))
            .await
            .unwrap();
        let number = u64::from_be_bytes(data[..8].try_into().unwrap());
        arrived.lock().unwrap().push((number, meta[0].ecn));
    }
}

/// Twice what Alice's uplink of 1 Mbps carries, through her NAT: what arrived, how many packets were
/// marked, and how many CoDel dropped.
fn overload(
    queue: Queue,
    mtu: u32,
    field: fn(u64) -> Option<EcnCodepoint>,
) -> (Vec<(u64, Option<EcnCodepoint>)>, u64, u64) {
    simulate(Seed(1), |mut world| {
        let up = PipeConfig {
            rate_bps: Some(1_000_000),
            queue,
            ..PipeConfig::default()
        };
        let down = PipeConfig::default();
        let translated = nat(Behavior::AddressDependent, Behavior::AddressDependent);
        let gateway = world
            .add_gateway(translated, EXTERNAL.into(), None)
            .unwrap();
        let mut alice = host_on("alice", [10, 0, 0, 2], LinkConfig { up, down });
        alice.behind = Some(gateway);
        let alice = world.add_host(alice).unwrap();
        let bob = world.add_host(host("bob", BOB, None)).unwrap();
        world.network(|network| network.set_mtu(alice, mtu));
        let (alice, bob) = (world.runtime(alice), world.runtime(bob));
        let arrived = Arrived::default();
        spawn(&bob.clone(), receive(bob, Arc::clone(&arrived)));
        spawn(&alice.clone(), send(alice, field));
        world.run_until(Time::from_millis(15_000));
        let counters = world.network(|network| network.counters().clone());
        world.finish();
        let codel = DropReason::Uplink(LinkDrop::Codel);
        let dropped = counters.dropped.get(&codel).copied().unwrap_or(0);
        let arrived = std::mem::take(&mut *arrived.lock().unwrap());
        (arrived, counters.marked, dropped)
    })
}

#[test]
fn a_marking_queue_marks_who_understands_it_and_drops_others() {
    // Even numbers are ECT(0), odd ones Not-ECT. 200 of 400 packets are too many, so the queue stands
    // above its target from the first interval on.
    let (arrived, marked, dropped) = overload(Queue::CodelEcn, 1_500, |number| {
        number.is_multiple_of(2).then_some(EcnCodepoint::Ect0)
    });
    let (even, odd): (Vec<_>, Vec<_>) = arrived.iter().partition(|(number, _)| number % 2 == 0);
    assert_eq!(even.len() as u64, PACKETS / 2, "none of ECT(0) is lost");
    let ce = |it: &&(u64, Option<EcnCodepoint>)| it.1 == Some(EcnCodepoint::Ce);
    assert_eq!(even.iter().filter(ce).count() as u64, marked);
    let left = |it: &&(u64, Option<EcnCodepoint>)| it.1 == Some(EcnCodepoint::Ect0);
    assert_eq!(
        even.iter().filter(left).count() as u64,
        PACKETS / 2 - marked
    );
    assert!(odd.iter().all(|(_, field)| field.is_none()));
    assert_eq!(odd.len() as u64, PACKETS / 2 - dropped);
    // Drops and marks together follow the control law, 25 (t + 0.146)^2 by t seconds after the first
    // one, in the 4 s that all of it takes to send, if nothing is dropped; and at least in the 2 s
    // in which it comes: 115 to 430. Each falls on one of both kinds.
    assert!(
        (115..=430).contains(&(marked + dropped)),
        "{marked} {dropped}"
    );
    assert!(marked > 40 && dropped > 40, "{marked} {dropped}");
}

#[test]
fn what_cannot_be_marked_there_is_dropped() {
    for (queue, field) in [
        (Queue::Codel, Some(EcnCodepoint::Ect0)),
        (Queue::CodelEcn, None),
    ] {
        let field = match field {
            Some(_) => |_| Some(EcnCodepoint::Ect0),
            None => |_| None,
        };
        let (arrived, marked, dropped) = overload(queue, 1_500, field);
        assert_eq!(marked, 0, "{queue:?}");
        assert!(dropped > 90, "{queue:?}: {dropped}");
        assert_eq!(arrived.len() as u64, PACKETS - dropped);
        assert!(arrived.iter().all(|it| it.1 == field(0)));
    }
}

/// RFC 3168 section 5.3: a packet has CE if one of its fragments has.
#[test]
fn a_mark_on_a_fragment_is_one_on_the_packet() {
    let (arrived, marked, dropped) = overload(Queue::CodelEcn, 600, |_| Some(EcnCodepoint::Ect1));
    assert_eq!((arrived.len() as u64, dropped), (PACKETS, 0));
    let ce = arrived.iter().filter(|it| it.1 == Some(EcnCodepoint::Ce));
    let ce = ce.count() as u64;
    // Several fragments of one packet may be marked.
    assert!(ce > 100 && ce <= marked, "{ce} of {marked}");
}
