//! From a scenario to the cells of its traversal matrix.

use std::time::Duration;

use sim::{LinkConfig, LossConfig, NatConfig, PipeConfig, Seed};

use crate::plan::{
    AudioPlan, CongestionPlan, Device, Fidelity, NatType, NetworkPlan, Offerer, Participant, Plan,
    RepairPlan, Suite, Topology, TraversalCell, TraversalPlan,
};
use crate::spec::{Spec, nat_types};

/// From the first participant's join to the second's: longer than joining takes the first, so
/// that it is clear who is the newcomer and who offers.
const STAGGER: Duration = Duration::from_millis(400);

/// How much longer joining may take if packets of it are lost: two retransmissions of TCP, after
/// 1 s and 2 s (RFC 6298).
const RETRANSMISSIONS: Duration = Duration::from_secs(3);

/// Longer than what home links jitter by.
const PLAYOUT: Duration = Duration::from_millis(60);

/// What one cell is about.
struct Case {
    suite: Suite,
    a: NatType,
    b: NatType,
    shared: bool,
}

/// The cells of the scenario's matrix.
pub(crate) fn plan(spec: &Spec, seed: Option<u64>) -> TraversalPlan {
    let seed = seed.unwrap_or(spec.seed);
    let matrix = &spec.traversal;
    let mut cells = Vec::new();
    if matrix.topologies.contains(&Topology::Mesh) {
        for case in cases(spec) {
            cells.extend(mesh(spec, seed, &case));
        }
    }
    let servers = matrix.topologies.iter().filter(|t| **t != Topology::Mesh);
    for topology in servers {
        let types = with_servers(spec).into_iter();
        cells.extend(types.map(|nat| central(spec, seed, *topology, &nat)));
    }
    // What is lost in one cell says nothing of what is lost in another.
    for cell in &mut cells {
        cell.plan.seed = Seed(seed).part(&cell.name());
    }
    TraversalPlan {
        scenario: spec.name.clone(),
        seed,
        cells,
        expects_as_set: matrix.expects_as_set,
        allowed: matrix.allow.clone(),
        connect_within: matrix.connect_within,
    }
}

/// The presets that let no UDP through.
const FIREWALLS: [&str; 2] = ["udp-blocked", "only-tcp-443"];

/// Who meets whom in meshes.
fn cases(spec: &Spec) -> Vec<Case> {
    let apart = |suite| {
        move |(a, b)| Case {
            suite,
            a,
            b,
            shared: false,
        }
    };
    if let Some(pairs) = &spec.traversal.pairs {
        return pairs.iter().cloned().map(apart(Suite::Chosen)).collect();
    }
    let classic = nat_types::CLASSIC.map(nat_types::preset);
    let together = |suite| {
        move |nat: NatType| Case {
            suite,
            a: nat.clone(),
            b: nat,
            shared: true,
        }
    };
    let with = |name: &str| {
        let this = nat_types::preset(name);
        let others = classic.iter().cloned().chain([this.clone()]);
        others
            .map(|other| (this.clone(), other))
            .collect::<Vec<_>>()
    };
    let mut cases = Vec::new();
    let behaviors = nat_types::squared(&nat_types::behaviors());
    cases.extend(behaviors.into_iter().map(apart(Suite::Behaviors)));
    let squared = nat_types::squared(&classic);
    cases.extend(squared.into_iter().map(apart(Suite::Classic)));
    cases.extend(with("carrier-grade").into_iter().map(apart(Suite::Carrier)));
    cases.extend(classic.iter().cloned().map(together(Suite::SameNat)));
    let hairpins = nat_types::behind_carriers().into_iter();
    cases.extend(hairpins.map(together(Suite::Hairpin)));
    for firewall in FIREWALLS {
        cases.extend(with(firewall).into_iter().map(apart(Suite::UdpBlocked)));
    }
    cases
}

/// The cells of a case: every mode and every role. The whole matrix pins replies in the suite of
/// behaviours only, where alone all depends on it.
fn mesh<'s>(
    spec: &'s Spec,
    seed: u64,
    case: &'s Case,
) -> impl Iterator<Item = TraversalCell> + use<'s> {
    let modes = spec.traversal.reply_pinning.as_slice();
    let modes = match case.suite {
        Suite::Behaviors | Suite::Chosen => modes,
        _ => &modes[..1],
    };
    modes.iter().flat_map(move |pinning| {
        let roles = spec.traversal.offerers.iter();
        roles.map(move |offerer| {
            let (a, b) = (pinned(&case.a, *pinning), pinned(&case.b, *pinning));
            let mut plan = call(spec, seed, Topology::Mesh, [&a, &b], *offerer);
            plan.participants[1].behind_same = case.shared.then_some(0);
            TraversalCell {
                suite: case.suite,
                a,
                b,
                reply_pinning: *pinning,
                offerer: *offerer,
                plan,
            }
        })
    })
}

