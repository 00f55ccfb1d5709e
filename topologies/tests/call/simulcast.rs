//! Layers of a camera's picture, and receivers whose lines carry different ones.

use std::time::Duration;

use reports::record::{Kind, StreamRecord};
use scenarios::{CongestionControl, CongestionPlan, Plan, Topology, VideoPlan};
use sim::{LinkConfig, PipeConfig};
use topologies::{CellOutput, RunOptions, run_with};

use crate::support::{call, of_kind};

/// Measured from second 20 to 30, at 30 frames a second.
const FRAMES: u64 = 300;

/// A line of this rate with a buffer of 200 ms.
fn pipe(rate_bps: u64) -> PipeConfig {
    PipeConfig {
        rate_bps: Some(rate_bps),
        buffer_bytes: Some(rate_bps / 40),
        delay: Duration::from_millis(10),
        ..PipeConfig::default()
    }
}

/// p0 has fiber, p1 DSL and p2 a mobile network; cameras have 1.7 Mbps: layers of 100, 350 and
/// 1,250 kbps.
fn three(layers: u32) -> Plan {
    let mut plan = Plan {
        topology: Topology::Sfu,
        video: Some(VideoPlan {
            width: 640,
            height: 360,
            bitrate_bps: 1_700_000,
            playout_delay: Duration::from_millis(100),
            fps: 30,
        }),
        congestion: CongestionPlan {
            control: CongestionControl::Gcc,
            ..CongestionPlan::default()
        },
        warmup: Duration::from_secs(20),
        duration: Duration::from_secs(10),
        ..call(&["none", "none", "none"])
    };
    plan.sfu.layers = layers;
    let rates = [20_000_000, 1_200_000, 420_000];
    for (participant, down) in plan.participants.iter_mut().zip(rates) {
        participant.link = LinkConfig {
            up: pipe(20_000_000),
            down: pipe(down),
        };
    }
    plan
}

fn run(plan: &Plan) -> CellOutput {
    let options = RunOptions {
        pictures: true,
        ..RunOptions::default()
    };
    run_with(plan, &options, Vec::new(), &|_| {}).expect("the plan can be run")
}

/// Width of the last picture that `receiver` saw of `source`.
fn width(output: &CellOutput, source: &str, receiver: &str) -> u32 {
    let mut pictures = output.pictures.iter();
    let picture = pictures.find(|p| p.source == source && p.receiver == receiver);
    let reader = png::Decoder::new(std::io::Cursor::new(&picture.expect("it saw one").png));
    reader.read_info().expect("a picture").info().width
}

fn psnr(stream: &StreamRecord) -> f64 {
    stream.psnr_db_mean.expect("pictures are judged")
}

#[test]
fn each_receiver_gets_the_layers_that_its_line_carries() {
    let output = run(&three(3));
    for stream in of_kind(&output.record, Kind::Video) {
        let width = width(&output, &stream.sender, &stream.receiver);
        eprintln!(
            "{} {} w{width} sent{} rec{} ren{} frz{} {} psnr{:?} bytes{} kf{} plis{} {:?}",
            stream.sender,
            stream.receiver,
            stream.frames_sent,
            stream.frames_received,
            stream.frames_rendered,
            stream.freezes,
            stream.freeze_ms,
            stream.psnr_db_mean,
            stream.encoded_bytes,
            stream.keyframes,
            stream.plis,
            stream.latency_parts_ms
        );
    }
    for row in &output.record.timeline {
        eprintln!("{row:?}");
    }
    eprintln!("{:?}", output.record.warnings);
    eprintln!(
        "{:?}",
        output
            .record
            .hosts
            .iter()
            .map(|h| (&h.name, &h.codecs))
            .collect::<Vec<_>>()
    );
    panic!();
}
