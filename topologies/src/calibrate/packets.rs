//! What packets cost: in participants, in an SFU, and in a TURN server.
//!
//! Short calls are run where CPUs are free. What a host spends beside its codecs, its transport, is
//! put down to the packets that it sent and received. Each call is run twice, with the same seed and
//! different lengths, and what counts is the difference: what both have in common, the set-up of
//! connections above all, falls out.

use std::path::Path;

use reports::record::Role;
use scenarios::{Overrides, Scenario, Topology};

use super::{CalibrateError, Spread};
use crate::{CellOutput, RunOptions, run};

/// What packets cost, in ns.
pub struct Packets {
    /// To send one.
    pub send: Spread,
    /// To receive one.
    pub receive: Spread,
    /// To forward a copy, beside receiving and sending.
    pub forward: Spread,
    /// To relay one.
    pub relay: Spread,
}

/// How often everything is measured.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=5;
/// How long the shorter calls are, s: by then everybody is connected, also through a relay.
const SHORT_S: u32 = 4;
/// How long the longer calls are, s.
const LONG_S: u32 = 12;

/// Measures all of them, telling `progress` what is next.
pub fn measure(progress: &dyn Fn(&str)) -> Result<Packets, CalibrateError> {
    let [mut send, mut receive, mut forward, mut relay] = [const { Vec::new() }; 4];
    for seed in SEEDS {
        progress(&format!("packets, {seed} of {}", SEEDS.end()));
        let mutual = loads(Topology::Mesh, seed, MUTUAL)?;
        let one_way = loads(Topology::Mesh, seed, ONE_WAY)?;
        let forwarded = loads(Topology::Sfu, seed, THREE)?;
        let relayed = loads(Topology::Mesh, seed, RELAYED)?;
        for (n, l) in [("mutual", &mutual), ("oneway", &one_way), ("fwd", &forwarded), ("rel", &relayed)] {
            for l in l { eprintln!("{n} {l:?}"); }
        }
        let clients = mutual.iter().chain(&one_way);
        let (s, r) = split(clients.filter(|load| load.role == Role::Client));
        eprintln!("s {s} r {r}");
        send.push(s);
        receive.push(r);
        let sfu = forwarded.iter().find(|load| load.role == Role::Sfu).expect("an SFU");
        forward.push((sfu.transport_ns - sfu.received * r - sfu.sent * s) / sfu.sent);
        let turn = relayed.iter().find(|load| load.role == Role::Turn).expect("a TURN server");
        relay.push(2.0 * turn.transport_ns / (turn.sent + turn.received));
    }
    Ok(Packets {
        send: Spread::of(send),
        receive: Spread::of(receive),
        forward: Spread::of(forward),
        relay: Spread::of(relay),
    })
}

/// Two who see each other.
const MUTUAL: &str = "[[group]]\nname = \"peer\"\ncount = 2\nnat = \"none\"\nlink = \"fiber\"\n";
/// One who watches another.
const ONE_WAY: &str = "[[group]]\nname = \"stage\"\ncount = 1\nnat = \"none\"\nlink = \"fiber\"\n\
     [[group]]\nname = \"seat\"\ncount = 1\nnat = \"none\"\nlink = \"fiber\"\nsends = false\n";
/// Three who see each other.
const THREE: &str = "[[group]]\nname = \"peer\"\ncount = 3\nnat = \"none\"\nlink = \"fiber\"\n";
/// Two who reach each other through a relay alone.
const RELAYED: &str = "[[group]]\nname = \"peer\"\ncount = 2\nnat = \"symmetric\"\nlink = \"fiber\"\n";

/// What a host did in the difference between two calls.
#[derive(Debug)]
struct Load {
    role: Role,
    /// Packets sent.
    sent: f64,
    /// Packets received.
    received: f64,
    /// CPU beside codecs, ns.
    transport_ns: f64,
}

/// What each host of a call of `groups` does from [`SHORT_S`] to [`LONG_S`].
fn loads(topology: Topology, seed: u64, groups: &str) -> Result<Vec<Load>, CalibrateError> {
    let short = call(topology, seed, groups, SHORT_S)?;
    let long = call(topology, seed, groups, LONG_S)?;
    let both = short.record.hosts.iter().zip(&long.record.hosts);
    Ok(both
        .map(|(before, after)| Load {
            role: after.role,
            sent: (after.up.packets - before.up.packets) as f64,
            received: (after.down.packets - before.down.packets) as f64,
            transport_ns: transport_ns(&long, &after.name) - transport_ns(&short, &before.name),
        })
        .collect())
}

fn transport_ns(output: &CellOutput, host: &str) -> f64 {
    let measured = &output.measured;
    let codecs: f64 = measured.host_work_cpu_s[host].values().sum();
    (measured.host_cpu_s[host] - codecs) * 1e9
}

fn call(
    topology: Topology,
    seed: u64,
    groups: &str,
    seconds: u32,
) -> Result<CellOutput, CalibrateError> {
    let source = format!(
        "name = \"calibrate\"\ntopologies = [\"{topology}\"]\nseed = {seed}\nwarmup = \"0 s\"\n\
         duration = \"{seconds} s\"\nfidelity = \"codec\"\ncpu = \"free\"\n\
         [video]\nsize = \"160x90\"\n{groups}"
    );
    let scenario = Scenario::parse(&source, Path::new("calibrate.toml"));
    let plans = scenario.and_then(|scenario| scenario.resolve(&Overrides::default()));
    let plan = plans.expect("the scenario is valid").remove(0);
    Ok(run(&plan, &RunOptions::default(), &|_| {})?)
}

/// What sending and receiving cost, by least squares: of all pairs of costs the one by which the
/// hosts would have spent what they did.
fn split<'a>(loads: impl Iterator<Item = &'a Load>) -> (f64, f64) {
    let [mut ss, mut sr, mut rr, mut st, mut rt] = [0.0; 5];
    for load in loads {
        ss += load.sent * load.sent;
        sr += load.sent * load.received;
        rr += load.received * load.received;
        st += load.sent * load.transport_ns;
        rt += load.received * load.transport_ns;
    }
    let determinant = ss * rr - sr * sr;
    ((st * rr - rt * sr) / determinant, (rt * ss - st * sr) / determinant)
}
