//! Datagrams that are larger than an MTU: RFC 791 section 3.2, RFC 4787 REQ-13 and REQ-14.

use std::net::SocketAddrV4;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use sim::host::UdpError;
use sim::kernel::SocketId;
use sim::trace::{PacketEvent, Stage, Tap};
use sim::{
    Behavior, DropReason, Fragments, HostId, JitterConfig, LinkConfig, LinkDrop, LossConfig,
    NatConfig, NatDrop, PipeConfig, Queue, Reorder, Seed, Simulation, Time, simulate,
};

use crate::fixture::{endpoint, host_on, nat};

/// One byte takes a microsecond.
const BYTE_A_MICROSECOND: PipeConfig = PipeConfig {
    rate_bps: Some(8_000_000),
    ..IDEAL
};
const IDEAL: PipeConfig = PipeConfig {
    rate_bps: None,
    buffer_bytes: None,
    queue: Queue::DropTail,
    delay: Duration::ZERO,
    jitter: JitterConfig {
        std: Duration::ZERO,
        reorder: Reorder::Preserve,
    },
    loss: LossConfig::None,
};

/// What became of a packet, when, and how large it was on the wire then.
type Fates = Arc<Mutex<Vec<(Stage, Time, u32)>>>;

#[derive(Clone, Default)]
struct Watch(Fates);

impl Tap for Watch {
    fn packet(&mut self, event: &PacketEvent<'_>) {
        let seen = (event.stage, event.at, event.packet.wire_bytes());
        self.0.lock().unwrap().push(seen);
    }
}

/// A sender, perhaps behind a NAT, and a receiver on the internet.
struct Lab {
    world: Simulation,
    ids: [HostId; 2],
    sender: SocketId,
    receiver: SocketId,
    target: SocketAddrV4,
    watch: Watch,
}

impl Lab {
    fn new(mut world: Simulation, link: [PipeConfig; 2], behind: Option<NatConfig>) -> Self {
        let [up, down] = link;
        let gateway = behind.map(|config| {
            let external = [203, 0, 113, 1].into();
            world.add_gateway(config, external, None).unwrap()
        });
        let ideal = PipeConfig::default();
        let mut sender = host_on("sender", [10, 0, 0, 2], LinkConfig { up, down: ideal });
        sender.behind = gateway;
        let receiver = host_on(
            "receiver",
            [198, 51, 100, 1],
            LinkConfig { up: ideal, down },
        );
        let ids = [sender, receiver].map(|config| world.add_host(config).unwrap());
        let watch = Watch::default();
        let [sender, receiver] = world.network(|network| {
            network.add_tap(Box::new(watch.clone()));
            [(ids[0], 5000), (ids[1], 4000)].map(|(id, port)| network.bind_udp(id, port).unwrap())
        });
        Lab {
            world,
            ids,
            sender,
            receiver,
            target: endpoint([198, 51, 100, 1], 4000),
            watch,
        }
    }

    fn mtus(&self, up: u32, down: u32) {
        self.world.network(|network| {
            network.set_mtu(self.ids[0], up);
            network.set_mtu(self.ids[1], down);
        });
    }

    /// Sends so many bytes of payload and runs until nothing is on the way and all is
    /// read; what became of it.
    fn send(&mut self, bytes: usize) -> Vec<(Stage, Time, u32)> {
        let data = Bytes::from(vec![7; bytes]);
        self.world
            .network(|network| network.send_udp(self.sender, self.target, data));
        self.world
            .run_until(self.world.now() + Duration::from_secs(1));
        self.world
            .network(|network| while network.receive_udp(self.receiver).is_some() {});
        std::mem::take(&mut *self.watch.0.lock().unwrap())
    }
}

fn open(fragments: Fragments) -> NatConfig {
    NatConfig {
        fragments,
        ..nat(Behavior::EndpointIndependent, Behavior::EndpointIndependent)
    }
}

#[test]
fn fragments_are_on_the_wire_each_with_a_header_of_its_own() {
    // 3,000 bytes and a UDP header are 3,008 of IP payload. An MTU of 1,500 leaves 1,480 for each
    // fragment: 1,480 + 1,480 + 48, three headers, 3,068 bytes, so 3,068 us. Behind an MTU of 576,
    // 552 of each (a multiple of 8): 1,480 = 552 + 552 + 376, twice, and 48: seven headers, 3,148
    // bytes, so 3,148 us more. Behind one that is larger they stay as they are.
    for (down, second) in [(576, 3_148), (1_500, 3_068), (9_000, 3_068)] {
        simulate(Seed(1), |world| {
            let mut lab = Lab::new(
                world,
                [BYTE_A_MICROSECOND; 2],
                Some(open(Fragments::InOrder)),
            );
            lab.mtus(1_500, down);
            let fates = lab.send(3_000);
            let arrival = Time::ZERO + Duration::from_micros(3_068 + second);
            assert_eq!(
                fates,
                [
                    (Stage::Sent, Time::ZERO, 3_068),
                    (Stage::Delivered(lab.ids[1]), arrival, second as u32)
                ]
            );
        });
    }
}

