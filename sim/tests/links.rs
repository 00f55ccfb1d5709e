//! Links against closed forms and an independent model.

use std::time::Duration;

use proptest::prelude::*;
use rand::RngExt;
use sim::{
    JitterConfig, LinkDrop, LossConfig, Pipe, PipeConfig, PipeStreams, Queue, Reorder, Seed, Time,
    Verdict, link_preset,
};

fn pipe(config: PipeConfig, seed: u64) -> Pipe {
    Pipe::new(config, PipeStreams::new(Seed(seed), "link/0/up")).expect("valid")
}

fn at_rate(rate_bps: u64) -> PipeConfig {
    PipeConfig {
        rate_bps: Some(rate_bps),
        ..PipeConfig::default()
    }
}

fn delivery(verdict: Verdict) -> Time {
    match verdict {
        Verdict::Deliver { at } => at,
        verdict => panic!("not delivered: {verdict:?}"),
    }
}

#[test]
fn the_kth_packet_of_a_burst_waits_for_those_before_it() {
    // L = 1,200 bytes at r = 2 Mbit/s take L/r = 4.8 ms, so the k-th of a burst at t = 3 ms is
    // there at t + k L/r + delay, and k packets are still queued just after it was offered.
    let delay = Duration::from_millis(20);
    let mut pipe = pipe(
        PipeConfig {
            delay,
            ..at_rate(2_000_000)
        },
        1,
    );
    let now = Time::from_millis(3);
    for k in 1..=100 {
        let expected = now + Duration::from_micros(4_800 * k) + delay;
        assert_eq!(delivery(pipe.offer(now, 1_200)), expected);
        assert_eq!(pipe.queued_bytes(now), 1_200 * k);
    }
}

#[test]
fn drop_tail_drops_exactly_what_would_not_fit() {
    // 10,000 bytes hold eight packets of 1,200 (9,600) and one of 400, not of 401. After the first
    // has been sent (4.8 ms at 2 Mbit/s) there is room for exactly 1,200 again.
    let mut pipe = pipe(
        PipeConfig {
            buffer_bytes: Some(10_000),
            ..at_rate(2_000_000)
        },
        1,
    );
    let full = Verdict::Drop(LinkDrop::BufferFull);
    let verdicts: Vec<Verdict> = (0..10).map(|_| pipe.offer(Time::ZERO, 1_200)).collect();
    assert!(verdicts[..8].iter().all(|verdict| *verdict != full));
    assert!(verdicts[8..].iter().all(|verdict| *verdict == full));
    assert_eq!(pipe.offer(Time::ZERO, 401), full);
    assert_ne!(pipe.offer(Time::ZERO, 400), full);
    assert_eq!(pipe.offer(Time::from_nanos(4_799_999), 1), full);
    assert_eq!(pipe.offer(Time::from_nanos(4_800_000), 1_201), full);
    assert_ne!(pipe.offer(Time::from_nanos(4_800_000), 1_200), full);
}

#[test]
fn waiting_is_that_of_an_m_d_1_queue() {
    // Pollaczek and Khinchine: with Poisson arrivals and a service time D that is constant, the
    // mean wait at load rho is rho D / (2 (1 - rho)). 1,250 bytes at 10 Mbit/s are D = 1 ms.
    // Waits are correlated, so the standard error comes from 100 batches of 20,000 packets, far
    // longer than the relaxation time (some 1 / (1 - rho)^2 = 25 packets at rho = 0.8). It must be
    // below 1 % of the wait for the test to mean something; five of them both ways.
    for (rho, expected_ms) in [(0.5, 0.5), (0.8, 2.0)] {
        let batches: Vec<f64> = m_d_1_waits(rho, 2_000_000)
            .chunks(20_000)
            .map(|batch| batch.iter().sum::<f64>() / batch.len() as f64)
            .collect();
        let count = batches.len() as f64;
        let mean = batches.iter().sum::<f64>() / count;
        let variance = batches.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let error = (variance / count).sqrt();
        assert!(
            error < 0.01 * expected_ms,
            "standard error {error} ms at {rho}"
        );
        assert!(
            (mean - expected_ms).abs() < 5.0 * error,
            "{mean} ms is not {expected_ms} +- 5 x {error} ms at {rho}"
        );
    }
}

