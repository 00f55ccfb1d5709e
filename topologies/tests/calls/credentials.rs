//! TURN credentials that expire in mid-call.

use std::ops::RangeInclusive;

use reports::record::{CellRecord, Interruption};
use scenarios::{Event, ExpiryCheck, Fidelity, Happening, Plan, TurnCredentials};
use sim::nat;

use crate::support::{call, participant, plan, seconds};

/// A relayed call with a picture a second, whose credentials are good for a minute.
fn relayed(end: f64, check: ExpiryCheck, events: Vec<Event>) -> Plan {
    let mut plan = plan(2, end);
    plan.fidelity = Fidelity::Trace;
    plan.audio = None;
    plan.video.as_mut().expect("a call with video").fps = 1;
    let symmetric = || nat::presets::preset("symmetric").expect("a preset");
    plan.participants = (0..2)
        .map(|index| participant(index, symmetric()))
        .collect();
    plan.servers.turn_credentials = TurnCredentials::Expiring {
        lifetime: seconds(60.0),
        check,
    };
    plan.events = events;
    // Freezes are judged by the average of some frames (webrtc-stats), which the first ones are not.
    (plan.warmup, plan.duration) = (seconds(40.0), seconds(end - 40.0));
    plan
}

fn rebind(second: f64) -> Event {
    Event {
        at: seconds(second),
        lasts: seconds(0.0),
        what: Happening::NatRebind { participant: 0 },
    }
}

/// What a restart of ICE onto a relay takes (`networks.rs`), and up to a picture's second.
const RESTART_MS: RangeInclusive<f64> = 5_000.0..=10_500.0;

fn interruptions(record: &CellRecord) -> impl Iterator<Item = &Interruption> {
    record.streams.iter().flat_map(|stream| {
        assert_eq!(stream.path.as_deref(), Some("relay"), "{stream:?}");
        &stream.interruptions
    })
}

#[test]
fn a_restart_allocates_with_credentials_that_were_renewed() {
    // Those that the call began with are good for 60 s, and the address changes at 100 s.
    let record = call(&relayed(
        130.0,
        ExpiryCheck::Allocation,
        vec![rebind(100.0)],
    ));
    for interruption in interruptions(&record) {
        assert!(interruption.recovered, "{interruption:?}");
        assert!(
            RESTART_MS.contains(&interruption.gap_ms),
            "{interruption:?}"
        );
    }
    assert_eq!(interruptions(&record).count(), 2);
}

#[test]
fn an_allocation_outlives_its_credentials_if_the_server_lets_it() {
    // Allocations live for 600 s and permissions for 300 s unless they are refreshed (RFC 8656
    // sections 3.2 and 9), with credentials that have expired after 60 s.
    let record = call(&relayed(700.0, ExpiryCheck::Allocation, Vec::new()));
    for stream in &record.streams {
        assert_eq!((stream.freezes, stream.path.as_deref()), (0, Some("relay")));
    }
}

#[test]
fn a_server_that_checks_every_request_interrupts_calls_when_permissions_end() {
    // Permissions are refreshed every 2 min, in vain, and end 300 s after they were made or last
    // refreshed while the credentials were good: in the first 60 s. Then nothing is heard, and ICE
    // restarts with what was renewed. That again is good for 60 s at most.
    let record = call(&relayed(420.0, ExpiryCheck::EveryRequest, Vec::new()));
    for stream in &record.streams {
        assert_eq!(stream.freezes, 1, "{stream:?}");
        assert!(RESTART_MS.contains(&stream.freeze_ms), "{stream:?}");
    }
}
