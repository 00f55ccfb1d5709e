//! What a call says of its cell.

use std::time::Duration;

use reports::record::{CellRecord, ConnectionRecord, HostRecord, Role};
use reports::traversal::{Cell, Deviation, Outcome, Phases, Side};
use scenarios::{IcePlan, Topology, TransportPolicy, TraversalCell, TraversalPlan, TurnAccess};
use sim::Hairpinning;

use super::expectation::{Shared, Situation, expect};
use super::side;

/// The cell as a record: what became of it, what was expected, and how the two differ.
pub fn judge(plan: &TraversalPlan, cell: &TraversalCell, record: &CellRecord) -> Cell {
    let (a, b) = (side::of(&cell.a), side::of(&cell.b));
    let set = cell.plan.servers.ice;
    let expectation = |ice| expect(&situation(cell, &a, &b, ice));
    let as_set = expectation(set);
    let expected = match plan.expects_as_set {
        true => as_set,
        false => expectation(IcePlan::default()),
    };
    let ends = [end(record, 0), end(record, 1)];
    let [of_a, of_b] = ends;
    let slowest = slowest(ends);
    let mut judged = Cell {
        suite: cell.suite.name().to_owned(),
        same_nat: cell.shares_nat(),
        reply_pinning: cell.reply_pinning,
        offerer: cell.offerer.name().to_owned(),
        topology: record.topology.clone(),
        outcome: Outcome::Failed,
        a_candidate: of_a.and_then(|end| end.local_candidate.clone()),
        b_candidate: of_b.and_then(|end| end.local_candidate.clone()),
        a_remote_candidate: of_a.and_then(|end| end.remote_candidate.clone()),
        b_remote_candidate: of_b.and_then(|end| end.remote_candidate.clone()),
        connect_ms: slowest.setup_ms,
        phases: slowest,
        media_ms: media_ms(record),
        media_packets: packets(record, Role::Client, |host| host.up.rtp_packets),
        relayed_packets: packets(record, Role::Turn, |host| host.down.rtp_packets),
        expected: expected.outcome,
        because: expected.because.to_owned(),
        deviation: None,
        a: a.clone(),
        b: b.clone(),
    };
    judged.outcome = match (judged.media_ms, judged.relayed_packets) {
        (None, _) => Outcome::Failed,
        (Some(_), 0) => Outcome::Direct,
        (Some(_), _) => Outcome::Relay,
    };
    let cause = (as_set.outcome == judged.outcome).then(|| cause(set));
    judged.deviation = deviation(plan, &judged).map(|deviation| Deviation {
        cause: cause.flatten(),
        warnings: record.warnings.clone(),
        ..deviation
    });
    judged
}

/// What is known of a cell before it is run, if ICE is set like that.
fn situation<'a>(cell: &TraversalCell, a: &'a Side, b: &'a Side, ice: IcePlan) -> Situation<'a> {
    let (other, ice_tcp) = match cell.topology() {
        Topology::Mesh => (b, false),
        Topology::Sfu | Topology::Mcu => (&side::PUBLIC, cell.plan.servers.ice_tcp),
    };
    Situation {
        a,
        b: other,
        reply_pinning: cell.reply_pinning,
        shared: shared(cell),
        relay_only: ice.policy == TransportPolicy::Relay,
        stun: ice.stun,
        turn: ice.turn.works(),
        ice_tcp,
    }
}

/// The settings that take something away; `None` if none does.
fn cause(ice: IcePlan) -> Option<String> {
    let mut settings = Vec::new();
    if ice.policy == TransportPolicy::Relay {
        settings.push("transport_policy = \"relay\"");
    }
    if !ice.stun {
        settings.push("stun = false");
    }
    match ice.turn {
        TurnAccess::Granted => {}
        TurnAccess::WrongCredentials => settings.push("turn = \"wrong-credentials\""),
        TurnAccess::Absent => settings.push("turn = false"),
    }
    (!settings.is_empty()).then(|| settings.join(", "))
}