/// Milliseconds that each of `count` packets waits for a transmitter with a service time of 1 ms.
fn m_d_1_waits(rho: f64, count: usize) -> Vec<f64> {
    let mut pipe = pipe(at_rate(10_000_000), 1);
    let mut arrivals = Seed(1).stream("arrivals");
    let mut now = 0.0_f64;
    (0..count)
        .map(|_| {
            now += -(1.0 - arrivals.random::<f64>()).ln() * 1e6 / rho;
            let at = Time::from_nanos(now as u64);
            let wait = delivery(pipe.offer(at, 1_250)) - at - Duration::from_millis(1);
            wait.as_secs_f64() * 1e3
        })
        .collect()
}

#[test]
fn only_a_policy_that_allows_it_reorders() {
    // Packets 0.1 ms apart with 5 ms of jitter: just under half arrive before the one before, as
    // P(X' < X - 0.1 ms) is 1/2 less at most 0.02 times the density at 0, 0.56 for X - X'.
    let overtakes = |reorder| {
        let std = Duration::from_millis(5);
        let mut pipe = pipe(
            PipeConfig {
                jitter: JitterConfig { std, reorder },
                ..PipeConfig::default()
            },
            1,
        );
        let arrivals: Vec<Time> = (0..10_000)
            .map(|i| delivery(pipe.offer(Time::from_nanos(i * 100_000), 1_200)))
            .collect();
        arrivals.windows(2).filter(|pair| pair[1] < pair[0]).count()
    };
    assert_eq!(overtakes(Reorder::Preserve), 0);
    let allowed = overtakes(Reorder::Allow);
    assert!((4_700..5_100).contains(&allowed), "{allowed}");
}

#[test]
fn the_streams_of_the_stages_are_independent() {
    // Loss that never strikes draws from its own stream: the jitter of every packet is the same.
    let arrivals = |loss| {
        let jitter = JitterConfig {
            std: Duration::from_millis(1),
            reorder: Reorder::Allow,
        };
        let mut pipe = pipe(
            PipeConfig {
                jitter,
                loss,
                ..PipeConfig::default()
            },
            7,
        );
        (0..1_000)
            .map(|i| delivery(pipe.offer(Time::from_millis(i), 1_200)))
            .collect::<Vec<_>>()
    };
    let never = LossConfig::Bernoulli { probability: 0.0 };
    assert_eq!(arrivals(LossConfig::None), arrivals(never));
}

#[test]
fn home_lines_carry_a_mesh_of_four_and_dsl_does_not() {
    // Three uplinks of 800 kbit/s at 30 frames/s are 3,333 bytes a frame: three packets of 1,111
    // and 50 bytes of RTP, SRTP, UDP and IP. With three 20 ms audio streams of 80 + 50 bytes that
    // is 2.66 Mbit/s. In 10 s ADSL2+ accepts 1.4 of them and 300 ms of buffer, 14.4 of 26.6 Mbit:
    // it drops 46 %.
    for name in ["fiber", "cable", "lte", "5g", "wifi", "satellite"] {
        assert_eq!(dropped_share(name), 0.0, "{name}");
    }
    let dsl = dropped_share("dsl");
    assert!((0.45..0.47).contains(&dsl), "{dsl}");
}

