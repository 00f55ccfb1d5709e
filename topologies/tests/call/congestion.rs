//! Senders that adapt, behind lines that carry less than they would send.

use std::ops::Range;
use std::time::Duration;

use reports::record::{CellRecord, Kind, StreamRecord, TimelineRecord};
use scenarios::{
    CongestionControl, CongestionPlan, McuEncoders, Plan, QualityStep, Topology, VideoPlan,
};
use sim::{LinkConfig, PipeConfig};

use crate::support::{call, of_kind, record};

/// What the narrow direction of a line carries, bits per second.
const NARROW: u64 = 1_000_000;

/// 200 ms at that rate.
const BUFFER: u64 = 25_000;

const DELAY: Duration = Duration::from_millis(10);

fn pipe(rate_bps: u64) -> PipeConfig {
    PipeConfig {
        rate_bps: Some(rate_bps),
        buffer_bytes: Some(BUFFER * rate_bps / NARROW),
        delay: DELAY,
        ..PipeConfig::default()
    }
}

/// A call of so many who would send 1.5 Mbps each, with lines of these rates up and down, measured
/// from second 20 to `end`.
pub fn narrow(number: usize, topology: Topology, (up, down): (u64, u64), end: u64) -> Plan {
    let base = call(&vec!["none"; number]);
    let mut plan = Plan {
        topology,
        video: Some(VideoPlan {
            width: 320,
            height: 180,
            bitrate_bps: 1_500_000,
            playout_delay: Duration::from_millis(60),
            fps: 30,
        }),
        congestion: CongestionPlan {
            control: CongestionControl::Gcc,
            ..CongestionPlan::default()
        },
        warmup: Duration::from_secs(20),
        duration: Duration::from_secs(end - 20),
        ..base
    };
    for participant in &mut plan.participants {
        participant.link = LinkConfig {
            up: pipe(up),
            down: pipe(down),
        };
    }
    plan.mcu.width = 320;
    plan.mcu.height = 180;
    plan.mcu.bitrate_bps = 1_500_000;
    plan
}

/// What a line carried in each direction over some seconds, over 1000.
#[derive(Clone, Copy, Debug)]
struct Carried {
    up_kbps: f64,
    down_kbps: f64,
}

fn carried(record: &CellRecord, name: &str, seconds: Range<u32>) -> Carried {
    let rows = record.timeline.iter();
    let rows = rows.filter(|row| row.host == name && seconds.contains(&row.second));
    let rows: Vec<_> = rows.collect();
    let mean = |of: fn(&TimelineRecord) -> f64| {
        rows.iter().map(|row| of(row)).sum::<f64>() / rows.len() as f64
    };
    Carried {
        up_kbps: mean(|row| row.up_kbps),
        down_kbps: mean(|row| row.down_kbps),
    }
}

/// 60 to 100 % of a narrow line.
fn assert_filled(what: &str, kbps: f64, line_kbps: f64) {
    let share = kbps / line_kbps;
    assert!(
        (0.6..=1.0).contains(&share),
        "{what}: {kbps} kbps of {line_kbps}"
    );
}

/// The part of the latency in which a stream crosses a narrow line: twice 10 ms and serialising take
/// 20 to 40 ms of it, and the queue, which may hold 200 ms, less than half of that.
fn assert_no_standing_queue(stream: &StreamRecord, part: &str) {
    let ms = stream.latency_parts_ms[part];
    assert!(
        (20.0..120.0).contains(&ms),
        "{}: {part} {ms}",
        stream.sender
    );
}

/// Everybody would send 1.5 Mbps into a line of 1 Mbps.
#[test]
fn every_topology_fills_narrow_uplinks_without_filling_their_buffers() {
    for topology in [Topology::Mesh, Topology::Sfu, Topology::Mcu] {
        let record = record(&narrow(2, topology, (NARROW, 10 * NARROW), 28));
        let part = match topology {
            Topology::Mesh => "network",
            Topology::Sfu | Topology::Mcu => "uplink",
        };
        for name in ["p0", "p1"] {
            let up = carried(&record, name, 20..28).up_kbps;
            assert_filled(&format!("{name} in a {topology} call"), up, 1e3);
        }
        for stream in of_kind(&record, Kind::Video) {
            assert_no_standing_queue(stream, part);
            // 8 s at 30 frames a second, of which a receiver may have shown one late.
            assert!((235..=240).contains(&stream.frames_rendered), "{stream:?}");
            assert_eq!(stream.freezes, 0, "{topology}");
        }
    }
}

/// An SFU without layers sends everybody what the one with the least room can take: p0's line has
/// room for two pictures of less than half of it each, and p1 and p2 get no more from each other.
/// What p0 sends goes over wide lines only.
#[test]
fn an_sfu_holds_senders_to_the_receiver_with_the_least_room() {
    let mut plan = narrow(3, Topology::Sfu, (10 * NARROW, 10 * NARROW), 28);
    plan.participants[0].link.down = pipe(NARROW);
    let record = record(&plan);
    let down = carried(&record, "p0", 20..28).down_kbps;
    assert_filled("p0's line", down, 1e3);
    for stream in of_kind(&record, Kind::Video) {
        let kbps = stream.encoded_bytes as f64 * 8.0 / 8.0 / 1e3;
        let narrow = stream.receiver == "p0";
        match stream.sender == "p0" {
            true => assert!((1_000.0..1_600.0).contains(&kbps), "{kbps} from p0"),
            // The line carries two of them, and sound.
            false => assert!(
                (200.0..475.0).contains(&kbps),
                "{kbps} from {}",
                stream.sender
            ),
        }
        if narrow {
            assert_no_standing_queue(stream, "network");
        }
        assert_eq!(
            stream.freezes, 0,
            "{} to {}",
            stream.sender, stream.receiver
        );
    }
}

