//! Replay to the byte: with relays and media, again, beside another run, and in another process.

use std::path::Path;
use std::process::Command;

use reports::record::DataRecord;
use scenarios::{
    CongestionControl, DataKind, DataPlan, Plan, Reliability, StackPlan, Topology, TransportPolicy,
};
use sim::{LossConfig, Seed};

use crate::support::{call, cell};
use crate::watches::partial;

/// Where the child process puts what it ran.
const OUT: &str = "CALL_REPLAY_OUT";

fn plans() -> [Plan; 9] {
    let tuned = Plan {
        warmup: std::time::Duration::from_millis(1_500),
        duration: std::time::Duration::from_secs(1),
        ..call(&["symmetric", "port-restricted", "none"])
    };
    let interval = std::time::Duration::from_millis(20);
    let stock = Plan {
        stack: StackPlan::stock(),
        warmup: std::time::Duration::from_secs(5),
        ..tuned.clone()
    };
    let mut adaptive = tuned.clone();
    adaptive.congestion.control = CongestionControl::Gcc;
    for participant in &mut adaptive.participants {
        participant.link.up.rate_bps = Some(400_000);
        participant.link.up.buffer_bytes = Some(10_000);
    }
    let mut layered = Plan {
        topology: Topology::Sfu,
        // Long enough for a larger layer.
        warmup: std::time::Duration::from_secs(4),
        ..tuned.clone()
    };
    layered.congestion.control = CongestionControl::Gcc;
    layered.servers.ice.policy = TransportPolicy::Relay;
    (layered.sfu.layers, layered.sfu.last_n) = (2, Some(1));
    let video = layered.video.as_mut().expect("calls have pictures");
    (video.width, video.height, video.bitrate_bps) = (320, 180, 640_000);
    let data = Plan {
        data: vec![
            data("file", DataKind::File { bytes: 200_000 }, Reliability::Full),
            data(
                "moves",
                DataKind::State { interval },
                Reliability::LifetimeMs(30),
            ),
        ],
        ..tuned.clone()
    };
    let mut repaired = adaptive.clone();
    repaired.repair = crate::repair::all();
    // Losses hold the relay up.
    repaired.warmup = std::time::Duration::from_secs(5);
    for participant in &mut repaired.participants {
        participant.link.down.loss = LossConfig::Bernoulli { probability: 0.05 };
    }
    let watching = |topology, policy| {
        let mut plan = partial(topology, ["symmetric", "port-restricted", "none", "none"]);
        plan.congestion.control = CongestionControl::Gcc;
        plan.servers.ice.policy = policy;
        plan
    };
    let mesh = watching(Topology::Mesh, TransportPolicy::All);
    let sfu = watching(Topology::Sfu, TransportPolicy::Relay);
    let networks = changing(&adaptive);
    [
        tuned, stock, adaptive, data, layered, repaired, mesh, sfu, networks,
    ]
}

/// An MCU that adapts, over relays, while a link ramps, one is handed over, and others share one.
fn changing(adaptive: &Plan) -> Plan {
    let mut plan = Plan {
        topology: Topology::Mcu,
        ..adaptive.clone()
    };
    (plan.mcu.width, plan.mcu.height) = (320, 180);
    plan.servers.ice.policy = TransportPolicy::Relay;
    plan.warmup = std::time::Duration::from_millis(2_500);
    let rate = |to_bps, millis| sim::Change::Rate {
        to_bps: Some(to_bps),
        over: std::time::Duration::from_millis(millis),
    };
    plan.participants[0].network.changes.up = vec![sim::PipeChange {
        at: sim::Time::from_millis(2_600),
        what: rate(200_000, 500),
    }];
    plan.participants[1].network.handovers = vec![scenarios::Handover {
        at: std::time::Duration::from_millis(2_800),
        link: sim::link_preset("lte").expect("a preset"),
        link_label: "lte".to_owned(),
        changes: scenarios::LinkChanges::default(),
    }];
    plan.participants[2].network.cross = vec![scenarios::CrossTraffic {
        way: sim::Way::Up,
        flow: sim::CrossFlow {
            from: sim::Time::from_millis(2_500),
            to: sim::Time::from_millis(3_500),
            kind: sim::CrossKind::Constant { rate_bps: 200_000 },
        },
    }];
    plan
}