/// The share of the bytes of that call that the uplink's buffer has no room for.
fn dropped_share(name: &str) -> f64 {
    let mut up = pipe(link_preset(name).expect(name).up, 1);
    let video = (0..300).map(|frame| (frame * 33_333_333, 9, 1_161));
    let audio = (0..500).map(|frame| (frame * 20_000_000, 3, 130));
    let mut bursts: Vec<(u64, usize, u32)> = video.chain(audio).collect();
    bursts.sort_unstable();
    let (mut offered, mut dropped) = (0, 0);
    for (now, count, bytes) in bursts {
        for _ in 0..count {
            offered += bytes;
            if up.offer(Time::from_nanos(now), bytes) == Verdict::Drop(LinkDrop::BufferFull) {
                dropped += bytes;
            }
        }
    }
    f64::from(dropped) / f64::from(offered)
}

/// Times in nanoseconds and sizes of packets, in order, from back to back to far apart.
fn packets() -> impl Strategy<Value = Vec<(u64, u32)>> {
    let gap = prop_oneof![Just(0), 0..200_000u64, 0..50_000_000u64];
    prop::collection::vec((gap, 28..=1_500u32), 1..300).prop_map(|gaps| {
        let at = |now: &mut u64, (gap, bytes)| {
            *now += gap;
            Some((*now, bytes))
        };
        gaps.into_iter().scan(0, at).collect()
    })
}

fn losses() -> impl Strategy<Value = LossConfig> {
    let p = 0.0..=1.0f64;
    prop_oneof![
        Just(LossConfig::None),
        p.clone()
            .prop_map(|probability| LossConfig::Bernoulli { probability }),
        (p.clone(), p.clone(), p.clone(), p).prop_map(|(a, b, c, d)| LossConfig::GilbertElliott {
            good_to_bad: a,
            bad_to_good: b,
            loss_good: c,
            loss_bad: d,
        }),
    ]
}

prop_compose! {
    fn configs()(
        rate_bps in prop::option::of(1_000..1_000_000_000u64),
        buffer in prop::option::of(1_500..20_000u64),
        delay in 0..100_000_000u64,
        std in prop_oneof![Just(0), 0..20_000_000u64],
        allow in any::<bool>(),
        loss in losses(),
    ) -> PipeConfig {
        PipeConfig {
            rate_bps,
            buffer_bytes: rate_bps.and(buffer),
            queue: Queue::DropTail,
            delay: Duration::from_nanos(delay),
            jitter: JitterConfig {
                std: Duration::from_nanos(std),
                reorder: if allow { Reorder::Allow } else { Reorder::Preserve },
            },
            loss,
        }
    }
}

/// The buffer and the transmitter once more, from their definition: times are exact multiples of
/// `1 / rate` ns, and occupancy is summed over all packets that were ever accepted.
struct Model {
    rate: u128,
    limit: u64,
    accepted: Vec<(u128, u32)>,
}

impl Model {
    fn occupied(&self, now: u64) -> u64 {
        let now = u128::from(now) * self.rate;
        let inside = self.accepted.iter().filter(|(end, _)| *end > now);
        inside.map(|(_, bytes)| u64::from(*bytes)).sum()
    }

    fn offer(&mut self, now: u64, bytes: u32) -> Option<u64> {
        if self.occupied(now) + u64::from(bytes) > self.limit {
            return None;
        }
        let free = self.accepted.last().map_or(0, |(end, _)| *end);
        let end = free.max(u128::from(now) * self.rate) + u128::from(bytes) * 8_000_000_000;
        self.accepted.push((end, bytes));
        Some(end.div_ceil(self.rate) as u64)
    }
}

/// How long `bytes` take on a pipe, rounded up to the nanosecond.
fn serialisation(config: &PipeConfig, bytes: u64) -> Duration {
    Duration::from_nanos(match config.rate_bps {
        Some(rate) => (u128::from(bytes) * 8_000_000_000).div_ceil(u128::from(rate)) as u64,
        None => 0,
    })
}

