//! Joining, in mid-call and all at once.

use reports::record::CellRecord;

use super::support::{call, plan, seconds, video};

fn all_connected(record: &CellRecord) {
    for end in &record.connections {
        assert!(end.connected, "{} to {}", end.local, end.remote);
        assert_eq!(end.path.as_deref(), Some("direct"));
    }
}

/// Set-up of a direct pair over 20 ms one way, as measured for the stack with checks every 50 ms
/// and its own acceptance waits: host pairs need no wait, so ICE and DTLS take about 0.3 s after
/// the answer. Before that come TCP and WebSocket handshakes and the join (3 round trips of
/// 40 ms), gathering (a STUN round trip, and two of TURN), offer and answer through the server
/// (40 ms each) and gathering again: below 0.6 s. After that, a frame period (67 ms), 20 ms of
/// path, the playout delay (60 ms) and a display tick (17 ms): below 0.2 s. In all not above 1.5 s
/// even if a step is repeated, and never below the 9 one-way trips of signalling and media.
const FIRST_FRAME_MS: std::ops::Range<f64> = 180.0..1_500.0;

#[test]
fn a_newcomer_meets_everybody_and_disturbs_nobody() {
    let mut plan = plan(4, 8.0);
    plan.participants[3].join = seconds(4.0);
    let record = call(&plan);

    // 4 x 3 ends.
    assert_eq!(record.connections.len(), 12);
    all_connected(&record);
    for other in 0..3 {
        for (sender, receiver) in [(3, other), (other, 3)] {
            let first = video(&record, sender, receiver).first_frame_ms.unwrap();
            assert!(
                FIRST_FRAME_MS.contains(&first),
                "{sender} to {receiver}: {first} ms"
            );
        }
    }
    // Those who were there: measured from 2 to 8 s at 15 frames per second, 90 frames, with the
    // newcomer in between.
    for (sender, receiver) in [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
        let stream = video(&record, sender, receiver);
        assert_eq!(stream.freezes, 0, "{sender} to {receiver}");
        assert_eq!((stream.frames_sent, stream.frames_rendered), (90, 90));
    }
    assert_eq!(record.warnings, Vec::<String>::new());
}

#[test]
fn five_who_join_at_once_all_meet() {
    let record = call(&plan(5, 4.0));
    // 5 x 4 ends, each with a stream of every kind towards it.
    assert_eq!((record.connections.len(), record.streams.len()), (20, 40));
    all_connected(&record);
    for (sender, receiver) in (0..5).flat_map(|sender| (0..5).map(move |other| (sender, other))) {
        if sender != receiver {
            let stream = video(&record, sender, receiver);
            // 2 s at 15 frames per second.
            assert_eq!((stream.frames_sent, stream.frames_rendered), (30, 30));
        }
    }
    assert_eq!(record.warnings, Vec::<String>::new());
}
