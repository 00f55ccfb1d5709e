//! Cross traffic: its share of a link, and what it does to others there.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use sim::trace::Stage;
use sim::{
    CrossCounters, CrossFlow, CrossKind, FlowId, HostId, LinkConfig, LossConfig, PipeConfig, Queue,
    Seed, Simulation, Time, Way, simulate,
};

use crate::fixture::{Journal, delay, endpoint, host, host_on};

const ALICE: [u8; 4] = [203, 0, 113, 1];
const BOB: [u8; 4] = [203, 0, 113, 2];

/// Bits of a packet of cross traffic.
const PACKET: f64 = 12_000.0;

fn at_rate(rate_bps: u64, buffer_bytes: u64) -> PipeConfig {
    PipeConfig {
        rate_bps: Some(rate_bps),
        buffer_bytes: Some(buffer_bytes),
        ..PipeConfig::default()
    }
}

fn tcp(millis: u64) -> CrossKind {
    let round_trip = Duration::from_millis(millis);
    let ecn = false;
    CrossKind::Tcp { round_trip, ecn }
}

/// The uplink of Alice, and what competes for it.
struct Line {
    world: Simulation,
    alice: HostId,
    bob: HostId,
}

fn on_a_line<R: Send>(up: PipeConfig, test: impl FnOnce(Line) -> R + Send) -> R {
    simulate(Seed(1), |mut world| {
        let down = PipeConfig::default();
        let alice = host_on("alice", ALICE, LinkConfig { up, down });
        let (alice, bob) = (
            world.add_host(alice),
            world.add_host(host("bob", BOB, None)),
        );
        let (alice, bob) = (alice.unwrap(), bob.unwrap());
        test(Line { world, alice, bob })
    })
}

impl Line {
    /// A flow from one time to another, in seconds.
    fn flow(&self, from: u64, to: u64, kind: CrossKind) -> FlowId {
        let second = |at| Time::from_millis(1_000 * at);
        let (from, to) = (second(from), second(to));
        let flow = CrossFlow { from, to, kind };
        self.world
            .network(|network| network.add_cross_flow(self.alice, Way::Up, flow))
    }

    fn counters(&self, flow: FlowId) -> CrossCounters {
        self.world.network(|network| network.cross_counters(flow))
    }

    /// What flows deliver from one time to another (in seconds), in bits per second each.
    fn goodput<const N: usize>(&mut self, flows: [FlowId; N], from: u64, to: u64) -> [f64; N] {
        self.world.run_until(Time::from_millis(1_000 * from));
        let before = flows.map(|flow| self.counters(flow).delivered);
        self.world.run_until(Time::from_millis(1_000 * to));
        let mut after = flows.map(|flow| self.counters(flow).delivered as f64);
        for (after, before) in after.iter_mut().zip(before) {
            *after = (*after - before as f64) * PACKET / (to - from) as f64;
        }
        after
    }

    /// How long each of the packets of 28 bytes takes that Alice sends to Bob every 10 ms, from one
    /// time to another (in seconds), in milliseconds.
    fn delays(&mut self, from: u64, to: u64) -> Vec<f64> {
        let journal = Journal::default();
        let (alice, bob, tap) = (self.alice, self.bob, journal.clone());
        let socket = self.world.network(|network| {
            network.add_tap(Box::new(tap));
            network.bind_udp(bob, 4_000).unwrap();
            network.bind_udp(alice, 0).unwrap()
        });
        for tick in 100 * from..100 * to {
            self.world.run_until(Time::from_millis(10 * tick));
            let target = endpoint(BOB, 4_000);
            self.world
                .network(|network| network.send_udp(socket, target, Bytes::new()));
        }
        self.world.run_until(Time::from_millis(1_000 * to + 5_000));
        let (mut sent, mut delays) = (BTreeMap::new(), Vec::new());
        for entry in journal.entries() {
            match entry.stage {
                Stage::Sent => {
                    sent.insert(entry.id, entry.at);
                }
                Stage::Delivered(_) => {
                    delays.push((entry.at - sent[&entry.id]).as_secs_f64() * 1e3);
                }
                Stage::Dropped(..) => {}
            }
        }
        delays
    }
}

