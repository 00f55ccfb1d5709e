use super::*;
use crate::fixture::{cell, run};
use crate::record::{CellRecord, Kind};

fn limit(metric: &str, min: Option<f64>, max: Option<f64>) -> Limit {
    Limit {
        metric: metric.to_owned(),
        min,
        max,
        topologies: None,
        participants: None,
        group: None,
    }
}

fn judged(cells: Vec<CellRecord>, limit: Limit) -> Verdict {
    let mut run = run(cells);
    run.limits = vec![limit];
    let mut verdicts = judge(&run).unwrap();
    assert_eq!(verdicts.len(), 1);
    verdicts.remove(0)
}

#[test]
fn a_bound_itself_is_within() {
    // The fixture's video: p95 is 15 ms, 17 pictures a second.
    for (max, outcome, margin) in [
        (16.0, Outcome::Pass, 1.0),
        (15.0, Outcome::Pass, 0.0),
        (12.0, Outcome::Fail, -3.0),
    ] {
        let verdict = judged(vec![cell()], limit("video_latency_ms_p95", None, Some(max)));
        assert_eq!((verdict.outcome, verdict.margin), (outcome, Some(margin)));
        assert_eq!(verdict.margin_ratio, Some(margin / max));
    }
    let verdict = judged(vec![cell()], limit("fps_mean", Some(20.0), Some(30.0)));
    assert_eq!(
        (verdict.outcome, verdict.margin),
        (Outcome::Fail, Some(-3.0))
    );
    // Of two bounds the nearer counts: 17 is 2 above 15 and 3 below 20.
    let verdict = judged(vec![cell()], limit("fps_mean", Some(15.0), Some(20.0)));
    assert_eq!(
        (verdict.outcome, verdict.margin),
        (Outcome::Pass, Some(2.0))
    );
}

#[test]
fn a_limit_of_a_topology_is_one_of_its_variants_too() {
    let mut of_sfu = limit("fps_mean", Some(15.0), None);
    of_sfu.topologies = Some(vec!["sfu".to_owned()]);
    for (cell, covered) in [
        ("sfu", true),
        ("sfu one-layer", true),
        ("mesh", false),
        ("mesh one-layer", false),
    ] {
        assert_eq!(of_sfu.covers(cell, 3), covered, "{cell}");
    }
}

#[test]
fn what_a_call_cannot_have_is_not_judged_and_what_it_lacks_fails() {
    let outcome = |cells, metric| judged(cells, limit(metric, None, Some(0.0))).outcome;
    // A mesh has no server, and the CPU of the TURN server is free.
    assert_eq!(
        outcome(vec![cell()], "server_in_kbps"),
        Outcome::NotApplicable
    );
    assert_eq!(
        outcome(vec![cell()], "turn_cpu_cores"),
        Outcome::NotApplicable
    );
    // Without streams of sound there is no latency of it; with one that never played it is missing.
    let mut silent = cell();
    silent.streams.retain(|stream| stream.kind == Kind::Video);
    assert_eq!(
        outcome(vec![silent], "audio_latency_ms_p95"),
        Outcome::NotApplicable
    );
    let mut mute = cell();
    let audio = mute
        .streams
        .iter_mut()
        .filter(|stream| stream.kind == Kind::Audio);
    audio.for_each(|stream| stream.latency_us = Default::default());
    assert_eq!(
        outcome(vec![mute], "audio_latency_ms_p95"),
        Outcome::Missing
    );
    // In calls of recorded frames nothing is decoded.
    let mut trace = cell();
    trace.fidelity = "trace".to_owned();
    assert_eq!(outcome(vec![trace], "psnr_db_mean"), Outcome::NotApplicable);
}

#[test]
fn a_group_is_judged_by_what_its_members_get() {
    let mut away = cell();
    away.hosts[2].group = Some("away".to_owned());
    let of = |metric, group: &str| {
        let limit = Limit {
            group: Some(group.to_owned()),
            ..limit(metric, Some(0.0), None)
        };
        judged(vec![away.clone()], limit)
            .estimate
            .map(|estimate| estimate.value)
    };
    // c receives a (12 ms, 27 /s) and nothing of b, and sends nothing at all.
    assert_eq!(of("video_latency_ms_p95", "away"), Some(12.0));
    assert_eq!(of("fps_mean", "away"), Some(13.5));
    assert_eq!(of("client_up_kbps_mean", "away"), Some(0.0));
    // a and b have 1,000 and 2,000 kbps.
    assert_eq!(of("client_up_kbps_mean", "home"), Some(1_500.0));
    assert_eq!(of("fps_mean", "nobody"), None);
}

#[test]
fn percentiles_of_several_seeds_are_those_of_all_samples() {
    // Seed 8 has the sound of seed 7, and 60 more probes of 9 ms: of 100 probes 36 take 5 ms, 4
    // take 7 and 60 take 9, so the median is 9. The mean of the two medians, 5 and 9, would be 7.
    let mut other = CellRecord { seed: 8, ..cell() };
    let audio = other
        .streams
        .iter_mut()
        .find(|stream| stream.kind == Kind::Audio);
    let late = std::iter::repeat_n(9_000, 60).collect();
    audio.unwrap().latency_us.merge(&late);
    let verdict = judged(
        vec![cell(), other],
        limit("audio_latency_ms_p50", None, Some(20.0)),
    );
    let estimate = verdict.estimate.unwrap();
    assert_eq!((estimate.value, estimate.seeds), (9.0, 2));
    // 5 and 9 have the variance 8; t for 1 degree of freedom is 12.71: 12.71 sqrt(8 / 2) = 25.4.
    let half = estimate.high.unwrap() - 9.0;
    assert!((half - 25.41).abs() < 0.01, "{half}");
    assert_eq!(
        (verdict.outcome, verdict.sure),
        (Outcome::Pass, Some(false))
    );
}

#[test]
fn limits_hold_where_they_say_and_unknown_ones_are_refused() {
    let mut run = run(vec![cell()]);
    let elsewhere = |topology: Option<&str>, participants| Limit {
        topologies: topology.map(|name| vec![name.to_owned()]),
        participants,
        ..limit("freezes", None, Some(5.0))
    };
    run.limits = vec![
        elsewhere(Some("sfu"), None),
        elsewhere(None, Some(vec![4])),
        elsewhere(Some("mesh"), Some(vec![2, 3])),
    ];
    assert_eq!(judge(&run).unwrap().len(), 1);
    run.limits = vec![limit("smell", None, Some(1.0))];
    assert_eq!(judge(&run).unwrap_err().metric, "smell");
}
