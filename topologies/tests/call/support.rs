//! Plans of calls, made directly, and how to run them.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reports::record::{CellRecord, HostRecord, Kind, StreamRecord};
use scenarios::{
    AudioPlan, CongestionPlan, Device, Fidelity, IcePlan, McuPlan, Overrides, Participant, Plan,
    ServersPlan, SfuPlan, StackPlan, Topology, VideoPlan,
};
use sim::{LinkConfig, PipeConfig, Seed, nat};
use topologies::{CellOutput, RunOptions, run_with};

use crate::packets::PacketLog;

/// Every link serialises at 100 Mbit/s: a byte takes 80 ns, a whole number of them.
pub const NANOS_PER_BYTE: u64 = 80;
/// One way through one end of a path.
pub const DELAY: Duration = Duration::from_millis(10);

/// A link without loss, jitter or drops.
pub fn steady_link() -> LinkConfig {
    LinkConfig::symmetric(PipeConfig {
        rate_bps: Some(100_000_000),
        delay: DELAY,
        ..PipeConfig::default()
    })
}

/// What a scenario that is shipped, but not built in, makes: `data/lossy-file` for one.
pub fn shipped(name: &str) -> Vec<Plan> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let file = directory.join(format!("{name}.toml"));
    let scenario = scenarios::load(file.to_str().expect("a path in UTF-8")).expect("it is valid");
    let plans = scenario.resolve(&Overrides::default());
    plans.expect("it resolves")
}

/// A call of one participant per NAT preset, on steady links, with small pictures, that is
/// measured for a second and a half once everybody is connected.
pub fn call(nats: &[&str]) -> Plan {
    let participant = |(index, nat): (u16, &&str)| Participant {
        index,
        name: format!("p{index}"),
        group: "all".to_owned(),
        nats: nat::presets::preset(nat).expect("a preset"),
        nat_label: (*nat).to_owned(),
        behind_same: None,
        link: steady_link(),
        link_label: "steady".to_owned(),
        network: Default::default(),
        device: Device::default(),
        sends: true,
        watches: None,
        camera: None,
        join: Duration::ZERO,
        leave: None,
    };
    Plan {
        scenario: "test".to_owned(),
        topology: Topology::Mesh,
        variant: None,
        seed: Seed(7),
        participants: (0..).zip(nats).map(participant).collect(),
        video: Some(VideoPlan {
            width: 160,
            height: 90,
            fps: 30,
            bitrate_bps: 300_000,
            playout_delay: Duration::from_millis(60),
        }),
        audio: Some(AudioPlan {
            bitrate_bps: 32_000,
            playout_delay: Duration::from_millis(40),
        }),
        congestion: CongestionPlan::default(),
        repair: scenarios::RepairPlan::default(),
        warmup: Duration::from_millis(2_500),
        duration: Duration::from_millis(1_500),
        fidelity: Fidelity::Codec,
        costs: None,
        stack: StackPlan {
            // Whatever connects first will do: none of these tests is about the choice.
            acceptance_waits: [Some(Duration::ZERO); 4],
            ..StackPlan::tuned()
        },
        sfu: SfuPlan::default(),
        mcu: McuPlan::default(),
        data: Vec::new(),
        prices: scenarios::Prices::default(),
        events: Vec::new(),
        servers: ServersPlan {
            link: steady_link(),
            link_label: "steady".to_owned(),
            signaling_link: None,
            signaling_delay: Duration::ZERO,
            ice: IcePlan::default(),
            nonce_lifetime: Duration::from_secs(600),
            turn_credentials: Default::default(),
            ice_tcp: true,
            signaling: Device::server(),
            turn: Device::server(),
            media: Device::server(),
        },
    }
}

/// Runs a call.
pub fn record(plan: &Plan) -> CellRecord {
    cell(plan, false).record
}

/// Runs a call, with a capture of its packets if asked for.
pub fn cell(plan: &Plan, pcap: bool) -> CellOutput {
    let options = RunOptions {
        pcap,
        ..RunOptions::default()
    };
    run_with(plan, &options, Vec::new(), &|_| {}).expect("the plan can be run")
}

/// Runs a call and logs every packet of it.
pub fn watched(plan: &Plan) -> (CellRecord, PacketLog) {
    let log = Arc::new(Mutex::new(PacketLog::default()));
    let taps: Vec<Box<dyn sim::trace::Tap>> = vec![Box::new(Arc::clone(&log))];
    let output = run_with(plan, &RunOptions::default(), taps, &|_| {});
    let record = output.expect("the plan can be run").record;
    let log = std::mem::take(&mut *log.lock().expect("taps do not panic"));
    (record, log)
}

/// The streams of one kind.
pub fn of_kind(record: &CellRecord, kind: Kind) -> impl Iterator<Item = &StreamRecord> {
    let streams = record.streams.iter();
    streams.filter(move |stream| stream.kind == kind)
}

/// The host called `name`.
pub fn host<'a>(record: &'a CellRecord, name: &str) -> &'a HostRecord {
    let mut hosts = record.hosts.iter();
    hosts.find(|host| host.name == name).expect("a host")
}