#[test]
fn a_constant_rate_is_exactly_that() {
    // 3 Mbit/s in packets of 12,000 bits are 250 a second: 2,500 in 10 s, from 1 s to 11 s, when
    // it ends. On and off by half a second it is half of them: 125 in each half.
    on_a_line(at_rate(10_000_000, 100_000), |mut line| {
        let rate_bps = 3_000_000;
        let steady = line.flow(1, 11, CrossKind::Constant { rate_bps });
        let half = Duration::from_millis(500);
        let (on, off) = (half, half);
        let pulsed = line.flow(1, 11, CrossKind::OnOff { rate_bps, on, off });
        line.world.run_until(Time::from_millis(60_000));
        for (flow, sent) in [(steady, 2_500), (pulsed, 1_250)] {
            let expected = CrossCounters {
                sent,
                delivered: sent,
                dropped: 0,
                marked: 0,
            };
            assert_eq!(line.counters(flow), expected);
        }
    });
}

#[test]
fn a_packet_waits_behind_cross_traffic() {
    // A packet of cross traffic every 24 ms takes 12 ms at 1 Mbit/s, so that it is on the link up
    // to 12, 36, 60, 84 and 108 ms. Ours of 28 bytes, sent every 10 ms, takes 0.224 ms, and waits
    // for that: at 0 for 12 ms, at 10 for 2 ms, at 20 not, at 30 for 6 ms, and so on.
    on_a_line(at_rate(1_000_000, 100_000), |mut line| {
        let rate_bps = 500_000;
        line.flow(0, 60, CrossKind::Constant { rate_bps });
        line.world.run_until(Time::ZERO);
        let delays = line.delays(0, 1);
        let waits = [12.0, 2.0, 0.0, 6.0, 0.0, 10.0, 0.0, 0.0, 4.0, 0.0, 8.0, 0.0];
        for (index, (delay, wait)) in delays.iter().zip(waits).enumerate() {
            // At 10 and 60 ms there is one more of ours before it, which waited, too.
            let own = if [1, 6].contains(&index) {
                0.448
            } else {
                0.224
            };
            assert!(
                (delay - wait - own).abs() < 1e-6,
                "{delay} ms, not {wait} + {own}"
            );
        }
    });
}

#[test]
fn tcp_fills_a_bottleneck_and_leaves_what_others_take() {
    // 10 Mbit/s and 50 ms: the buffer of one bandwidth-delay product, 62,500 bytes, keeps the link
    // busy while the window is halved. A constant 4 Mbit/s loses next to nothing against a flow
    // that backs off, so 6 Mbit/s are left.
    let bottleneck = at_rate(10_000_000, 62_500);
    on_a_line(bottleneck, |mut line| {
        let flow = line.flow(0, 60, tcp(50));
        let [alone] = line.goodput([flow], 5, 60);
        assert!((9.7e6..=10.01e6).contains(&alone), "{alone} bit/s");
    });
    on_a_line(bottleneck, |mut line| {
        let flow = line.flow(0, 60, tcp(50));
        let rate_bps = 4_000_000;
        let steady = line.flow(0, 60, CrossKind::Constant { rate_bps });
        let [left, taken] = line.goodput([flow, steady], 5, 60);
        assert!((3.85e6..=4.01e6).contains(&taken), "{taken} bit/s");
        assert!((5.6e6..=6.15e6).contains(&left), "{left} bit/s");
    });
}

#[test]
fn two_transfers_share_a_bottleneck() {
    // The second one comes 10 s late. Additive increase and multiplicative decrease converge to
    // fairness (Chiu and Jain, 1989): Jain's index is (x + y)^2 / 2 (x^2 + y^2), 1/2 for one that
    // takes all and 1 for equal shares; beyond 0.95 no one has more than 61 %.
    let shares = on_a_line(at_rate(10_000_000, 62_500), |mut line| {
        let flows = [line.flow(0, 120, tcp(50)), line.flow(10, 120, tcp(50))];
        line.goodput(flows, 30, 120)
    });
    let [x, y] = shares;
    let index = (x + y).powi(2) / (2.0 * (x * x + y * y));
    assert!((0.95..=1.0).contains(&index), "{index}: {shares:?}");
    assert!((9.7e6..=10.01e6).contains(&(x + y)), "{shares:?}");
}

