use super::*;
use crate::fixture::{self, Noise, cell, connection};
use crate::record::{CellRecord, Kind};

/// How calls vary from seed to seed, as a share of each figure, and what was changed in all of them.
#[derive(Clone, Copy)]
struct Making {
    noise: f64,
    latency: f64,
    bytes: f64,
    setup: f64,
}

/// Half a percent, about what rates and latencies of steady calls vary by.
const STEADY: Making = Making {
    noise: 0.005,
    latency: 1.0,
    bytes: 1.0,
    setup: 1.0,
};

fn call(seed: u64, making: Making) -> CellRecord {
    let mut noise = Noise(seed);
    let mut vary = |share: f64| 1.0 + share * noise.normal();
    let mut call = CellRecord { seed, ..cell() };
    for connection in &mut call.connections {
        let setup = connection.phases.setup_ms.as_mut();
        let factor = making.setup * vary(making.noise);
        setup.into_iter().for_each(|ms| *ms *= factor);
    }
    for stream in call
        .streams
        .iter_mut()
        .filter(|stream| stream.frames_rendered > 0)
    {
        let base = if stream.kind == Kind::Video {
            140_000.0
        } else {
            110_000.0
        };
        let base = base * making.latency * vary(making.noise);
        stream.latency_us = (0..200_u32)
            .map(|n| (base * (1.0 + f64::from(n) * 0.001)) as u64)
            .collect();
    }
    for host in &mut call.hosts {
        let factor = making.bytes * vary(making.noise);
        for traffic in [&mut host.window_up, &mut host.window_down] {
            traffic.bytes = (traffic.bytes as f64 * factor) as u64;
        }
    }
    call
}

/// A run with these seeds.
fn run(seeds: impl IntoIterator<Item = u64>, making: Making) -> Run {
    let cells: Vec<_> = seeds.into_iter().map(|seed| call(seed, making)).collect();
    let seeds = cells.iter().map(|cell| cell.seed).collect();
    let mut run = fixture::run(cells);
    run.program = Some("rtclab 0.1.0".to_owned());
    run.grid.seeds = seeds;
    run
}

fn compared(baseline: &Run, current: &Run) -> Comparison {
    compare(baseline, current).unwrap()
}

fn worse(comparison: &Comparison) -> Vec<&str> {
    comparison
        .all(Direction::Worse)
        .map(|change| change.metric)
        .collect()
}

#[test]
fn a_run_is_as_good_as_itself() {
    let run = run(1..=3, STEADY);
    let comparison = compared(&run, &run);
    assert!(comparison.is_good() && comparison.same_seeds);
    assert!(
        comparison
            .changes
            .iter()
            .all(|change| change.direction == Direction::Same)
    );
    // A mesh with pictures and sound: all but the server's four, the TURN server's CPU, and the
    // money, which follows from that.
    assert_eq!(comparison.changes.len(), METRICS.len() - 6);
}

/// Whether the change is caught with the same seeds and with others.
fn caught(making: Making, metrics: &[&str]) {
    let baseline = run(1..=5, STEADY);
    for seeds in [1..=5, 6..=10] {
        let comparison = compared(&baseline, &run(seeds, making));
        assert_eq!(worse(&comparison), metrics);
        assert!(!comparison.is_good());
        // The other way round it is better, and good.
        let back = compared(&run(1..=5, making), &run(6..=10, STEADY));
        assert_eq!(back.all(Direction::Better).count(), metrics.len());
        assert!(back.is_good());
    }
}

#[test]
fn latency_of_ten_percent_more_is_caught() {
    let latencies = [
        "video_latency_ms_p50",
        "video_latency_ms_p95",
        "video_latency_ms_p99",
        "audio_latency_ms_p50",
        "audio_latency_ms_p95",
    ];
    caught(
        Making {
            latency: 1.1,
            ..STEADY
        },
        &latencies,
    );
}

#[test]
fn bandwidth_of_five_percent_more_is_caught() {
    let rates = [
        "client_up_kbps_mean",
        "client_down_kbps_mean",
        "turn_in_kbps",
        "turn_out_kbps",
        "client_up_use_max",
    ];
    caught(
        Making {
            bytes: 1.05,
            ..STEADY
        },
        &rates,
    );
}