/// A workload from everybody to everybody.
fn data(name: &str, kind: DataKind, reliability: Reliability) -> DataPlan {
    DataPlan {
        name: name.to_owned(),
        kind,
        senders: vec![0, 1, 2],
        receivers: vec![0, 1, 2],
        start: std::time::Duration::from_millis(1_500),
        payload_bytes: 1_500,
        ordered: reliability == Reliability::Full,
        reliability,
        buffer_bytes: 65_536,
    }
}

/// The record as the bytes that are stored, and the capture.
fn bytes(plan: &Plan) -> (Vec<u8>, Vec<u8>) {
    let output = cell(plan, true);
    let relayed = output.record.streams.iter();
    let relayed = relayed.filter(|stream| stream.path.as_deref() == Some("relay"));
    let played = relayed.filter(|stream| stream.frames_rendered > 0).count();
    assert!(played > 0, "there is relayed media to replay");
    let silent = |data: &&DataRecord| data.messages_received == 0;
    assert_eq!(output.record.data.iter().filter(silent).count(), 0);
    let record = serde_json::to_vec(&output.record).expect("records serialise");
    (record, output.pcap.expect("asked for"))
}

fn assert_same(what: &str, first: &(Vec<u8>, Vec<u8>), second: &(Vec<u8>, Vec<u8>)) {
    assert!(first.0 == second.0, "{what}: records differ");
    assert!(first.1 == second.1, "{what}: captures differ");
}

fn check(index: usize) {
    let plan = &plans()[index];
    let first = bytes(plan);
    let other = Plan {
        seed: Seed(8),
        ..plan.clone()
    };
    let (again, another) = std::thread::scope(|scope| {
        let again = scope.spawn(|| bytes(plan));
        let another = scope.spawn(|| cell(&other, false).record);
        let joined = (again.join(), another.join());
        (joined.0.expect("ran"), joined.1.expect("ran"))
    });
    assert_same("beside another run", &first, &again);
    let record: reports::record::CellRecord = serde_json::from_slice(&first.0).expect("a record");
    assert_ne!(record.digest, another.digest, "another seed is another run");
    assert_same("in another process", &first, &in_another_process(index));
}

fn in_another_process(index: usize) -> (Vec<u8>, Vec<u8>) {
    let directory = tempfile::tempdir().expect("room for temporary files");
    let status = Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", "replay::child", "--ignored", "--quiet"])
        .env(OUT, directory.path())
        .env("CALL_REPLAY_PLAN", index.to_string())
        .stdout(std::process::Stdio::null())
        .status();
    assert!(status.expect("starts").success());
    let read = |name| std::fs::read(directory.path().join(name)).expect("the child wrote it");
    (read("record.json"), read("packets.pcapng"))
}

#[test]
#[ignore = "the other process of the tests below, which say where to write"]
fn child() {
    let out = std::env::var_os(OUT).expect("started by a test");
    let index = std::env::var("CALL_REPLAY_PLAN").expect("started by a test");
    let (record, pcap) = bytes(&plans()[index.parse::<usize>().expect("an index")]);
    let write = |name, bytes| std::fs::write(Path::new(&out).join(name), bytes).expect("room");
    write("record.json", record);
    write("packets.pcapng", pcap);
}

#[test]
fn a_tuned_call_replays_to_the_byte() {
    check(0);
}

#[test]
fn a_stock_call_replays_to_the_byte() {
    check(1);
}

#[test]
fn an_mcu_that_adapts_while_networks_change_replays_to_the_byte() {
    check(8);
}

#[test]
fn a_call_that_adapts_replays_to_the_byte() {
    check(2);
}

#[test]
fn a_call_with_data_replays_to_the_byte() {
    check(3);
}

#[test]
fn a_call_with_layers_replays_to_the_byte() {
    check(4);
}

#[test]
fn a_call_with_all_repairs_replays_to_the_byte() {
    check(5);
}

#[test]
fn a_mesh_in_which_not_everybody_is_watched_replays_to_the_byte() {
    check(6);
}

#[test]
fn an_sfu_call_in_which_not_everybody_is_watched_replays_to_the_byte() {
    check(7);
}
