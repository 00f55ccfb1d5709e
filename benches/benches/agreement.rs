//! Whether modelled and measured CPU agree on the machine that was calibrated.
//!
//! Calibrates, then runs calls in which every picture is encoded and decoded on computers like this
//! one (speed 1), and compares what the model says that each role was busy with what its threads
//! took. Prints a table, and fails if the median of some rounds is beyond 15 %: the speed of a machine
//! that others use, too, differs by a tenth between the two. It takes about nine minutes.
//!
//! Calls are run twice, with different lengths, and the difference counts: set-up and the end of a
//! run fall out, so both figures are of the same span and the same work.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use scenarios::{CostProfile, Overrides, Scenario};
use topologies::calibrate::Spread;
use topologies::{CellOutput, RunOptions, calibrate};

/// How far the two may be apart.
const TOLERANCE: f64 = 0.15;
/// How often the machine is calibrated, and the calls are run.
const ROUNDS: u32 = 3;
/// How long the shorter calls are, s: by then everybody is connected, also through a relay.
const SHORT_S: u32 = 5;
/// How long the longer calls are, s.
const LONG_S: u32 = 15;

/// One call for each role: its name, topology, and the NATs of its three participants.
const CALLS: [(&str, &str, &str); 3] = [
    ("mesh of 3", "mesh", "port-restricted"),
    ("SFU of 3", "sfu", "port-restricted"),
    ("mesh of 3, relayed", "mesh", "symmetric"),
];

fn main() -> ExitCode {
    // `cargo bench` asks for figures; `cargo test` would only want to know whether there are any.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    println!("round  call                 role    modelled s  measured s  modelled/measured");
    let mut ratios: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for round in 1..=ROUNDS {
        let measured = calibrate::measure(&|next| eprintln!("measuring {next}"));
        let costs = measured
            .expect("codecs and calls run")
            .profile("this machine");
        eprintln!("{costs:#?}");
        for (name, topology, nat) in CALLS {
            for (role, busy) in busy(topology, nat, &costs) {
                let Busy {
                    modelled_s,
                    measured_s,
                } = busy;
                let ratio = modelled_s / measured_s;
                println!(
                    "{round:5}  {name:19}  {role:6}  {modelled_s:10.4}  {measured_s:10.4}  \
                     {ratio:17.3}"
                );
                ratios.entry((name, role)).or_default().push(ratio);
            }
        }
    }
    let mut agree = true;
    for ((name, role), ratios) in ratios {
        let median = Spread::of(ratios).median;
        println!("median {name:19}  {role:6}  {median:42.3}");
        agree &= (median - 1.0).abs() <= TOLERANCE;
    }
    if agree {
        return ExitCode::SUCCESS;
    }
    eprintln!("modelled and measured CPU are more than 15 % apart");
    ExitCode::FAILURE
}

/// How long CPUs were busy, s.
#[derive(Clone, Copy, Debug, Default)]
struct Busy {
    modelled_s: f64,
    measured_s: f64,
}

/// What the roles of a call that charge their CPUs did between the ends of a short and a long one.
fn busy(topology: &str, nat: &str, costs: &CostProfile) -> BTreeMap<&'static str, Busy> {
    let short = by_role(&call(topology, nat, costs, SHORT_S), SHORT_S);
    let mut long = by_role(&call(topology, nat, costs, LONG_S), LONG_S);
    for (role, busy) in &mut long {
        busy.modelled_s -= short[role].modelled_s;
        busy.measured_s -= short[role].measured_s;
    }
    // A server that did nothing has nothing to agree on.
    long.retain(|_, busy| busy.modelled_s > 1e-3);
    long
}

fn by_role(output: &CellOutput, seconds: u32) -> BTreeMap<&'static str, Busy> {
    let mut roles: BTreeMap<_, Busy> = BTreeMap::new();
    for host in &output.record.hosts {
        let role = roles.entry(host.role.name()).or_default();
        let cores = host.cpu_cores_mean.expect("CPUs are modelled");
        role.modelled_s += cores * f64::from(seconds);
        role.measured_s += output.measured.host_cpu_s[&host.name];
    }
    roles
}

fn call(topology: &str, nat: &str, costs: &CostProfile, seconds: u32) -> CellOutput {
    let source = format!(
        "name = \"agreement\"\ntopologies = [\"{topology}\"]\nparticipants = 3\nwarmup = \"0 s\"\n\
         duration = \"{seconds} s\"\nfidelity = \"codec\"\n\
         [[group]]\nname = \"peer\"\nnat = \"{nat}\"\nlink = \"fiber\"\n"
    );
    let scenario = Scenario::parse(&source, Path::new("agreement.toml")).expect("it is valid");
    let plans = scenario.resolve(&Overrides::default());
    let mut plan = plans.expect("it resolves").remove(0);
    assert!(
        plan.participants
            .iter()
            .all(|peer| peer.device.speed == 1.0)
    );
    plan.costs = Some(costs.clone());
    topologies::run(&plan, &RunOptions::default(), &|_| ()).expect("the call runs")
}
