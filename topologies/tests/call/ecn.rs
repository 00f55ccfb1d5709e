//! Media that queues mark instead of dropping it (RFC 3168, RFC 8867 section 6.2).

use std::ops::Range;

use reports::record::{CellRecord, FlowSecond};
use scenarios::{Plan, Topology, TransportPolicy};
use sim::Queue;

use crate::congestion::narrow;
use crate::rfc8867::case;
use crate::support::record;

/// What the connections from `sender` did in some seconds.
#[derive(Debug)]
struct Sum {
    /// Of what the uplink carries.
    used: f64,
    lost: u64,
    marked: u64,
}

fn sum(record: &CellRecord, sender: &str, seconds: Range<u32>, uplink_kbps: f64) -> Sum {
    let flows = record.flows.iter().filter(|flow| flow.sender == sender);
    let all: Vec<&FlowSecond> = flows
        .flat_map(|flow| &flow.seconds)
        .filter(|second| seconds.contains(&second.second))
        .collect();
    let kbps: f64 = all.iter().map(|second| second.received_kbps).sum();
    Sum {
        used: kbps / seconds.len() as f64 / uplink_kbps,
        lost: all.iter().map(|second| second.packets_lost).sum(),
        marked: all.iter().map(|second| second.packets_marked).sum(),
    }
}

fn without(mut plan: Plan) -> Plan {
    assert!(plan.congestion.ecn);
    plan.congestion.ecn = false;
    plan
}

/// RFC 8867 section 5.1 on 1 Mbps: 60 to 100 % are used, as without marks. The queue marks what it
/// would drop, and nothing fills its buffer of 300 ms, so nothing is lost.
#[test]
fn what_would_be_dropped_is_marked_and_nothing_is_lost() {
    let plan = case("ecn-variable-capacity", 39);
    let settled = |record: &CellRecord| sum(record, "sender-1", 10..39, 1_000.0);
    let first = record(&plan);
    let marking = settled(&first);
    assert!((0.6..=1.0).contains(&marking.used), "{marking:?}");
    assert!((1..200).contains(&marking.marked), "{marking:?}");
    assert_eq!(marking.lost, 0, "{marking:?}");
    let dropping = settled(&record(&without(plan.clone())));
    assert!((0.6..=1.0).contains(&dropping.used), "{dropping:?}");
    assert!((1..200).contains(&dropping.lost), "{dropping:?}");
    assert_eq!(dropping.marked, 0, "{dropping:?}");
    assert_eq!(record(&plan), first, "it replays to the byte");
}

/// RFC 8867 section 5.6: beside a transfer that heeds marks, too, nothing of media is lost. It has
/// its floor at least, 150 kbps of 2 Mbps, and no more than its half; see `docs/congestion.md`.
#[test]
fn beside_a_transfer_that_heeds_marks_nothing_is_lost() {
    let plan = case("ecn-long-tcp", 30);
    let beside = |plan: &Plan| sum(&record(plan), "sender-1", 10..30, 2_000.0);
    let (marking, dropping) = (beside(&plan), beside(&without(plan.clone())));
    for both in [&marking, &dropping] {
        assert!((0.07..=0.5).contains(&both.used), "{both:?}");
    }
    assert!(marking.marked > 0 && marking.lost == 0, "{marking:?}");
    assert!(dropping.marked == 0 && dropping.lost > 0, "{dropping:?}");
}

/// Three behind 1 Mbps of uplink, which marks. Each begins with more than that, so a queue stands for
/// longer than an interval and is marked; each uses 60 to 100 % and loses nothing in the last ten
/// seconds. A TURN server passes on what a sender's uplink has marked, and receivers count it.
#[test]
fn every_topology_heeds_marks_and_relays_pass_them_on() {
    let wide = 20_000_000;
    let ways = [
        (Topology::Mesh, TransportPolicy::All),
        (Topology::Sfu, TransportPolicy::All),
        (Topology::Mcu, TransportPolicy::All),
        (Topology::Mesh, TransportPolicy::Relay),
    ];
    for (topology, policy) in ways {
        let mut plan = narrow(3, topology, (1_000_000, wide), 30);
        (plan.congestion.ecn, plan.repair.rtx) = (true, true);
        plan.servers.ice.policy = policy;
        plan.congestion.start_bps = 1_500_000;
        for participant in &mut plan.participants {
            participant.link.up.queue = Queue::CodelEcn;
        }
        let record = record(&plan);
        for participant in &plan.participants {
            let whole = sum(&record, &participant.name, 0..30, 1_000.0);
            let settled = sum(&record, &participant.name, 20..30, 1_000.0);
            let what = format!("{topology} {policy:?}: {whole:?}, then {settled:?}");
            assert!(whole.marked > 0, "{what}");
            assert!((0.6..=1.0).contains(&settled.used), "{what}");
            assert_eq!(settled.lost, 0, "{what}");
        }
    }
}