#[test]
fn what_fits_into_the_mtu_is_one_packet() {
    // 1,472 + 8 + 20 = 1,500; one byte more makes two fragments, of 1,500 and 21 bytes.
    for (bytes, wire) in [(1_472, 1_500), (1_473, 1_521)] {
        simulate(Seed(1), |world| {
            let mut lab = Lab::new(world, [BYTE_A_MICROSECOND, IDEAL], None);
            lab.mtus(1_500, 1_500);
            let arrival = Time::ZERO + Duration::from_micros(wire);
            let (stage, at, size) = lab.send(bytes)[1];
            let expected = (Stage::Delivered(lab.ids[1]), arrival, wire as u32);
            assert_eq!((stage, at, size), expected);
        });
    }
}

#[test]
fn a_datagram_is_lost_with_any_of_its_fragments() {
    // Three fragments of which each is lost once in ten times: 0.9^3 = 0.729 arrive. Of 2,000, the
    // standard deviation is sqrt(0.729 x 0.271 / 2,000) = 0.0099, and five of them 0.05; one packet
    // would arrive 0.9 times.
    let lossy = PipeConfig {
        loss: LossConfig::Bernoulli { probability: 0.1 },
        ..IDEAL
    };
    for link in [[lossy, IDEAL], [IDEAL, lossy]] {
        simulate(Seed(1), |world| {
            let mut lab = Lab::new(world, link, None);
            lab.mtus(1_500, 1_500);
            let arrived = (0..2_000)
                .filter(|_| matches!(lab.send(3_000)[1].0, Stage::Delivered(_)))
                .count();
            let share = arrived as f64 / 2_000.0;
            assert!((0.679..=0.779).contains(&share), "{share}");
        });
    }
}

#[test]
fn req_13_with_df_what_is_too_big_is_dropped() {
    // At the sender's own link its socket learns of it, once; at another link it is just gone.
    for (mtus, reason, error) in [
        (
            [1_400, 1_500],
            DropReason::Uplink(LinkDrop::TooBig),
            Some(UdpError::TooBig),
        ),
        ([1_500, 1_400], DropReason::Downlink(LinkDrop::TooBig), None),
    ] {
        simulate(Seed(1), |world| {
            let mut lab = Lab::new(world, [IDEAL; 2], Some(open(Fragments::OutOfOrder)));
            let [up, down] = mtus;
            lab.mtus(up, down);
            let dont_fragment = |lab: &Lab, on| {
                lab.world
                    .network(|network| network.set_dont_fragment(lab.ids[0], on));
            };
            dont_fragment(&lab, true);
            let stage = lab.send(1_373)[1].0;
            assert!(
                matches!(stage, Stage::Dropped(why, _) if why == reason),
                "{stage:?}"
            );
            let errors = lab
                .world
                .network(|network| [(); 2].map(|()| network.take_udp_error(lab.sender)));
            assert_eq!(errors, [error, None]);
            // 1,372 + 28 = 1,400 fits.
            assert!(matches!(lab.send(1_372)[1].0, Stage::Delivered(_)));
            // REQ-13a: without DF it is fragmented.
            dont_fragment(&lab, false);
            assert!(matches!(
                lab.send(1_373)[1],
                (Stage::Delivered(_), _, 1_421)
            ));
        });
    }
}

#[test]
fn req_14_fragments_pass_a_nat_in_any_order_or_as_it_is_configured() {
    // Jitter alone and no order: three fragments with independent delays, of which the first is
    // the earliest once in three times. Of 900 in a row, 300 pass a NAT that needs that, with a
    // standard deviation of sqrt(900 x 1/3 x 2/3) = 14.1; five of them are 71.
    let shuffling = PipeConfig {
        jitter: JitterConfig {
            std: Duration::from_millis(5),
            reorder: Reorder::Allow,
        },
        ..IDEAL
    };
    for (fragments, shuffled, reason) in [
        (Fragments::OutOfOrder, 900..=900, None),
        (
            Fragments::InOrder,
            229..=371,
            Some(NatDrop::FragmentsOutOfOrder),
        ),
        (Fragments::Drop, 0..=0, Some(NatDrop::Fragmented)),
    ] {
        simulate(Seed(1), |world| {
            let mut lab = Lab::new(world, [shuffling, IDEAL], Some(open(fragments)));
            lab.mtus(1_500, 1_500);
            let mut passed = 0;
            for _ in 0..900 {
                match lab.send(3_000)[1].0 {
                    Stage::Delivered(_) => passed += 1,
                    Stage::Dropped(DropReason::Nat(why), _) => assert_eq!(Some(why), reason),
                    other => panic!("{other:?}"),
                }
            }
            assert!(shuffled.contains(&passed), "{fragments:?}: {passed}");
            // What is in one piece passes any of them.
            assert!(matches!(lab.send(1_000)[1].0, Stage::Delivered(_)));
        });
    }
}

#[test]
fn what_a_host_sends_to_itself_has_no_mtu() {
    simulate(Seed(1), |world| {
        let mut lab = Lab::new(world, [IDEAL; 2], None);
        lab.mtus(1_500, 1_500);
        lab.world
            .network(|network| network.set_dont_fragment(lab.ids[0], true));
        lab.target = endpoint([10, 0, 0, 2], 5000);
        let (stage, _, wire) = lab.send(3_000)[1];
        assert_eq!((stage, wire), (Stage::Delivered(lab.ids[0]), 3_028));
    });
}
