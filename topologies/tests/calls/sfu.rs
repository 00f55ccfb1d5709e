//! An SFU in mid-call: joins, leaves, outages, a restart.

use std::time::Duration;

use reports::record::CellRecord;
use scenarios::{Event, Happening, Plan, Topology};

use super::support::{call, plan, seconds, video};

fn sfu(number: u16, end: f64) -> Plan {
    Plan {
        topology: Topology::Sfu,
        ..plan(number, end)
    }
}

fn event(what: Happening, at: f64, lasts: f64) -> Event {
    Event {
        at: seconds(at),
        lasts: seconds(lasts),
        what,
    }
}

/// Video frames that `host` showed in the second that begins at `second`.
fn shown_in(record: &CellRecord, host: usize, second: u32) -> u64 {
    let name = &record.hosts[host].name;
    let mut rows = record.timeline.iter();
    let row = rows.find(|row| row.second == second && row.host == *name);
    row.expect("a row for every second").frames_rendered
}

/// Set-up as in a mesh, about 0.3 s. Then the SFU offers the others' tracks and asks them for
/// keyframes: an offer and an answer through signalling (80 ms), a request and a frame through the
/// SFU (80 ms), the playout delay and a display tick: seen within a second of joining, and of
/// being connected. Never before 9 one-way trips of 20 ms.
const FIRST_FRAME_MS: std::ops::Range<f64> = 180.0..1_000.0;

#[test]
fn a_newcomer_sees_everybody_and_disturbs_nobody() {
    let mut plan = sfu(4, 8.0);
    plan.participants[3].join = seconds(5.0);
    let record = call(&plan);
    for other in 0..3 {
        for (sender, receiver) in [(3, other), (other, 3)] {
            let first = video(&record, sender, receiver).first_frame_ms.unwrap();
            assert!(
                FIRST_FRAME_MS.contains(&first),
                "{sender} to {receiver}: {first} ms"
            );
        }
    }
    // Measured from 2 to 8 s at 15 frames per second, with the newcomer in between.
    for (sender, receiver) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
        let stream = video(&record, sender, receiver);
        assert_eq!(stream.freezes, 0, "{sender} to {receiver}");
        assert_eq!((stream.frames_sent, stream.frames_rendered), (90, 90));
    }
    assert_eq!(record.warnings, Vec::<String>::new());
}

#[test]
fn who_leaves_is_gone_and_disturbs_nobody() {
    let mut plan = sfu(3, 8.0);
    plan.participants[2].leave = Some(seconds(5.0));
    let record = call(&plan);
    // Two others, then one, at 15 frames per second each.
    assert_eq!(shown_in(&record, 0, 4), 30);
    assert_eq!(shown_in(&record, 0, 6), 15);
    for (sender, receiver) in [(0, 1), (1, 0)] {
        let stream = video(&record, sender, receiver);
        assert_eq!((stream.frames_sent, stream.frames_rendered), (90, 90));
    }
    // Nothing is sent to who has left.
    let gone = record.timeline.iter().filter(|row| row.second >= 6);
    let gone: Vec<_> = gone
        .filter(|row| row.host == record.hosts[2].name)
        .collect();
    assert!(!gone.is_empty());
    assert!(gone.iter().all(|row| row.up_kbps < 2.0), "{gone:?}");
    assert_eq!(record.warnings, Vec::<String>::new());
}

#[test]
fn a_link_that_is_out_for_three_seconds_recovers_and_the_rest_does_not_notice() {
    let mut plan = sfu(3, 12.0);
    plan.events = vec![event(Happening::Outage { participant: 2 }, 4.0, 3.0)];
    let record = call(&plan);
    // In the middle of the outage nothing arrives; two seconds after it, everything does.
    assert_eq!(shown_in(&record, 2, 5), 0);
    assert_eq!(shown_in(&record, 2, 9), 30);
    // The others miss the one, and nothing of each other.
    assert_eq!(shown_in(&record, 0, 5), 15);
    assert_eq!(shown_in(&record, 0, 9), 30);
    for (sender, receiver) in [(0, 1), (1, 0)] {
        let stream = video(&record, sender, receiver);
        assert_eq!(
            (stream.freezes, stream.frames_rendered),
            (0, stream.frames_sent)
        );
    }
}

#[test]
fn after_a_restart_of_the_sfu_everybody_connects_again() {
    let mut plan = sfu(3, 12.0);
    plan.events = vec![event(Happening::ServerRestart, 5.0, 1.0)];
    let record = call(&plan);
    for host in 0..3 {
        // Up to the crash, and from two seconds after the restart on, two others at 15 frames.
        assert_eq!(shown_in(&record, host, 4), 30, "{host}");
        assert_eq!(shown_in(&record, host, 8), 30, "{host}");
        // A playout delay after the crash the last picture was shown.
        assert!(shown_in(&record, host, 5) < 10, "{host}");
    }
}

/// Media needs no signalling: while that is out nothing changes, and who joins meanwhile is there
/// when it is back.
#[test]
fn an_outage_of_signalling_delays_a_newcomer_and_disturbs_nobody() {
    for topology in [Topology::Mesh, Topology::Sfu] {
        let mut plan = plan(3, 14.0);
        plan.topology = topology;
        plan.participants[2].join = seconds(5.0);
        plan.events = vec![event(Happening::SignalingOutage, 4.0, 3.0)];
        let record = call(&plan);
        for (sender, receiver) in [(0, 1), (1, 0)] {
            let stream = video(&record, sender, receiver);
            assert_eq!(stream.freezes, 0, "{topology}");
            assert_eq!(stream.frames_rendered, stream.frames_sent, "{topology}");
        }
        for (sender, receiver) in [(0, 2), (2, 0)] {
            // Not before signalling is back, 2 s after joining; attempts are at most 4 s apart and
            // take at most 5 s each (ClientConfig::new).
            let first = video(&record, sender, receiver).first_frame_ms.unwrap();
            let back = Duration::from_secs(2).as_secs_f64() * 1e3;
            assert!(
                (back..back + 9_000.0).contains(&first),
                "{topology}: {first} ms"
            );
        }
    }
}
