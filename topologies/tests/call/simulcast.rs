//! Layers of a camera's picture, and receivers whose lines carry different ones.

use std::time::Duration;

use reports::record::{CellRecord, Kind, StreamRecord};
use scenarios::{CongestionControl, CongestionPlan, CostProfile, Plan, Topology, VideoPlan};
use sim::{LinkConfig, PipeConfig};

use crate::cpu::{device, nothing};
use crate::support::{call, host, of_kind, record};

/// A line of this rate with a buffer of 200 ms.
fn pipe(rate_bps: u64) -> PipeConfig {
    PipeConfig {
        rate_bps: Some(rate_bps),
        buffer_bytes: Some(rate_bps / 40),
        delay: Duration::from_millis(10),
        ..PipeConfig::default()
    }
}

/// A call of as many as there are downlinks, in bits per second, whose cameras are encoded in so
/// many layers. Uplinks are wide.
fn layered(downlinks: &[u64], layers: u32, video: VideoPlan) -> Plan {
    let mut plan = Plan {
        topology: Topology::Sfu,
        video: Some(video),
        congestion: CongestionPlan {
            control: CongestionControl::Gcc,
            ..CongestionPlan::default()
        },
        ..call(&vec!["none"; downlinks.len()])
    };
    plan.sfu.layers = layers;
    for (participant, down) in plan.participants.iter_mut().zip(downlinks) {
        participant.link = LinkConfig {
            up: pipe(20_000_000),
            down: pipe(*down),
        };
    }
    plan
}

fn video(width: u32, height: u32, bitrate_bps: u32) -> VideoPlan {
    VideoPlan {
        width,
        height,
        fps: 30,
        bitrate_bps,
        playout_delay: Duration::from_millis(100),
    }
}

/// p0 has fiber, p1 DSL and p2 a mobile network, measured from second 16 to 20. Layers have 100, 350
/// and 1,250 kbps, and sound takes 80 kbps of each downlink. Of the pictures of two others fiber
/// carries any, DSL two of 350 (700 kbps) and not one of 1,250 beside another one of 350, and the
/// mobile network two of 100 (200 kbps), but no 450 kbps.
fn three(layers: u32) -> CellRecord {
    let downlinks = [20_000_000, 1_200_000, 420_000];
    let plan = Plan {
        warmup: Duration::from_secs(16),
        duration: Duration::from_secs(4),
        ..layered(&downlinks, layers, video(640, 360, 1_700_000))
    };
    record(&plan)
}

/// From the fourth second on, in which the smallest layers have begun, through all switches and
/// trials: each receiver sees at least 27 pictures a second of both others, and of one second less
/// than half is frozen.
fn assert_smooth(record: &CellRecord) {
    let rows = record.timeline.iter();
    let rows = rows.filter(|row| row.second >= 3 && row.host.starts_with('p'));
    let mut seconds = 0;
    for row in rows {
        assert!((54..=66).contains(&row.frames_rendered), "{row:?}");
        let frozen_ms = row.frozen_ms.expect("there are pictures");
        assert!((0.0..=500.0).contains(&frozen_ms), "{row:?}");
        seconds += 1;
    }
    assert_eq!(seconds, 3 * 17, "from 3 to 20");
}

fn width(stream: &StreamRecord) -> f64 {
    stream.width_px_mean.expect("pictures are decoded")
}

fn between<'a>(record: &'a CellRecord, sender: &str, receiver: &str) -> &'a StreamRecord {
    let mut streams = of_kind(record, Kind::Video);
    let stream = streams.find(|s| s.sender == sender && s.receiver == receiver);
    stream.expect("one of the call")
}

fn kbps(stream: &StreamRecord, seconds: f64) -> f64 {
    stream.encoded_bytes as f64 * 8.0 / 1e3 / seconds
}

