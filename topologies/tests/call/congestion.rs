//! Senders that adapt, behind lines that carry less than they would send.

use std::time::Duration;

use reports::record::{CellRecord, Kind};
use scenarios::{CongestionControl, CongestionPlan, Plan, Topology, VideoPlan};
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

/// A call of so many with narrow uplinks, who would send 1.5 Mbps each, to second `end`.
fn narrow(number: usize, topology: Topology, (up, down): (u64, u64), end: u64) -> Plan {
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

fn print(record: &CellRecord) {
    for row in &record.timeline {
        if row.second % 2 == 0 && (row.up_kbps > 20.0) {
            println!(
                "{:3} {:6} up {:5.0} down {:5.0} est {:5.0} target {:5.0} frames {} lat {:.0}",
                row.second,
                row.host,
                row.up_kbps,
                row.down_kbps,
                row.estimate_kbps.unwrap_or(-1.0),
                row.target_kbps.unwrap_or(-1.0),
                row.frames_rendered,
                row.video_latency_ms_mean.unwrap_or(-1.0),
            );
        }
    }
    for stream in of_kind(record, Kind::Video) {
        println!(
            "{} {} rendered {} freezes {} {:?}",
            stream.sender,
            stream.receiver,
            stream.frames_rendered,
            stream.freezes,
            stream.latency_parts_ms
        );
    }
}

#[test]
fn explore() {
    for topology in [Topology::Mesh, Topology::Sfu, Topology::Mcu] {
        println!("== {topology}");
        print(&record(&narrow(2, topology, (NARROW, 10 * NARROW), 30)));
    }
}