proptest! {
    #[test]
    fn rate_and_buffer_match_their_definition(
        rate in 1_000..1_000_000_000u64,
        limit in 1_500..20_000u64,
        packets in packets(),
    ) {
        let mut pipe = pipe(
            PipeConfig {
                buffer_bytes: Some(limit),
                ..at_rate(rate)
            },
            1,
        );
        let mut model = Model {
            rate: u128::from(rate),
            limit,
            accepted: Vec::new(),
        };
        for (now, bytes) in packets {
            let expected = match model.offer(now, bytes) {
                Some(at) => Verdict::Deliver { at: Time::from_nanos(at) },
                None => Verdict::Drop(LinkDrop::BufferFull),
            };
            let at = Time::from_nanos(now);
            prop_assert_eq!(pipe.offer(at, bytes), expected);
            prop_assert_eq!(pipe.queued_bytes(at), model.occupied(now));
        }
    }

    /// Conservation: what is offered is refused for want of room, or queued in full until it has
    /// been sent, lost afterwards or not; and the queue never passes its limit.
    #[test]
    fn every_byte_is_accounted_for(
        config in configs(),
        packets in packets(),
        seed in any::<u64>(),
    ) {
        let mut pipe = pipe(config, seed);
        let limit = config.buffer_bytes.unwrap_or(u64::MAX);
        for (now, bytes) in packets {
            let (now, size) = (Time::from_nanos(now), u64::from(bytes));
            let before = pipe.queued_bytes(now);
            let refused = pipe.offer(now, bytes) == Verdict::Drop(LinkDrop::BufferFull);
            prop_assert_eq!(refused, before + size > limit);
            let queued = if refused || config.rate_bps.is_none() { 0 } else { size };
            prop_assert_eq!(pipe.queued_bytes(now), before + queued);
            prop_assert!(before + queued <= limit);
        }
    }

    #[test]
    fn no_packet_is_early_and_none_later_than_the_queue_and_jitter_explain(
        config in configs(),
        packets in packets(),
        seed in any::<u64>(),
    ) {
        let mut pipe = pipe(config, seed);
        for (now, bytes) in packets {
            let now = Time::from_nanos(now);
            let queue = pipe.queued_bytes(now) + u64::from(bytes);
            if let Verdict::Deliver { at } = pipe.offer(now, bytes) {
                let earliest = now + serialisation(&config, bytes.into()) + config.delay;
                prop_assert!(at >= earliest, "{} is before {}", at, earliest);
                // Preserved order adds the jitter of packets before, so that has no such bound.
                if config.jitter.reorder == Reorder::Allow {
                    let jitter = 4 * config.jitter.std;
                    let latest = now + serialisation(&config, queue) + config.delay + jitter;
                    prop_assert!(at <= latest, "{} is after {}", at, latest);
                }
            }
        }
    }

    #[test]
    fn preserved_order_survives_every_change(
        configs in prop::collection::vec(configs(), 1..4),
        packets in packets(),
        seed in any::<u64>(),
    ) {
        let preserve = |mut config: PipeConfig| {
            config.jitter.reorder = Reorder::Preserve;
            config
        };
        let mut pipe = pipe(preserve(configs[0]), seed);
        let mut latest = Time::ZERO;
        let share = packets.len().div_ceil(configs.len());
        for (config, packets) in configs.iter().zip(packets.chunks(share)) {
            pipe.reconfigure(preserve(*config)).expect("valid");
            for &(now, bytes) in packets {
                if let Verdict::Deliver { at } = pipe.offer(Time::from_nanos(now), bytes) {
                    prop_assert!(at >= latest);
                    latest = at;
                }
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_verdicts(
        config in configs(),
        packets in packets(),
        seed in any::<u64>(),
    ) {
        let run = || {
            let mut pipe = pipe(config, seed);
            let offer = |&(now, bytes): &(u64, u32)| pipe.offer(Time::from_nanos(now), bytes);
            packets.iter().map(offer).collect::<Vec<_>>()
        };
        prop_assert_eq!(run(), run());
    }
}
