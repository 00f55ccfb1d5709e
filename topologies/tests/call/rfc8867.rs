//! The test cases of RFC 8867, from the scenarios that are shipped, to their first changes only:
//! whole they take minutes. `docs/congestion.md` has the figures of the whole ones.

use std::time::Duration;

use reports::metrics::FlowRow;
use reports::record::CellRecord;
use scenarios::Plan;

use crate::support::{record, shipped};

/// A case up to a second of it, as the scenario is.
pub fn case(name: &str, until_s: u64) -> Plan {
    variant(name, None, until_s)
}

/// The same of a variant of it.
pub fn variant(name: &str, variant: Option<&str>, until_s: u64) -> Plan {
    let mut plans = shipped(&format!("rfc8867/{name}")).into_iter();
    let plan = plans.find(|plan| plan.variant.as_deref() == variant);
    Plan {
        duration: Duration::from_secs(until_s),
        ..plan.expect("it has it")
    }
}

/// Bounds of a phase of an uplink, ends included.
#[derive(Debug)]
struct Phase {
    /// When it begins, s; who joins or pauses then is there or away within two seconds.
    from_s: u32,
    /// What arrives, as a share of what the uplink carries.
    used: [f64; 2],
    /// 95th percentile of what packets take beyond propagation, ms.
    queue_ms: [f64; 2],
    /// Jain's index, where several connections share the uplink.
    fairness: Option<[f64; 2]>,
}

/// The least that the 95th percentile can be: jitter alone is above 1.96 x 7.5 ms = 15 ms for one
/// packet in twenty, less what it waits for those before it. The most for a path that is not full:
/// half of the buffer.
const CALM: [f64; 2] = [10.0, 150.0];

/// Where a step down fills the buffer: all of it, and 30 ms of jitter and some of serialisation.
const STEP: [f64; 2] = [10.0, 345.0];

/// The phases of uplinks.
fn uplinks(record: &CellRecord) -> Vec<FlowRow> {
    let mut rows = FlowRow::all(record);
    rows.retain(|row| row.way == "up");
    rows
}

/// Runs a plan and checks the phases of its uplinks, those of one host after those of the other.
fn check(plan: &Plan, expected: &[Phase]) {
    let rows = uplinks(&record(plan));
    assert_eq!(rows.len(), expected.len(), "{rows:#?}");
    for (row, phase) in rows.iter().zip(expected) {
        let within = |[low, high]: [f64; 2], figure: Option<f64>| {
            figure.is_some_and(|figure| (low..=high).contains(&figure))
        };
        assert!(
            (phase.from_s..=phase.from_s + 2).contains(&row.from_s)
                && within(phase.used, row.use_ratio)
                && within(phase.queue_ms, row.queue_ms_p95)
                && within([0.0, 0.03], row.loss_ratio)
                && phase
                    .fairness
                    .is_none_or(|bounds| within(bounds, row.fairness)),
            "{phase:?} and not {row:#?}"
        );
    }
}

/// 5.1: 60 to 100 % of 1 Mbps, although the start is at 300 kbps. Then 2.5 Mbps, of which 1.5 Mbps
/// of H.264 with 4 % of headers are 62 %.
#[test]
fn one_flow_follows_its_path() {
    let phases = [
        Phase {
            from_s: 0,
            used: [0.6, 1.0],
            queue_ms: CALM,
            fairness: None,
        },
        Phase {
            from_s: 40,
            used: [0.5, 0.64],
            queue_ms: CALM,
            fairness: None,
        },
    ];
    check(&case("variable-capacity", 55), &phases);
}

/// 5.2: two flows of 1.5 Mbps with headers are 79 % of 4 Mbps at most, in which they begin at
/// 300 kbps; then both have half of 2 Mbps.
#[test]
fn two_flows_share_a_path_that_changes() {
    let phases = [
        Phase {
            from_s: 0,
            used: [0.4, 0.79],
            queue_ms: CALM,
            fairness: Some([0.9, 1.0]),
        },
        Phase {
            from_s: 25,
            used: [0.6, 1.0],
            queue_ms: STEP,
            fairness: Some([0.8, 1.0]),
        },
    ];
    check(&case("several-flows", 45), &phases);
}