#[test]
fn tcp_backs_off_as_losses_demand() {
    // Mathis et al. (1997): with periodic losses of a share p, a window that is halved for each and
    // grows by one per round trip is sqrt(3 / (2 p)) in the mean. With 1 % that is 12.2 segments in
    // 100 ms, 1.47 Mbit/s; losses at random, and timeouts, take some of it. Four times the losses
    // leave half, and more of the timeouts.
    let lossy = |probability| {
        let pipe = PipeConfig {
            loss: LossConfig::Bernoulli { probability },
            ..delay(Duration::from_millis(50))
        };
        on_a_line(pipe, |mut line| {
            let flow = line.flow(0, 600, tcp(50));
            line.goodput([flow], 10, 600)[0]
        })
    };
    let (few, many) = (lossy(0.01), lossy(0.04));
    let mathis = |p: f64| (1.5 / p).sqrt() * PACKET / 0.1;
    let share = few / mathis(0.01);
    assert!((0.7..1.15).contains(&share), "{share} of the formula");
    assert!((1.8..3.0).contains(&(few / many)), "{few}, {many} bit/s");
}

#[test]
fn codel_spares_others_the_queue_of_a_transfer() {
    // With a second of drop-tail buffer a transfer without end fills it: halved, its window still
    // covers half a second. CoDel lets the queue stand above 5 ms for 100 ms at a time only.
    // Packets of 28 bytes pass all of it.
    let median = |queue| {
        let bottleneck = PipeConfig {
            queue,
            ..at_rate(5_000_000, 625_000)
        };
        on_a_line(bottleneck, |mut line| {
            let flow = line.flow(0, 60, tcp(40));
            let mut delays = line.delays(20, 60);
            delays.sort_by(f64::total_cmp);
            let bits = line.counters(flow).delivered as f64 * PACKET;
            (delays[delays.len() / 2], bits / 60.0)
        })
    };
    let (bloated, all) = median(Queue::DropTail);
    let (managed, most) = median(Queue::Codel);
    assert!((500.0..1_000.0).contains(&bloated), "{bloated} ms");
    assert!((2.0..25.0).contains(&managed), "{managed} ms");
    // The price: a little of the rate, while the window of 40 ms is halved.
    assert!((4.85e6..=5.1e6).contains(&all), "{all} bit/s");
    assert!((4.3e6..=5.01e6).contains(&most), "{most} bit/s");
}

#[test]
fn a_transfer_that_understands_marks_loses_nothing_to_a_queue_that_marks() {
    // 5 Mbit/s and 40 ms are 16.7 segments; with the 20 or so of the queue no window exceeds a buffer
    // of a second, so nothing is dropped. Marks come instead of drops, as rarely, and the window is
    // halved for each: the rate is what it is with drops.
    let carried = |queue, ecn| {
        let bottleneck = PipeConfig {
            queue,
            ..at_rate(5_000_000, 625_000)
        };
        on_a_line(bottleneck, |mut line| {
            let round_trip = Duration::from_millis(40);
            let flow = line.flow(0, 60, CrossKind::Tcp { round_trip, ecn });
            let [bits] = line.goodput([flow], 10, 60);
            (bits, line.counters(flow))
        })
    };
    let (dropping, drops) = carried(Queue::CodelEcn, false);
    let (marking, marks) = carried(Queue::CodelEcn, true);
    assert_eq!((drops.marked, marks.dropped), (0, 0));
    // Congestion avoidance takes the window from half of about 25 to that again in a dozen round trips
    // of 60 ms: about one event in a second, more at the beginning.
    for events in [drops.dropped, marks.marked] {
        assert!((30..=200).contains(&events), "{events}");
    }
    // A window that goes from what fills the path down to half of that and back is three quarters of
    // it in the mean, and more with what waits in the queue.
    for bits in [dropping, marking] {
        assert!((3.75e6..=5.01e6).contains(&bits), "{bits} bit/s");
    }
}

#[test]
fn a_transfer_survives_an_outage() {
    // For 3 s nothing is carried. Its timeouts of 1, 2 and 4 s (RFC 6298) after the last segment
    // go on after 7 s at the latest, and soon all of the rate is used again.
    on_a_line(at_rate(5_000_000, 50_000), |mut line| {
        let flow = line.flow(0, 60, tcp(40));
        line.goodput([flow], 0, 10);
        let alice = line.alice;
        let outage = |line: &Line, out| line.world.network(|it| it.set_outage(alice, out));
        outage(&line, true);
        let [meanwhile] = line.goodput([flow], 10, 13);
        assert_eq!(meanwhile, 0.0);
        outage(&line, false);
        let [after] = line.goodput([flow], 18, 60);
        assert!((4.7e6..=5.01e6).contains(&after), "{after} bit/s");
        line.world.run_until(Time::from_millis(70_000));
        let CrossCounters {
            sent,
            delivered,
            dropped,
            ..
        } = line.counters(flow);
        assert_eq!(sent, delivered + dropped);
    });
}
