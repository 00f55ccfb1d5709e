//! Leaving in mid-call.

use sim::{Seed, simulate};

use super::support::{Lab, at, call, plan, seconds, video};

#[test]
fn who_leaves_is_missed_by_nobody() {
    let mut plan = plan(3, 8.0);
    plan.participants[2].leave = Some(seconds(4.0));
    let record = call(&plan);

    for (sender, receiver) in [(0, 1), (1, 0)] {
        let stream = video(&record, sender, receiver);
        assert_eq!(stream.freezes, 0);
        // 6 s at 15 frames per second.
        assert_eq!((stream.frames_sent, stream.frames_rendered), (90, 90));
    }
    for other in 0..2 {
        // The camera ends with the participant: 2 s of the window, 30 frames. Those of the last
        // 97 ms (path, playout, display) may be cut off with the connection: at most 2.
        let stream = video(&record, 2, other);
        assert_eq!(stream.frames_sent, 30);
        assert!((28..=30).contains(&stream.frames_rendered), "{stream:?}");
        // Being gone is not being frozen.
        assert_eq!((stream.freezes, stream.freeze_ms), (0, 0.0));
    }
    // What was on its way, and what was sent until the word had gone round (two one-way trips),
    // arrives in second 4. After that there is nothing, either way, but the end of the signalling
    // connection 2 s after the farewell: FIN and ACK each way, 40 bytes each, 0.64 kbps.
    for row in record.timeline.iter().filter(|row| row.host == "peer-2") {
        let least = row.up_kbps.min(row.down_kbps);
        let most = row.up_kbps.max(row.down_kbps);
        match row.second {
            2..=3 => assert!(least > 200.0, "{row:?}"),
            6 => assert!(most <= 0.64, "{row:?}"),
            5 | 7 => assert_eq!(most, 0.0, "{row:?}"),
            _ => {}
        }
    }
    assert_eq!(record.warnings, Vec::<String>::new());
}

/// When everybody has left, nothing of the call goes on: no camera (15 Hz), no loudspeaker
/// (50 Hz), no agent (5 Hz), and from 3 s after the last farewell on no TCP (1 kHz while it is in
/// use) either. What remains are the servers, which look for what has expired a few times per
/// second at the most.
#[test]
fn every_task_ends_with_the_call() {
    let events = |linger: bool| {
        simulate(Seed(1), move |world| {
            let mut plan = plan(2, 10.0);
            if !linger {
                plan.participants[0].leave = Some(seconds(3.0));
                plan.participants[1].leave = Some(seconds(3.5));
            }
            let mut lab = Lab::new(world, plan);
            let _handles = [lab.participate(0), lab.participate(1)];
            lab.world.run_until(at(8.0));
            let mut instants = 0;
            while let Some(next) = lab.world.network(|network| network.next_at()) {
                if next > at(9.0) {
                    break;
                }
                lab.world.run_until(next);
                instants += 1;
            }
            lab.finish();
            instants
        })
    };
    let (during, after) = (events(true), events(false));
    // 2 cameras, 2 loudspeakers and 2 microphones: at least 230 in a second.
    assert!(during >= 230, "{during} instants with events");
    assert!(after <= 5, "{after} instants with events");
}
