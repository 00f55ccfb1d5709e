//! Calls whose media is replayed, against the same calls with everything encoded and decoded.

use std::time::Duration;

use reports::distribution::Distribution;
use reports::record::{CellRecord, Kind, StreamRecord};
use scenarios::{CostProfile, Fidelity, Plan, Topology};
use sim::LossConfig;

use crate::support::{call, cell, of_kind, record};

/// A call of three that is measured for long enough that the bits of both fidelities settle: rate
/// control is free by some percent in half a second.
fn three(topology: Topology, costs: Option<CostProfile>) -> Plan {
    Plan {
        topology,
        costs,
        duration: Duration::from_secs(4),
        ..call(&["none", "port-restricted", "symmetric"])
    }
}

/// The call with real codecs, and the same call with recordings.
fn both(plan: &Plan) -> [CellRecord; 2] {
    [Fidelity::Codec, Fidelity::Trace].map(|fidelity| {
        let plan = Plan {
            fidelity,
            ..plan.clone()
        };
        record(&plan)
    })
}

/// Within 5 ms or 10 %, whichever is more.
fn assert_close_latency(what: &str, codec: &Distribution, trace: &Distribution) {
    for q in [0.5, 0.95] {
        let of = |distribution: &Distribution| distribution.quantile(q).expect("media") / 1e3;
        let (codec, trace) = (of(codec), of(trace));
        let slack = (0.1 * codec).max(5.0);
        assert!(
            (trace - codec).abs() <= slack,
            "{what}, {q}: {trace} ms, {codec} ms with codecs"
        );
    }
}

fn assert_close_streams(codec: &StreamRecord, trace: &StreamRecord) {
    let what = format!("{} to {}, {:?}", codec.sender, codec.receiver, codec.kind);
    assert_eq!(
        (&trace.sender, &trace.receiver),
        (&codec.sender, &codec.receiver)
    );
    assert_eq!(trace.frames_sent, codec.frames_sent, "{what}");
    assert_eq!(trace.frames_rendered, codec.frames_rendered, "{what}");
    assert_close_latency(&what, &codec.latency_us, &trace.latency_us);
    // What the parts add up to is the latency of every frame; that of sound is taken twice a
    // second.
    let sum: f64 = trace.latency_parts_ms.values().sum();
    let mean = trace.latency_us.mean().expect("media") / 1e3;
    let error = if codec.kind == Kind::Video {
        0.000_51
    } else {
        1.0
    };
    assert!(
        (sum - mean).abs() <= error,
        "{what}: {sum} is not {mean} ms"
    );
    assert!(
        trace
            .latency_parts_ms
            .keys()
            .eq(codec.latency_parts_ms.keys())
    );
    assert_eq!((trace.psnr_db_mean, trace.ssim_mean), (None, None));
    assert_eq!(codec.psnr_db_mean.is_some(), codec.kind == Kind::Video);
}

fn assert_agree(plan: &Plan) {
    let [codec, trace] = both(plan);
    assert_eq!(
        (codec.fidelity.as_str(), trace.fidelity.as_str()),
        ("codec", "trace")
    );
    for (codec, trace) in codec.hosts.iter().zip(&trace.hosts) {
        let name = &codec.name;
        assert_eq!(trace.codecs, codec.codecs, "{name}");
        if codec.window_up.rtp_packets == 0 {
            continue;
        }
        let traffic = [
            (codec.window_up.bytes, trace.window_up.bytes),
            (codec.window_down.bytes, trace.window_down.bytes),
        ];
        for (codec, trace) in traffic {
            let share = trace as f64 / codec as f64;
            assert!((0.98..=1.02).contains(&share), "{name}: {share}");
        }
        for (work, cores) in &codec.cpu_cores_by_work {
            // A frame at an edge of the window is 1 % of a second; packets come with the bytes.
            let share = trace.cpu_cores_by_work[work] / cores;
            assert!((0.97..=1.03).contains(&share), "{name}, {work}: {share}");
        }
    }
    assert_eq!(trace.streams.len(), codec.streams.len());
    for (codec, trace) in codec.streams.iter().zip(&trace.streams) {
        assert_close_streams(codec, trace);
    }
    assert_eq!(trace.warnings, Vec::<String>::new());
}

#[test]
fn a_mesh_replays_what_codecs_would_do() {
    assert_agree(&three(Topology::Mesh, None));
}

#[test]
fn a_mesh_on_modelled_cpus_replays_what_codecs_would_do() {
    assert_agree(&three(Topology::Mesh, Some(CostProfile::reference())));
}

#[test]
fn an_sfu_replays_what_codecs_would_do() {
    assert_agree(&three(Topology::Sfu, None));
}

#[test]
fn an_sfu_on_modelled_cpus_replays_what_codecs_would_do() {
    assert_agree(&three(Topology::Sfu, Some(CostProfile::reference())));
}

/// Something that a stream counts.
type Count = fn(&StreamRecord) -> u64;

/// Without time for repairs, a loss breaks a stream up to a keyframe, with and without a decoder
/// that notices. That takes a request and an answer, 200 ms, and the wait for the next picture: more
/// than the 33 + 150 ms that make a freeze.
fn assert_agree_under_loss(topology: Topology) {
    let mut plan = Plan {
        warmup: Duration::from_secs(6),
        duration: Duration::from_secs(10),
        ..three(topology, None)
    };
    plan.video.as_mut().expect("on").playout_delay = Duration::ZERO;
    for participant in &mut plan.participants {
        let link = &mut participant.link;
        link.down.loss = LossConfig::Bernoulli { probability: 0.02 };
        (link.up.delay, link.down.delay) = (Duration::from_millis(50), Duration::from_millis(50));
    }
    let [codec, trace] = both(&plan);
    let sum =
        |record: &CellRecord, of: Count| -> u64 { of_kind(record, Kind::Video).map(of).sum() };
    let figures: [(&str, Count, f64); 4] = [
        ("plis", |stream| stream.plis, 0.2),
        ("keyframes", |stream| stream.keyframes, 0.2),
        ("rendered", |stream| stream.frames_rendered, 0.1),
        ("freezes", |stream| stream.freezes, 0.5),
    ];
    for (name, of, slack) in figures {
        let (codec, trace) = (sum(&codec, of), sum(&trace, of));
        assert!(codec >= 10, "{name}: {codec}, too few to compare");
        let share = trace as f64 / codec as f64;
        assert!(
            (1.0 - slack..=1.0 + slack).contains(&share),
            "{name}: {trace}, {codec} with codecs"
        );
    }
}

#[test]
fn losses_break_a_replayed_mesh_as_they_break_a_real_one() {
    assert_agree_under_loss(Topology::Mesh);
}

#[test]
fn losses_break_a_replayed_sfu_call_as_they_break_a_real_one() {
    assert_agree_under_loss(Topology::Sfu);
}

#[test]
fn a_replayed_call_replays_to_the_byte() {
    let plan = Plan {
        fidelity: Fidelity::Trace,
        ..three(Topology::Sfu, Some(CostProfile::reference()))
    };
    let first = cell(&plan, true);
    let second = cell(&plan, true);
    assert_eq!(first.record, second.record);
    assert!(first.pcap == second.pcap, "captures differ");
}