#[test]
fn each_receiver_gets_the_layers_that_its_line_carries() {
    let record = three(3);
    assert_eq!(record.warnings, Vec::<String>::new());
    for (sender, receiver, least, most) in [
        ("p1", "p0", 600.0, 640.0),
        ("p2", "p0", 600.0, 640.0),
        ("p0", "p1", 300.0, 380.0),
        ("p2", "p1", 300.0, 380.0),
        ("p0", "p2", 160.0, 190.0),
        ("p1", "p2", 160.0, 190.0),
    ] {
        let stream = between(&record, sender, receiver);
        let width = width(stream);
        assert!(
            (least..=most).contains(&width),
            "{sender} to {receiver}: {width}"
        );
        // Everybody begins with the smallest layer, and every switch takes a keyframe.
        let least = (width / 160.0).log2().round() as u64;
        assert!(stream.keyframes > least, "{}", stream.keyframes);
    }
    assert_smooth(&record);
    let fiber = between(&record, "p1", "p0");
    let kbps = kbps(fiber, 4.0);
    assert!((900.0..=1_300.0).contains(&kbps), "{kbps}");
}

/// With one size of a picture, p0 and p1 send at half of what the mobile network carries, less sound,
/// and p0 gets from p1 what p2 gets.
#[test]
fn without_layers_the_narrowest_line_drags_all_down() {
    let record = three(1);
    let dragged = between(&record, "p1", "p0");
    assert_eq!(width(dragged), 640.0);
    let kbps = kbps(dragged, 4.0);
    assert!((60.0..=170.0).contains(&kbps), "{kbps}");
}

/// Two layers of 320x180 and 160x90, of 500 and 140 kbps.
fn two(downlinks: &[u64]) -> Plan {
    Plan {
        warmup: Duration::from_secs(8),
        duration: Duration::from_secs(2),
        costs: Some(CostProfile {
            video_encode_pixel_ns: 10.0,
            ..nothing()
        }),
        ..layered(downlinks, 2, video(320, 180, 640_000))
    }
}

fn run_two(mut plan: Plan) -> CellRecord {
    for participant in &mut plan.participants {
        participant.device = device(4, 1.0);
    }
    record(&plan)
}

/// What encoding pictures of so many pixels takes, 30 a second at 10 ns a pixel, of a core.
fn cores(pixels: u32) -> f64 {
    f64::from(pixels) * 30.0 * 10e-9
}

fn assert_encodes(record: &CellRecord, name: &str, pixels: u32) {
    let encode = host(record, name).cpu_cores_by_work.get("encode");
    let (encode, expected) = (encode.copied().unwrap_or(0.0), cores(pixels));
    // Two seconds have sixty pictures.
    assert!(
        (encode - expected).abs() <= expected / 60.0,
        "{encode} {expected}"
    );
}

/// Downlinks of 420 kbps carry two pictures of 140 kbps (and 80 kbps of sound), but no 640 kbps.
#[test]
fn layers_that_nobody_wants_are_not_encoded() {
    let narrow = run_two(two(&[420_000; 3]));
    for stream in of_kind(&narrow, Kind::Video) {
        assert_eq!(width(stream), 160.0, "{stream:?}");
        let kbps = kbps(stream, 2.0);
        assert!((90.0..=150.0).contains(&kbps), "{kbps}");
    }
    // Where tiles are small, wide lines make no difference.
    let mut tiles = two(&[20_000_000; 3]);
    tiles.sfu.tile = Some((160, 90));
    let tiles = run_two(tiles);
    for record in [&narrow, &tiles] {
        for name in ["p0", "p1", "p2"] {
            assert_encodes(record, name, 160 * 90);
        }
    }
}

/// Of four, each sees those two who are first among the others, so nobody sees the fourth.
#[test]
fn of_who_is_not_among_the_last_n_no_layer_is_encoded() {
    let mut plan = two(&[20_000_000; 4]);
    plan.sfu.last_n = Some(2);
    let record = run_two(plan);
    let streams: Vec<_> = of_kind(&record, Kind::Video).collect();
    assert_eq!(streams.len(), 8);
    for stream in &streams {
        assert_eq!(width(stream), 320.0, "{stream:?}");
        assert_eq!(stream.frames_rendered, 60, "{stream:?}");
    }
    let is_seen = |name: &&str| streams.iter().any(|stream| stream.sender == *name);
    let (seen, unseen): (Vec<_>, Vec<_>) = ["p0", "p1", "p2", "p3"].into_iter().partition(is_seen);
    assert_eq!(unseen.len(), 1, "{seen:?}");
    for name in seen {
        assert_encodes(&record, name, 320 * 180);
    }
    assert_encodes(&record, unseen[0], 0);
}