/// An MCU that makes one picture for all makes one that fits the narrowest line; one picture for each
/// is as good as the line of each.
#[test]
fn an_mcu_holds_an_encoder_to_the_narrowest_line_of_its_audience() {
    for (encoders, p1_kbps) in [
        (McuEncoders::Shared, 600.0..1_050.0),
        (McuEncoders::PerParticipant, 1_300.0..1_800.0),
    ] {
        let mut plan = narrow(2, Topology::Mcu, (10 * NARROW, 10 * NARROW), 26);
        plan.participants[0].link.down = pipe(NARROW);
        plan.mcu.encoders = encoders;
        let record = record(&plan);
        let down = |name| carried(&record, name, 20..26).down_kbps;
        assert_filled("p0's line", down("p0"), 1e3);
        assert!(
            p1_kbps.contains(&down("p1")),
            "{encoders:?}: {}",
            down("p1")
        );
    }
}

/// A mesh of three, in which p0's uplink is narrow.
fn narrow_among_three(end: u64) -> Plan {
    let mut plan = narrow(3, Topology::Mesh, (10 * NARROW, 10 * NARROW), end);
    plan.participants[0].link.up = pipe(NARROW);
    plan
}

/// When p2 joins, p0's two connections have half of its uplink each: a step down to half for the
/// first of them.
#[test]
fn connections_of_a_mesh_share_an_uplink_and_follow_a_step_down() {
    let mut plan = narrow_among_three(40);
    plan.participants[2].join = Duration::from_secs(20);
    plan.warmup = Duration::from_secs(18);
    plan.duration = Duration::from_secs(22);
    let record = record(&plan);
    for seconds in [12..20, 28..40] {
        let up = carried(&record, "p0", seconds.clone()).up_kbps;
        assert_filled(&format!("seconds {seconds:?}"), up, 1e3);
    }
    let from_p0 = |stream: &&StreamRecord| stream.sender == "p0";
    let mine: Vec<_> = of_kind(&record, Kind::Video).filter(from_p0).collect();
    let rates: Vec<f64> = mine.iter().map(|s| s.encoded_bytes as f64).collect();
    // Jain's index: 1 for equal shares, and 1/2 if one of two has it all. The first connection has
    // 2 s of the window for itself.
    let sum: f64 = rates.iter().sum();
    let squares: f64 = rates.iter().map(|rate| rate * rate).sum();
    let jain = sum * sum / (rates.len() as f64 * squares);
    assert!((0.85..=1.0).contains(&jain), "{rates:?}");
    for stream in mine {
        assert_no_standing_queue(stream, "network");
        // All freezes of it together, that of the step among them.
        assert!(stream.freeze_ms < 1_000.0, "{stream:?}");
    }
}

/// When p2 leaves, p0's other connection has twice of what it had: 5 s later it fills more than
/// 60 % of the line.
#[test]
fn a_connection_recovers_from_a_step_up_within_five_seconds() {
    let mut plan = narrow_among_three(32);
    plan.participants[2].leave = Some(Duration::from_secs(24));
    let record = record(&plan);
    let alone = carried(&record, "p0", 29..32).up_kbps;
    assert_filled("p0's line", alone, 1e3);
}

/// Beside sound, 93 % of what 200 kbps carry less headers are below 150 kbps: every other picture, of
/// a quarter of the pixels.
#[test]
fn below_given_rates_pictures_are_fewer_and_smaller() {
    let mut plan = narrow(2, Topology::Mesh, (200_000, 10 * NARROW), 26);
    let step = |below_bps, fps, (width, height)| QualityStep {
        below_bps,
        fps,
        width,
        height,
    };
    plan.congestion.steps = vec![step(250_000, 15, (320, 180)), step(150_000, 15, (160, 90))];
    let record = record(&plan);
    for stream in of_kind(&record, Kind::Video) {
        // 6 s at 15 frames a second, every one told by its marker.
        assert!((88..=92).contains(&stream.frames_rendered), "{stream:?}");
        assert_eq!(stream.freezes, 0);
        let psnr = stream
            .psnr_db_mean
            .expect("pictures are compared at their first size");
        assert!((20.0..45.0).contains(&psnr), "{psnr}");
    }
    for name in ["p0", "p1"] {
        let up = carried(&record, name, 20..26).up_kbps;
        assert_filled(name, up, 200.0);
    }
}

/// The estimator that the stack comes with, in the call that ours is tested in. It goes beyond what
/// the line carries until the buffer overflows, its loss half then falls to a fraction of the line
/// within a second, and what encoders made meanwhile waits in the pacer: longer than the buffer of
/// the line could ever make it wait.
#[test]
fn with_the_stacks_estimator_media_waits_in_the_pacer() {
    let mut plan = narrow(2, Topology::Mesh, (NARROW, 10 * NARROW), 34);
    plan.stack.trendline = false;
    let record = record(&plan);
    for stream in of_kind(&record, Kind::Video) {
        let waits = stream.latency_parts_ms["pacing"];
        assert!((200.0..10_000.0).contains(&waits), "{waits}");
    }
}