/// 6.1: of 2 Mbps, from second 25 on, the flow that counts twice has twice as much. Jain's index of 2
/// and 1 is 3^2 / (2 x 5) = 0.9, and pictures have 93 % of what their flow may send.
#[test]
fn a_flow_that_counts_twice_has_twice_as_much() {
    let mut plan = case("priorities", 16);
    plan.warmup = Duration::from_secs(30);
    let record = record(&plan);
    let [phase] = &uplinks(&record)[..] else {
        panic!("one phase, from 30 to 46 s");
    };
    assert!((0.6..=1.0).contains(&phase.use_ratio.unwrap()), "{phase:?}");
    assert!(
        (0.87..=0.93).contains(&phase.fairness.unwrap()),
        "{phase:?}"
    );
    let to = |receiver: &str| {
        let mut streams = record.streams.iter();
        let stream = streams.find(|stream| stream.receiver == receiver);
        stream.expect("there is one").encoded_bytes as f64
    };
    let ratio = to("first-1") / to("second-1");
    assert!((1.8..=2.2).contains(&ratio), "{ratio}");
}

/// 5.3: one flow each way, 1.56 of 2 Mbps at most; the forward one has half of that from second 20.
#[test]
fn flows_follow_while_feedback_shares_the_way_back() {
    let whole = |from_s| Phase {
        from_s,
        used: [0.4, 0.79],
        queue_ms: CALM,
        fairness: None,
    };
    let half = Phase {
        from_s: 20,
        used: [0.6, 1.0],
        queue_ms: STEP,
        fairness: None,
    };
    check(&case("reverse-path", 34), &[whole(0), half, whole(0)]);
}

/// 5.4: one flow of 1.56 Mbps has 45 % of 3.5 Mbps, two have 90 % at most; who comes later gets a
/// share. Jain's index of two, of which one has a third of the other, is (1 + 3)^2 / (2 x 10) = 0.8.
#[test]
fn who_comes_later_gets_a_share() {
    let phases = [
        Phase {
            from_s: 0,
            used: [0.3, 0.45],
            queue_ms: CALM,
            fairness: None,
        },
        Phase {
            from_s: 20,
            used: [0.5, 0.9],
            queue_ms: CALM,
            fairness: Some([0.8, 1.0]),
        },
    ];
    check(&case("competing-flows", 38), &phases);
}

/// 5.5: three of the flows, whose ways take 10, 25 and 50 ms; the second comes at 10 s and the third at
/// 20 s. One uses 39 % of 4 Mbps at most, two 78 %; nobody is starved: Jain's index of three of which
/// one has a third of what the others have is (1 + 3 + 3)^2 / (3 x 19) = 0.86, and what arrives has
/// settled at once, as two of the three already had.
#[test]
fn round_trips_of_different_lengths_share_a_path() {
    let mut plan = case("round-trip-fairness", 32);
    // Whoever comes later comes after the end.
    plan.participants.truncate(4);
    let rows = FlowRow::all(&record(&plan));
    let [one, two, three] = &rows[..] else {
        panic!("three phases: {rows:#?}");
    };
    let phases = [
        (one, [0.1, 0.39], None),
        (two, [0.4, 0.78], Some(10)),
        (three, [0.6, 1.0], Some(6)),
    ];
    for (row, [least, most], settled_within) in phases {
        let used = row.use_ratio.expect("the uplink has a rate");
        assert!((least..=most).contains(&used), "{row:#?}");
        let queue = row.queue_ms_p95.expect("packets arrived");
        assert!((CALM[0]..=CALM[1]).contains(&queue), "{row:#?}");
        if let Some(within) = settled_within {
            let settled = row.settled_s.expect("it settles");
            assert!((0..=within).contains(&settled), "{row:#?}");
            let fairness = row.fairness.expect("they are several");
            assert!((0.86..=1.0).contains(&fairness), "{row:#?}");
        }
    }
}

/// 5.7: two flows beside two transfers of 2 s every 10 s. They have their floors at least, 300 kbps of
/// 2 Mbps, and no more than what TCP leaves: it fills the path in 2 of 10 s.
#[test]
fn short_tcp_transfers_leave_more_than_the_floor() {
    let phases = [Phase {
        from_s: 0,
        used: [0.15, 0.8],
        queue_ms: [20.0, 345.0],
        fairness: Some([0.8, 1.0]),
    }];
    check(&case("short-tcp", 40), &phases);
}

/// 5.6: beside Reno, which fills any buffer, delay-based control is left with little more than its
/// floor: 150 kbps are 7.5 % of 2 Mbps. An equal share would be 50 %. Reno keeps the buffer between a
/// quarter full (it halves 300 ms of buffer and 100 ms of path) and full.
#[test]
fn a_long_tcp_transfer_leaves_the_floor() {
    let phases = [Phase {
        from_s: 5,
        used: [0.06, 0.4],
        queue_ms: [200.0, 345.0],
        fairness: None,
    }];
    check(&case("long-tcp", 30), &phases);
}

