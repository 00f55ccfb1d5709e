//! Whole calls: how much virtual time each topology lives through in a second of wall time, on
//! what CPU time, and how much memory it takes.
//!
//! CPU time is split into what the members of the call spend (the WebRTC stack, codecs, RTP, the
//! servers), the emulated network with its bookkeeping, and the observer that makes test media and
//! judges what is shown; what is missing are work-arounds for defects of the stack.
//!
//! Every call runs in a process of its own, one after the other, because the peak memory of a
//! process is that of the largest call that it ran. Name topologies and numbers of participants to
//! run fewer: `cargo bench -p rtclab-benches --bench calls -- sfu 4 8`.

use std::path::Path;
use std::process::{Command, ExitCode};

use scenarios::{Overrides, Plan, Scenario, Topology};
use topologies::RunOptions;

/// CPUs take no time, so that a call is as much work on every machine. Small calls run codecs,
/// larger ones replay recordings, as `fidelity = "auto"` has it.
const SCENARIO: &str = r#"
name = "calls"
participants = 4
warmup = "3 s"
duration = "4 s"
cpu = "free"

[video]
size = "320x180"
fps = 15
bitrate = "300 kbps"

[[group]]
name = "home"
nat = "port-restricted"
link = "fiber"
"#;

const TOPOLOGIES: [Topology; 3] = [Topology::Mesh, Topology::Sfu, Topology::Mcu];
const PARTICIPANTS: [u32; 4] = [4, 8, 16, 50];

/// Says to a process that it is one call: the topology and the number of participants follow.
const ONE_CALL: &str = "--one-call";

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    if let [word, topology, participants] = words.as_slice()
        && word == ONE_CALL
    {
        one_call(topology, participants);
        return ExitCode::SUCCESS;
    }
    // `cargo bench` asks for figures; `cargo test` would only want to know whether there are any.
    match words.iter().any(|word| word == "--bench") {
        true => table(&words),
        false => ExitCode::SUCCESS,
    }
}

/// Runs every call that the command line names, or all.
fn table(words: &[String]) -> ExitCode {
    println!(
        "topology   N  fidelity  wall s  virtual s/s   CPU s  members  network  observer  peak MB"
    );
    for participants in PARTICIPANTS.map(|number| number.to_string()) {
        for topology in TOPOLOGIES.map(Topology::name) {
            if !asked_for(words, &participants, &PARTICIPANTS.map(|n| n.to_string()))
                || !asked_for(words, topology, &TOPOLOGIES.map(|t| t.name().to_owned()))
            {
                continue;
            }
            let bench = std::env::current_exe().expect("a process has an executable");
            let call = Command::new(bench)
                .args([ONE_CALL, topology, &participants])
                .status();
            if !call.is_ok_and(|status| status.success()) {
                eprintln!("the {topology} of {participants} did not run");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Whether a word is among those typed, or none of its kind is.
fn asked_for(typed: &[String], word: &str, kind: &[String]) -> bool {
    typed.iter().all(|typed| !kind.contains(typed)) || typed.iter().any(|typed| typed == word)
}

/// Runs one call and prints its row.
fn one_call(topology: &str, participants: &str) {
    let plan = plan(topology, participants);
    let output = topologies::run(&plan, &RunOptions::default(), &|_| ()).expect("the call runs");
    let record = output.record;
    let connected = record
        .connections
        .iter()
        .all(|connection| connection.connected);
    assert!(connected, "a call whose members are not there is less work");
    let measured = output.measured;
    let members: f64 = measured.host_cpu_s.values().sum();
    let parts = [members, measured.kernel_cpu_s, measured.observer_cpu_s];
    let total = parts.iter().sum::<f64>() + measured.workaround_cpu_s;
    let [members, network, observer] = parts.map(|part| 100.0 * part / total);
    let peak_mb = measured.peak_rss_bytes.map(|bytes| bytes / 1_000_000);
    println!(
        "{topology:8} {participants:>3}  {fidelity:8}  {wall_s:6.1}  {speed:11.3}  {total:6.1}  \
         {members:6.1}%  {network:6.1}%  {observer:7.1}%  {peak_mb:>7}",
        fidelity = record.fidelity,
        wall_s = measured.wall_s,
        speed = measured.virtual_s / measured.wall_s,
        peak_mb = peak_mb.map_or(String::new(), |peak| peak.to_string()),
    );
}

fn plan(topology: &str, participants: &str) -> Plan {
    let topology = TOPOLOGIES
        .into_iter()
        .find(|known| known.name() == topology);
    let scenario = Scenario::parse(SCENARIO, Path::new("calls.toml")).expect("it is valid");
    let overrides = Overrides {
        topologies: topology.map(|topology| vec![topology]),
        participants: participants.parse().ok().map(|number| vec![number]),
        ..Overrides::default()
    };
    let mut plans = scenario.resolve(&overrides).expect("it resolves");
    plans.remove(0)
}
