//! Networks that change in mid-call: NATs that restart or get another address, and moves.

use std::ops::RangeInclusive;
use std::time::Duration;

use reports::record::{CellRecord, Interruption, Kind, StreamRecord};
use scenarios::{Access, Event, ExpiryCheck, Fidelity, Happening, Plan, Topology, TurnCredentials};
use sim::nat;

use crate::support::{call, participant, plan, seconds};

fn at(second: f64, what: Happening) -> Event {
    Event {
        at: seconds(second),
        lasts: Duration::ZERO,
        what,
    }
}

/// A call of two behind NATs, in which something happens to the first one's network.
fn changing(topology: Topology, nats: [&str; 2], end: f64, events: Vec<Event>) -> Plan {
    let mut plan = plan(2, end);
    plan.topology = topology;
    plan.fidelity = Fidelity::Trace;
    for (index, name) in (0..).zip(nats) {
        let nats = nat::presets::preset(name).expect("a preset");
        plan.participants[usize::from(index)] = participant(index, nats);
    }
    plan.events = events;
    plan
}

fn mobile() -> Access {
    Access {
        nats: nat::presets::preset("carrier-grade").expect("a preset"),
        link: sim::link_preset("lte").expect("a preset"),
    }
}

/// The longest time in ms in which a participant heard nothing of the other one.
fn silence_ms(record: &CellRecord, sender: &str) -> f64 {
    let heard = |stream: &&StreamRecord| stream.kind == Kind::Audio && stream.sender == sender;
    let stream = record.streams.iter().find(heard).expect("they meet");
    let longest = stream.interval_us.quantile(1.0).expect("sound was heard") / 1e3;
    // Nothing else happened, so that a silence is what the record says of it; intervals are rounded
    // to 1 us, and a quantile is within 0.0062 % of one.
    let [interruption] = stream.interruptions.as_slice() else {
        panic!("one thing happened: {:?}", stream.interruptions)
    };
    assert!(interruption.recovered, "{interruption:?}");
    let least = if longest > 1_000.0 { longest } else { 0.0 };
    let bounds = 0.9999 * least - 0.001..=1.0001 * longest + 0.001;
    assert!(
        bounds.contains(&interruption.gap_ms),
        "{interruption:?}, not {longest} ms"
    );
    interruption.gap_ms
}

/// Both hear each other again after an interruption of such a length, in ms.
fn check_silence(record: &CellRecord, bounds: RangeInclusive<f64>) {
    for sender in ["peer-0", "peer-1"] {
        let silence = silence_ms(record, sender);
        assert!(bounds.contains(&silence), "{sender}: {silence} ms");
    }
}

/// Consent checks go out every 2 s, and ICE is disconnected 5 s after the last answer: 3 to 5 s
/// after the change, and a check interval. Then ICE restarts: gathering is two round trips of 80 ms
/// and at most 1 s, an offer and its answer are two more, checks three, and a TCP connection that
/// signalling lost takes up to 1 s. A keyframe or a packet of sound is there at once.
const DIRECT: RangeInclusive<f64> = 3_000.0..=7_500.0;
/// As above, and ICE holds out for something better than a relay for 2 s.
const RELAYED: RangeInclusive<f64> = 5_000.0..=9_500.0;
/// Nobody is interrupted for longer than two packets of sound.
const NOT_AT_ALL: RangeInclusive<f64> = 0.0..=40.1;

#[test]
fn a_mesh_recovers_from_a_new_address_and_from_a_move_by_a_restart_of_ice() {
    let mobile = Happening::Roam {
        participant: 0,
        to: Box::new(mobile()),
    };
    for what in [Happening::NatRebind { participant: 0 }, mobile] {
        let events = vec![at(5.0, what)];
        let plan = changing(Topology::Mesh, ["port-restricted"; 2], 20.0, events);
        check_silence(&call(&plan), DIRECT);
    }
}

#[test]
fn a_nat_that_restarts_interrupts_who_gets_other_ports() {
    // One that preserves ports makes the mapping again that it had (RFC 4787 section 4.2.1). One
    // that does not is another source to the TURN server, which knows it by its port (RFC 8656
    // section 3.2).
    for (nat, bounds) in [("port-restricted", NOT_AT_ALL), ("symmetric", RELAYED)] {
        let events = vec![at(5.0, Happening::NatReboot { participant: 0 })];
        let plan = changing(Topology::Mesh, [nat; 2], 20.0, events);
        check_silence(&call(&plan), bounds);
    }
}