/// The types that meet servers.
fn with_servers(spec: &Spec) -> Vec<NatType> {
    let Some(pairs) = &spec.traversal.pairs else {
        let presets = [&["carrier-grade"], &FIREWALLS[..]].concat();
        let presets = presets.into_iter().map(nat_types::preset);
        return nat_types::behaviors().into_iter().chain(presets).collect();
    };
    let mut types: Vec<NatType> = Vec::new();
    for nat in pairs.iter().flat_map(|(a, b)| [a, b]) {
        if !types.contains(nat) {
            types.push(nat.clone());
        }
    }
    types
}

/// Two participants of one type with a server.
fn central(spec: &Spec, seed: u64, topology: Topology, nat: &NatType) -> TraversalCell {
    let pinning = spec.traversal.reply_pinning[0];
    let nat = pinned(nat, pinning);
    let offerer = Offerer::A;
    TraversalCell {
        suite: Suite::Servers,
        reply_pinning: pinning,
        offerer,
        plan: call(spec, seed, topology, [&nat, &nat], offerer),
        a: nat.clone(),
        b: nat,
    }
}

fn pinned(nat: &NatType, reply_pinning: bool) -> NatType {
    let pinned = |nat: &NatConfig| NatConfig {
        reply_pinning,
        ..*nat
    };
    NatType {
        name: nat.name.clone(),
        nats: nat.nats.iter().map(pinned).collect(),
    }
}

/// A call with sound alone, on free CPUs: nothing but its connections matters.
fn call(spec: &Spec, seed: u64, topology: Topology, types: [&NatType; 2], offers: Offerer) -> Plan {
    let matrix = &spec.traversal;
    let stagger = stagger(spec);
    let mut servers = spec.servers.plan.clone();
    servers.ice = matrix.ice;
    servers.signaling_link = Some(signaling_link(spec, servers.link));
    servers.signaling_delay = matrix.signaling_delay;
    Plan {
        scenario: spec.name.clone(),
        topology,
        variant: None,
        seed: Seed(seed),
        participants: vec![
            participant(spec, 0, types[0], (offers == Offerer::A).then_some(stagger)),
            participant(spec, 1, types[1], (offers == Offerer::B).then_some(stagger)),
        ],
        video: None,
        audio: Some(AudioPlan {
            bitrate_bps: 32_000,
            playout_delay: PLAYOUT,
        }),
        congestion: CongestionPlan::default(),
        repair: RepairPlan::default(),
        warmup: Duration::ZERO,
        duration: stagger + matrix.give_up_after,
        fidelity: Fidelity::Codec,
        costs: None,
        stack: spec.stack.clone(),
        servers,
        prices: spec.prices.clone(),
        sfu: spec.sfu.clone(),
        mcu: spec.mcu.clone(),
        data: Vec::new(),
        events: Vec::new(),
    }
}

/// Whoever comes later offers to whoever is there.
fn participant(spec: &Spec, index: u16, nat: &NatType, later: Option<Duration>) -> Participant {
    let link = &spec.traversal.link;
    let name = [Offerer::A, Offerer::B][usize::from(index)].name();
    Participant {
        index,
        name: name.to_owned(),
        group: name.to_owned(),
        nats: nat.nats.clone(),
        nat_label: nat.name.clone(),
        behind_same: None,
        link: link.value,
        link_label: link.label.clone(),
        network: NetworkPlan::default(),
        device: Device::default(),
        sends: true,
        watches: None,
        camera: None,
        join: later.unwrap_or_default(),
        leave: None,
    }
}

/// Joining is three round trips to the server, of TCP, WebSocket and the room.
fn stagger(spec: &Spec) -> Duration {
    let matrix = &spec.traversal;
    let lossless = |pipe: &PipeConfig| pipe.loss == LossConfig::None;
    let link = matrix.link.value;
    let loses = matrix.signaling_loss > 0.0 || !lossless(&link.up) || !lossless(&link.down);
    let round_trip = link.up.delay + link.down.delay;
    let more = if loses {
        RETRANSMISSIONS
    } else {
        Duration::ZERO
    };
    STAGGER + 4 * round_trip + more
}

/// The servers' link with the loss of signalling.
fn signaling_link(spec: &Spec, base: LinkConfig) -> LinkConfig {
    let matrix = &spec.traversal;
    let worse = |pipe: PipeConfig| PipeConfig {
        loss: match matrix.signaling_loss {
            0.0 => pipe.loss,
            probability => LossConfig::Bernoulli { probability },
        },
        ..pipe
    };
    LinkConfig {
        up: worse(base.up),
        down: worse(base.down),
    }
}
