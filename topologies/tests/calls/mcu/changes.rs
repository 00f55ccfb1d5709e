//! Who comes, who goes, and whose link fails.

use std::time::Duration;

use reports::record::Kind;
use scenarios::{Event, Happening, McuEncoders};
use sim::{Seed, Time, simulate};
use topologies::observe::frames::Frame;
use topologies::world;

use super::super::support::{Lab, at, call, seconds};
use super::{PERIOD_MS, REFRESH_MS, WAIT_MS, mixed, observe, sent, watch, who};

#[test]
fn a_newcomer_is_seen_and_sees_within_a_second() {
    let mut plan = mixed(3, 6.0, McuEncoders::Shared);
    plan.participants[2].join = seconds(3.0);
    watch(plan, 6.0, |lab| {
        let server = world::media_server(&lab.plan);
        let mut observations = lab.observatory.lock();
        let connected = observations.calls.end(2, server).connected;
        drop(observations);
        let connected = connected.expect("it connects").as_millis_f64();
        for other in 0..2 {
            // Two paths of 20 ms and two playout buffers of 60; at most a camera's and the MCU's
            // period, its wait and a refresh more, where no packet is lost on the way up.
            let shown = lab.shown(2, other)[0].as_millis_f64() - connected;
            let most = 160.0 + 2.0 * PERIOD_MS + WAIT_MS + REFRESH_MS;
            assert!(
                (160.0..most).contains(&shown),
                "seen by {other}: {shown} ms"
            );
            // A path and a buffer; at most 300 ms between keyframes, a path for the last word of
            // DTLS, a period, the wait and a refresh more.
            let shown = lab.shown(other, 2)[0].as_millis_f64() - connected;
            let most = 80.0 + 300.0 + 20.0 + PERIOD_MS + WAIT_MS + REFRESH_MS;
            assert!((80.0..most).contains(&shown), "sees {other}: {shown} ms");
        }
    });
}

#[test]
fn who_leaves_is_no_longer_in_the_mix() {
    let mut plan = mixed(3, 5.0, McuEncoders::Shared);
    plan.participants[2].leave = Some(seconds(3.0));
    watch(plan, 5.0, |lab| {
        let observations = lab.observatory.lock();
        let sent = |kind, since| sent(&observations, &lab.plan, (0, kind), since);
        // Signalling takes two paths of 20 ms, at most 1 ms at each end, and a mixing tick.
        let gone = at(3.0) + Duration::from_millis(44 + 67);
        for kind in [Kind::Video, Kind::Audio] {
            let frames = sent(kind, at(2.0));
            let with = |frame: &&Frame| who(frame).contains(&2);
            let last = frames
                .values()
                .filter(with)
                .map(|frame| frame.captured)
                .max();
            let last = last.expect("it was there");
            assert!((at(2.9)..gone).contains(&last), "{kind:?}: {last:?}");
        }
        drop(observations);
        // 3 s of 15 pictures; nobody froze.
        let shown = lab.shown(1, 0);
        let since = |from: Time| shown.iter().filter(|time| **time >= from).count();
        assert!((44..=46).contains(&since(at(2.0))), "{}", since(at(2.0)));
    });
}

#[test]
fn one_whose_link_fails_holds_nobody_up_and_comes_back() {
    let outage = |lab: &Lab, now: f64| {
        let host = lab.hosts.participants[2];
        if now == 3.0 || now == 5.0 {
            lab.world
                .network(|network| network.set_outage(host, now == 3.0));
        }
    };
    let plan = mixed(3, 7.0, McuEncoders::Shared);
    let warnings = observe(plan, 7.0, outage, |lab| {
        let within = |sender, receiver, from, to| {
            let shown = lab.shown(sender, receiver);
            let inside = |time: &Time| (at(from)..at(to)).contains(time);
            shown.into_iter().filter(inside).collect::<Vec<_>>()
        };
        // The others: 2 s of 15 pictures, to within one at each end. One composition waits for
        // the picture that does not come, so a gap may be that and a refresh longer than a period.
        let shown = within(0, 1, 3.0, 5.0);
        assert!((29..=31).contains(&shown.len()), "{}", shown.len());
        let gaps = shown
            .windows(2)
            .map(|pair| (pair[1] - pair[0]).as_secs_f64() * 1e3);
        let longest = gaps.fold(0.0, f64::max);
        let most = PERIOD_MS + WAIT_MS + REFRESH_MS + 1e-3;
        assert!(
            (PERIOD_MS - REFRESH_MS..most).contains(&longest),
            "{longest}"
        );
        // What was on its way when the link failed is shown for 160 ms, two ticks and a refresh.
        assert!(!within(2, 0, 2.5, 3.0).is_empty());
        assert_eq!(within(2, 0, 3.4, 5.0), []);
        // A second after the link is back there are pictures again, both ways.
        for (sender, receiver) in [(2, 0), (0, 2)] {
            let shown = within(sender, receiver, 6.0, 7.0);
            assert!(
                (14..=16).contains(&shown.len()),
                "{sender}: {}",
                shown.len()
            );
        }
    });
    // Repairs of what the outage took are asked for and come; those from before the 64 packets of
    // the replay window (RFC 3711 section 3.3.2) are refused with a warning. There is no other one.
    let refused = |line: &&String| line.contains("SrtpHandler") && line.ends_with(": duplicated");
    assert_eq!(warnings.iter().find(|line| !refused(line)), None);
}

#[test]
fn after_a_restart_of_the_mcu_everybody_is_in_the_mix_again() {
    let mut plan = mixed(3, 11.0, McuEncoders::Shared);
    plan.events = vec![Event {
        at: seconds(4.0),
        lasts: seconds(1.0),
        what: Happening::ServerRestart,
    }];
    let record = call(&plan);
    for host in &record.hosts[..3] {
        let shown = |second: u32| {
            let mut rows = record.timeline.iter();
            let row = rows.find(|row| row.second == second && row.host == host.name);
            row.expect("a row for every second").frames_rendered
        };
        // Two others at 15 pictures a second, up to the crash, and from two seconds after the
        // restart on.
        assert_eq!(
            [shown(3), shown(7), shown(9)],
            [30, 30, 30],
            "{}",
            host.name
        );
        // What was on the receiver's own link and in its buffer: 10 and 60 ms of pictures, and a
        // refresh; 87 ms hold one or two of each.
        let last = shown(4);
        assert!((2..=4).contains(&last), "{}: {last}", host.name);
    }
}

/// With nobody there, an MCU neither composes (15 Hz) nor mixes (50 Hz). What remains are the
/// servers, which look for what has expired a few times per second at the most.
#[test]
fn an_mcu_that_nobody_uses_does_nothing() {
    let events = |linger: bool| {
        simulate(Seed(1), move |world| {
            let mut plan = mixed(2, 10.0, McuEncoders::Shared);
            if !linger {
                plan.participants[0].leave = Some(seconds(3.0));
                plan.participants[1].leave = Some(seconds(3.5));
            }
            let mut lab = Lab::new(world, plan);
            let _server = lab.serve();
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
    assert!(during >= 65, "{during} instants with events");
    assert!(after <= 5, "{after} instants with events");
}