#[test]
fn a_slower_set_up_is_caught() {
    caught(
        Making {
            setup: 1.1,
            ..STEADY
        },
        &["setup_ms_p50", "setup_ms_p95"],
    );
}

/// What a baseline of five seeds says of a change of the call with seed 3.
fn edited(edit: impl Fn(&mut CellRecord)) -> Comparison {
    let baseline = run(1..=5, STEADY);
    let mut current = baseline.clone();
    edit(&mut current.cells[2]);
    compared(&baseline, &current)
}

#[test]
fn one_freeze_in_one_call_is_caught() {
    // c freezes twice for a in every call; now b does, too, in one of five: 2.2 instead of 2.
    let comparison = edited(|call| call.streams[1].freezes += 1);
    let freezes = comparison.all(Direction::Worse).next().unwrap();
    assert_eq!(worse(&comparison), ["freezes"]);
    assert!((freezes.difference.unwrap() - 0.2).abs() < 1e-9);
    assert_eq!(freezes.evidence, Evidence::SameSeeds);
}

#[test]
fn one_relayed_pair_more_in_one_call_is_caught() {
    let comparison = edited(|call| {
        call.connections[0] = connection("a", "b", Some(("relay", "relay", "host")), 400.0);
    });
    assert!(worse(&comparison).contains(&"relayed_pairs"));
    let loss = &comparison.losses[..];
    assert_eq!(loss.len(), 1);
    assert_eq!(
        (loss[0].kind, loss[0].name.as_str()),
        (LossKind::DirectPath, "a - b")
    );
    assert_eq!(loss[0].seeds, [3]);
}

#[test]
fn a_missing_stream_is_caught_silent_or_gone() {
    let silent = edited(|call| {
        call.streams[6].frames_rendered = 0;
        call.streams[6].latency_us = Default::default();
    });
    let gone = edited(|call| drop(call.streams.remove(1)));
    for (comparison, name) in [(&silent, "audio of a for b"), (&gone, "video of b for a")] {
        assert!(!comparison.is_good());
        let stream = |loss: &&Loss| loss.kind == LossKind::Stream && loss.name == name;
        assert_eq!(
            comparison.losses.iter().filter(stream).count(),
            1,
            "{:?}",
            comparison.losses
        );
    }
    assert_eq!(worse(&silent), ["missing_streams"]);
    // A call whose only sound is gone has no latency of it.
    let missing: Vec<_> = silent
        .all(Direction::Missing)
        .map(|change| change.metric)
        .collect();
    assert_eq!(missing, ["audio_latency_ms_p50", "audio_latency_ms_p95"]);
}

#[test]
fn a_pair_and_a_cell_that_are_lost_are_named() {
    let unconnected = edited(|call| call.connections[0] = connection("a", "b", None, 0.0));
    let kinds: Vec<_> = unconnected.losses.iter().map(|loss| loss.kind).collect();
    assert_eq!(kinds, [LossKind::Pair, LossKind::DirectPath]);
    let baseline = run(1..=3, STEADY);
    let mut current = baseline.clone();
    current.grid.participants = vec![4];
    current
        .cells
        .iter_mut()
        .for_each(|cell| cell.participants = 4);
    let comparison = compared(&baseline, &current);
    assert_eq!(comparison.losses.len(), 1);
    assert_eq!(comparison.losses[0].kind, LossKind::Cell);
    assert!(!comparison.is_good());
}

/// What differs in every call of the runs is told with other seeds as well.
#[test]
fn what_every_call_has_lost_is_named_with_other_seeds() {
    let mut current = run(6..=10, STEADY);
    for call in &mut current.cells {
        call.streams[0].frames_rendered = 0;
    }
    let comparison = compared(&run(1..=5, STEADY), &current);
    assert_eq!(comparison.losses.len(), 1);
    assert_eq!(comparison.losses[0].name, "video of a for b");
    // In one call of five only it may be the seed's doing.
    let mut current = run(6..=10, STEADY);
    current.cells[0].streams[0].frames_rendered = 0;
    assert!(compared(&run(1..=5, STEADY), &current).losses.is_empty());
}