/// 5.6 with the threshold of the draft, which comes to tolerate that queue: a third to two thirds of
/// the path from second 40 on, where half is fair, with the buffer as Reno keeps it.
#[test]
fn the_threshold_of_the_draft_shares_with_tcp() {
    let mut plan = variant("long-tcp", Some("draft"), 40);
    plan.warmup = Duration::from_secs(40);
    let phases = [Phase {
        from_s: 40,
        used: [0.33, 0.67],
        queue_ms: [200.0, 345.0],
        fairness: None,
    }];
    check(&plan, &phases);
}

/// 5.8, with the pause from 14 to 22 s: what one of three flows leaves the others take, up to 90 % of
/// the path, and give back.
#[test]
fn the_share_of_a_flow_that_pauses_is_used() {
    let mut plan = case("pause", 32);
    let [pause] = &mut plan.events[..] else {
        panic!("{:?}", plan.events);
    };
    (pause.at, pause.lasts) = (Duration::from_secs(14), Duration::from_secs(8));
    let phase = |from_s, used| Phase {
        from_s,
        used,
        queue_ms: CALM,
        fairness: Some([0.8, 1.0]),
    };
    let three = [
        phase(0, [0.4, 1.0]),
        phase(14, [0.5, 0.9]),
        phase(22, [0.6, 1.0]),
    ];
    check(&plan, &three);
}

/// What arrives of the flow from `sender` to `receiver` from second 10 on, mean, kbps.
fn received_kbps(record: &CellRecord, sender: &str, receiver: &str) -> f64 {
    let mut flows = record.flows.iter();
    let flow =
        flows.find(|flow| (flow.sender.as_str(), flow.receiver.as_str()) == (sender, receiver));
    let seconds = flow.expect("it flows").seconds.iter();
    let settled = seconds.filter(|second| (10..MULTIPLE_S).contains(&second.second));
    let sum: f64 = settled.map(|second| second.received_kbps).sum();
    sum / f64::from(MULTIPLE_S - 10)
}

/// How much of the case with several bottlenecks is run, s.
const MULTIPLE_S: u32 = 40;

/// 6.3: the flow over both bottlenecks and the one beside it use 60 to 100 % of each, 2 and 1.6 Mbps,
/// and the smaller of the two has a third of the other's at least, which is a quarter of both. The
/// floor of 150 kbps would be a tenth.
///
/// Propagation is 100 ms for the flow over both and 40 ms for the others; beyond that each queue may
/// take half of its 300 ms, as in other cases.
#[test]
fn a_flow_over_two_bottlenecks_keeps_a_share_of_both() {
    let record = record(&case("multiple-bottlenecks", MULTIPLE_S.into()));
    let kbps = |sender, receiver| received_kbps(&record, sender, receiver);
    let both = kbps("first-1", "far-1");
    for (other, capacity_kbps) in [
        (kbps("first-1", "near-1"), 2_000.0),
        (kbps("second-1", "far-1"), 1_600.0),
    ] {
        let used = (both + other) / capacity_kbps;
        assert!((0.6..=1.0).contains(&used), "{both} and {other}: {used}");
        let least = both.min(other) / (both + other);
        assert!((0.25..=0.5).contains(&least), "{both} and {other}: {least}");
    }
    // The second one is a downlink; of 40 s the last 30 are those above, at 60 % at least.
    let mut rows = FlowRow::all(&record).into_iter();
    let down = rows.find(|row| (row.host.as_str(), row.way) == ("far-1", "down"));
    let down = down.expect("its downlink has a rate");
    assert_eq!((down.capacity_kbps, down.flows), (1_600.0, 2));
    let used = down.use_ratio.expect("it has a rate");
    assert!((0.45..=1.0).contains(&used), "{down:#?}");
    for row in uplinks(&record) {
        let queue_ms = row.queue_ms_p95.expect("one of its flows is not relayed");
        assert!((CALM[0]..=CALM[1]).contains(&queue_ms), "{row:#?}");
        let lost = row.loss_ratio.expect("packets were sent");
        assert!((0.0..=0.03).contains(&lost), "{row:#?}");
    }
    let ways = [
        ("first-1", "near-1", 40.0, 190.0),
        ("first-1", "far-1", 100.0, 400.0),
        ("second-1", "far-1", 40.0, 190.0),
    ];
    assert_eq!(record.streams.len(), ways.len());
    for (stream, (sender, receiver, least, most)) in record.streams.iter().zip(ways) {
        assert_eq!(
            (stream.sender.as_str(), stream.receiver.as_str()),
            (sender, receiver)
        );
        let network = stream.latency_parts_ms["network"];
        assert!((least..=most).contains(&network), "{stream:#?}");
    }
}