/// What the participants share: a NAT that is the only one of either is their network's.
fn shared(cell: &TraversalCell) -> Shared {
    match cell.a.nats.as_slice() {
        _ if !cell.shares_nat() => Shared::Nothing,
        [] | [_] => Shared::Network,
        [.., outermost] => Shared::OutermostNat {
            hairpins: outermost.hairpinning == Hairpinning::ExternalSource,
        },
    }
}

/// The end of the connection that is a participant's.
fn end(record: &CellRecord, participant: usize) -> Option<&ConnectionRecord> {
    let name = &record.hosts.get(participant)?.name;
    record.connections.iter().find(|end| end.local == *name)
}

/// The phases of the end that was connected last; none unless both were.
fn slowest(ends: [Option<&ConnectionRecord>; 2]) -> Phases {
    let [Some(a), Some(b)] = ends.map(|end| end.filter(|end| end.connected)) else {
        return Phases::default();
    };
    match a.phases.setup_ms >= b.phases.setup_ms {
        true => a.phases,
        false => b.phases,
    }
}

/// When the last of the participants had heard the other one; `None` unless both did.
fn media_ms(record: &CellRecord) -> Option<f64> {
    let firsts = record.streams.iter().map(|stream| stream.first_frame_ms);
    let all: Option<Vec<f64>> = firsts.collect();
    all?.into_iter().reduce(f64::max)
}

fn packets(record: &CellRecord, role: Role, of: fn(&HostRecord) -> u64) -> u64 {
    let hosts = record.hosts.iter().filter(|host| host.role == role);
    hosts.map(of).sum()
}

/// How the cell differs, without what may explain it.
fn deviation(plan: &TraversalPlan, cell: &Cell) -> Option<Deviation> {
    let what = different(cell)
        .or_else(|| mixed(cell))
        .or_else(|| late(cell, plan.connect_within))?;
    let mut allowed = plan.allowed.iter();
    let allowance = allowed.find(|allowance| {
        let outcome = allowance.outcome.name() == cell.outcome.name();
        outcome && cell.outcome != cell.expected && allowance.is_of(&cell.a.name, &cell.b.name)
    });
    Some(Deviation {
        what,
        cause: None,
        warnings: Vec::new(),
        allowed: allowance.map(|allowance| allowance.reason.clone()),
    })
}

fn different(cell: &Cell) -> Option<String> {
    let (is, should) = (cell.outcome, cell.expected);
    let (media, relayed) = (cell.media_packets, cell.relayed_packets);
    let evidence = match (is, cell.connect_ms) {
        _ if is == should => return None,
        (Outcome::Direct, _) => format!("none of {media} media packets crossed the TURN server"),
        (Outcome::Relay, _) => {
            format!("{relayed} of {media} media packets crossed the TURN server")
        }
        (Outcome::Failed, None) => "the two were never connected".to_owned(),
        (Outcome::Failed, Some(ms)) => format!("connected after {ms:.0} ms, but without media"),
    };
    Some(format!(
        "{} instead of {}: {evidence}; expected because {}",
        is.name(),
        should.name(),
        cell.because
    ))
}

/// Media that took both ways is neither direct nor relayed.
fn mixed(cell: &Cell) -> Option<String> {
    let (media, relayed) = (cell.media_packets, cell.relayed_packets);
    let is_mixed = relayed > 0 && 2 * relayed < media;
    is_mixed.then(|| format!("only {relayed} of {media} media packets crossed the TURN server"))
}

fn late(cell: &Cell, limit: Option<Duration>) -> Option<String> {
    let (ms, limit) = (cell.connect_ms?, limit?.as_secs_f64() * 1e3);
    let is_late = ms > limit;
    is_late.then(|| format!("connected after {ms:.0} ms, later than the limit of {limit:.0} ms"))
}