/// Noise of 10 %, well above every tolerance.
const ROUGH: Making = Making {
    noise: 0.1,
    ..STEADY
};

/// 100 comparisons of five seeds with five others, as good as what differs: how many find anything.
fn alarms(making: Making, seeds: u64) -> usize {
    let found = |n: &u64| {
        let first = 1_000 * n;
        let baseline = run(first..first + seeds, ROUGH);
        let current = run(first + 500..first + 500 + seeds, making);
        let comparison = compared(&baseline, &current);
        let found = [Direction::Worse, Direction::Better]
            .into_iter()
            .any(|direction| comparison.all(direction).next().is_some());
        found || !comparison.losses.is_empty()
    };
    (1..=100).filter(found).count()
}

#[test]
fn runs_that_differ_in_their_seeds_alone_raise_no_more_alarms_than_stated() {
    // 5 of 100 are stated; a binomial with p = 0.05 exceeds 11 in 0.4 % of cases.
    let alarmed = alarms(ROUGH, 5);
    assert!(alarmed <= 11, "{alarmed} of 100");
    // It is the test that keeps quiet, and not the tolerance: with one seed there is no test, and
    // noise of 10 % in a dozen figures exceeds tolerances of 2 % and 5 % nearly always.
    let untested = alarms(ROUGH, 1);
    assert!(untested >= 95, "{untested} of 100");
}

/// With n seeds on each side and noise of 10 %, half more latency is 5 standard deviations of one
/// seed and, with 5 seeds, 5 / sqrt(2 / 5) = 7.9 of the difference's; t with 8 degrees of freedom
/// passes the first step of Holm's method with 26 figures (p < 0.0019) from 4.6 on.
#[test]
fn what_is_larger_than_noise_is_found_in_it() {
    let slow = Making {
        latency: 1.5,
        ..ROUGH
    };
    let found = alarms(slow, 5);
    assert!(found >= 95, "{found} of 100");
}

#[test]
fn runs_that_cannot_be_compared_are_refused_with_the_reason() {
    let baseline = run(1..=2, STEADY);
    let refused = |edit: &dyn Fn(&mut Run)| {
        let mut current = baseline.clone();
        edit(&mut current);
        compare(&baseline, &current).unwrap_err().to_string()
    };
    for (said, words) in [
        (
            refused(&|run| run.scenario.name = "duo".to_owned()),
            "two runs of one scenario",
        ),
        (
            refused(&|run| run.scenario.hash = "c0ffee".to_owned()),
            "make a new baseline",
        ),
        (
            refused(&|run| run.schema = 2),
            "schema 3 and these results have schema 2",
        ),
        (
            refused(&|run| run.program = Some("rtclab 9".to_owned())),
            "rtclab 0.1.0 and these results are of rtclab 9",
        ),
        (refused(&|run| run.cells.clear()), "no calls"),
        (
            refused(&|run| run.cells[0].cost_profile = None),
            "free CPUs",
        ),
    ] {
        assert!(said.contains(words), "{said}");
    }
    // Who does not say which version they are of cannot be known to be of the same.
    let mut old = baseline.clone();
    old.program = None;
    assert!(compare(&old, &old).is_err());
}

#[test]
fn groups_that_limits_name_are_compared_for_themselves() {
    let with_limit = |mut run: Run| {
        run.limits = vec![crate::Limit {
            metric: "fps_mean".to_owned(),
            min: Some(1.0),
            max: None,
            topologies: None,
            participants: None,
            group: Some("home".to_owned()),
        }];
        run
    };
    let (baseline, current) = (
        run(1..=5, STEADY),
        run(
            6..=10,
            Making {
                setup: 1.1,
                ..STEADY
            },
        ),
    );
    let comparison = compared(&with_limit(baseline), &with_limit(current));
    let of_group = |change: &&Change| change.group.is_some();
    let found = comparison.all(Direction::Worse).filter(of_group);
    assert_eq!(found.count(), 2);
    assert!(
        comparison
            .changes
            .iter()
            .filter(of_group)
            .all(|change| { Metric::named(change.metric).is_some_and(|metric| metric.of_groups) })
    );
}
