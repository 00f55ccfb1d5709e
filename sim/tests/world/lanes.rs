//! Packets that wait in a queue whose discipline decides later.

use std::time::Duration;

use bytes::Bytes;
use sim::{DropReason, HostId, LinkConfig, LinkDrop, PipeConfig, Queue, Roam, Seed, simulate};

use crate::fixture::{Journal, endpoint, host, host_on};

const ALICE: [u8; 4] = [203, 0, 113, 1];
const BOB: [u8; 4] = [203, 0, 113, 2];

/// Sends twice what a link of 1 Mbit/s with CoDel carries, over it up or down, for 2 s: packets of
/// 1,250 bytes, 10 ms each, every 5 ms. Before each of them `act` may change the world. Returns how
/// many packets were delivered, and dropped for each reason.
fn overload(
    up: bool,
    act: impl Fn(&mut sim::Network, [HostId; 2], u64) + Send + Sync,
) -> (usize, Vec<(String, u64)>) {
    let slow = PipeConfig {
        rate_bps: Some(1_000_000),
        queue: Queue::Codel,
        ..PipeConfig::default()
    };
    simulate(Seed(1), |mut world| {
        let hosts = [
            host_on("alice", ALICE, LinkConfig::symmetric(slow)),
            host("bob", BOB, None),
        ];
        let hosts = hosts.map(|host| world.add_host(host).unwrap());
        let (from, to) = if up { (0, 1) } else { (1, 0) };
        let target = endpoint([BOB, ALICE][from], 4_000);
        let journal = Journal::default();
        let tap = journal.clone();
        let [sender, receiver] = world.network(|network| {
            network.add_tap(Box::new(tap));
            let sender = network.bind_udp(hosts[from], 0).unwrap();
            [sender, network.bind_udp(hosts[to], 4_000).unwrap()]
        });
        for number in 0..400 {
            world.run_until(world.now() + Duration::from_millis(5));
            world.network(|network| {
                act(network, hosts, number);
                network.send_udp(sender, target, Bytes::from(vec![0; 1_222]));
                while network.receive_udp(receiver).is_some() {}
            });
        }
        world.run_until(world.now() + Duration::from_secs(10));
        world.network(|network| {
            assert_eq!((network.in_flight(), network.counters().sent), (0, 400));
            let dropped = network.counters().dropped.iter();
            let dropped: Vec<_> = dropped.map(|(why, n)| (why.name(), *n)).collect();
            let lost: u64 = dropped.iter().map(|(_, n)| n).sum();
            let delivered = journal.deliveries().len();
            assert_eq!(delivered as u64 + lost, 400);
            (delivered, dropped)
        })
    })
}

#[test]
fn what_codel_drops_has_a_reason_of_its_own() {
    // The queue grows by one packet in 10 ms. It is above 5 ms at once, so the first drop comes
    // after 100 ms and the n-th 200 ms sqrt(n) - 146 ms later (see the tests of CoDel): in 1.9 s
    // (2.05 / 0.2)^2 = 105. Then nothing comes any more: 200 packets were sent, 105 dropped, and
    // the other 95 wait for 0.95 s, in which drops go on up to (3 / 0.2)^2 = 225 at the most.
    for (up, name) in [(true, "uplink-codel"), (false, "downlink-codel")] {
        let (delivered, dropped) = overload(up, |_, _, _| ());
        let [(reason, count)] = &dropped[..] else {
            panic!("{dropped:?}");
        };
        assert_eq!(reason, name);
        assert!((95..=180).contains(count), "{count} dropped");
        assert!((220..=305).contains(&delivered), "{delivered} delivered");
    }
}

#[test]
fn a_packet_in_fragments_is_dropped_or_arrives_as_one() {
    // With an MTU of 600 each packet is three fragments, of 596, 596 and 98 bytes: 10.32 ms for all,
    // 3.44 ms in the mean, and 4.13 s for 400 packets. Of fragments 25 t^2 are dropped by t (see
    // above), so the link is done at t = 4.13 - 25 t^2 * 0.00344, which is 3.24 s, after 262 drops.
    // Nearly each is of another packet, whose other fragments are sent for nothing.
    let (delivered, dropped) = overload(true, |network, [alice, _], _| network.set_mtu(alice, 600));
    assert_eq!(dropped.len(), 1, "{dropped:?}");
    assert_eq!(dropped[0].0, "uplink-codel");
    assert!((230..=300).contains(&dropped[0].1), "{dropped:?}");
    assert!((100..=170).contains(&delivered), "{delivered}");
}

#[test]
fn who_roams_loses_what_waits() {
    // After 1 s Alice moves to a link without limits. Of 200 packets about 100 are sent by then and
    // about 30 dropped; the others wait, and are lost. All that come later arrive.
    let roam = |network: &mut sim::Network, [alice, _]: [HostId; 2], number| {
        if number == 200 {
            let link = LinkConfig::default();
            let (address, behind) = (ALICE.into(), None);
            let to = Roam {
                address,
                behind,
                link,
            };
            network.roam(alice, to).unwrap();
        }
    };
    for up in [true, false] {
        let (delivered, dropped) = overload(up, roam);
        let count = |name: &str| dropped.iter().find(|it| it.0 == name).map_or(0, |it| it.1);
        let left = count(&DropReason::LinkLeft.name());
        assert!((60..=80).contains(&left), "{dropped:?}");
        assert!((297..=302).contains(&delivered), "{delivered}");
    }
}

#[test]
fn an_outage_loses_what_waits() {
    // From 1 s to 1.5 s. What waits then is lost though the queue goes on to be served; what comes
    // meanwhile, 100 packets, is refused.
    let (_, dropped) = overload(true, |network, [alice, _], number| match number {
        200 => network.set_outage(alice, true),
        300 => network.set_outage(alice, false),
        _ => {}
    });
    let count = |reason: DropReason| {
        let named = dropped.iter().find(|it| it.0 == reason.name());
        named.map_or(0, |it| it.1)
    };
    assert_eq!(count(DropReason::Uplink(LinkDrop::Outage)), 100);
    let left = count(DropReason::LinkLeft);
    assert!((60..=80).contains(&left), "{dropped:?}");
}