#[test]
fn a_server_restarts_ice_if_the_participant_notices_nothing() {
    // What the participant sends still arrives, and so do answers to its checks; what the server
    // sends goes to the old address. So only the server is disconnected, and waits for 1 s.
    let events = vec![at(5.0, Happening::NatRebind { participant: 0 })];
    let plan = changing(Topology::Sfu, ["port-restricted"; 2], 20.0, events);
    let record = call(&plan);
    let silence = silence_ms(&record, "peer-1");
    let (least, most) = (DIRECT.start() + 1_000.0, DIRECT.end() + 1_000.0);
    assert!((least..=most).contains(&silence), "{silence} ms");
    assert!(silence_ms(&record, "peer-0") <= *DIRECT.end());
}

#[test]
fn an_hour_over_a_relay_loses_no_more_than_a_restart_takes() {
    // Allocations live for 600 s, permissions for 300 s, channel bindings for 600 s (RFC 8656
    // sections 3.2, 9 and 12) and nonces for 600 s: all of them end five times or more unless they
    // are renewed, and credentials after 600 s. The NAT's address changes in between.
    let events = vec![at(1_800.0, Happening::NatRebind { participant: 0 })];
    let mut plan = changing(Topology::Mesh, ["symmetric"; 2], 3_600.0, events);
    plan.servers.turn_credentials = TurnCredentials::Expiring {
        lifetime: seconds(600.0),
        check: ExpiryCheck::Allocation,
    };
    plan.audio = None;
    plan.video.as_mut().expect("a call with video").fps = 1;
    // Freezes are judged by the average of some frames (webrtc-stats), which the first ones are not.
    (plan.warmup, plan.duration) = (seconds(40.0), seconds(3_560.0));
    let record = call(&plan);
    for stream in &record.streams {
        assert_eq!(stream.path.as_deref(), Some("relay"));
        assert_eq!(stream.freezes, 1, "{stream:?}");
        // The picture before and the one after are up to a second away.
        let frozen = RELAYED.start() - 1_000.0..=RELAYED.end() + 1_000.0;
        assert!(
            frozen.contains(&stream.freeze_ms),
            "{} ms",
            stream.freeze_ms
        );
        let [interruption] = stream.interruptions.as_slice() else {
            panic!("one thing happened: {:?}", stream.interruptions)
        };
        let Interruption {
            what, host, at_ms, ..
        } = interruption;
        assert_eq!((what.as_str(), host.as_str()), ("nat-rebind", "peer-0"));
        assert_eq!((*at_ms, interruption.recovered), (1_800_000.0, true));
        assert!((interruption.gap_ms - stream.freeze_ms).abs() < 0.001);
        // A picture a second for 3,560 s. In a gap of g seconds g - 1 are missing, and nothing else
        // is, but for one at an edge of the window, and half a picture of phase and playout.
        let missing = (3_560 - stream.frames_rendered) as f64;
        let lost = interruption.gap_ms / 1e3 - 1.0;
        assert!(
            (lost - 0.5..=lost + 1.5).contains(&missing),
            "{missing}, {lost}"
        );
    }
}

#[test]
fn a_stale_nonce_silences_no_channel_but_one_of_the_crates_own() {
    // The first packet after 300 s binds the channel again, with the nonce of the last answer: of
    // 220 s, when the allocation is renewed for the second time. It is good for 50 s, so the
    // permission is renewed in time, at 240 s, and the channel is refused. The crate then binds
    // another one, which the server cannot allow as long as it has the first (RFC 8656 section
    // 12.2), and drops what comes over that: sound is away for seconds.
    for steady in [true, false] {
        let mut plan = changing(Topology::Mesh, ["symmetric"; 2], 320.0, Vec::new());
        plan.video = None;
        plan.servers.nonce_lifetime = seconds(50.0);
        plan.stack.turn_refresh_cap = Some(seconds(110.0));
        plan.stack.steady_channels = steady;
        let streams = call(&plan).streams;
        let longest = |stream: &StreamRecord| stream.interval_us.quantile(1.0).unwrap() / 1e3;
        let silence = streams.iter().map(longest).fold(0.0, f64::max);
        assert!(
            streams
                .iter()
                .all(|one| one.path.as_deref() == Some("relay"))
        );
        match steady {
            true => assert!(NOT_AT_ALL.contains(&silence), "{silence} ms"),
            false => assert!(
                (1_000.0..=*RELAYED.end()).contains(&silence),
                "{silence} ms"
            ),
        }
    }
}
