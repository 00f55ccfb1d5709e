//! The mixing clock, told the time to the nanosecond. Ticks are every 20 ms from 100 ms on, the
//! wait is 8 ms, and a picture of each participant is due every 20 ms.

use sim::time::nanos;

use super::*;

const SETTINGS: TickSettings = TickSettings {
    start: Time::from_millis(100),
    per_second: 50,
    wait: Duration::from_millis(8),
    picture_interval: Duration::from_millis(20),
};

const INSTANT: Duration = Duration::from_nanos(1);

fn ms(millis: u64) -> Time {
    Time::from_millis(millis)
}

fn just_before(time: Time) -> Time {
    Time::from_nanos(time.as_nanos() - nanos(INSTANT))
}

/// A clock and what it decided, whose compositions take no time unless told otherwise.
struct Mixer {
    clock: MixingClock,
    /// Each tick and when it was composed, in ms.
    composed: Vec<(u64, u64)>,
}

impl Mixer {
    fn new(settings: TickSettings) -> Self {
        Mixer {
            clock: MixingClock::new(settings),
            composed: Vec::new(),
        }
    }

    /// Wakes the clock whenever it wants to be, up to and with `end`.
    fn run_until(&mut self, end: Time) {
        while self.clock.wake_at() <= end {
            let now = self.clock.wake_at();
            self.advance(now);
        }
    }

    fn advance(&mut self, now: Time) {
        let millis = |time: Time| time.as_nanos() / 1_000_000;
        if let Some(tick) = self.clock.advance(now) {
            self.composed.push((millis(tick), millis(now)));
            self.clock.finished(now);
        }
    }

    /// Runs to the instant `now`, at which a picture comes. It comes before the clock wakes.
    fn arrive(&mut self, participant: u16, now: Time) {
        self.run_until(just_before(now));
        self.clock.arrived(participant, now);
        self.advance(now);
    }
}

#[test]
fn pictures_in_time_are_composed_at_the_tick() {
    // Each comes 5 ms before a tick: at 95, 115, 135 and 155.
    let mut mixer = Mixer::new(SETTINGS);
    for tick in [100, 120, 140, 160] {
        mixer.arrive(1, ms(tick - 5));
        mixer.arrive(2, ms(tick - 5));
    }
    mixer.run_until(ms(160));
    assert_eq!(
        mixer.composed,
        [(100, 100), (120, 120), (140, 140), (160, 160)]
    );
    let counts = TickCounts {
        composed: 4,
        ..TickCounts::default()
    };
    assert_eq!(mixer.clock.counts(), counts);
}

#[test]
fn ticks_do_not_drift() {
    // The 3,000th tick at 30 per second is 100 s after the first, though a period is no whole
    // number of nanoseconds; the 1st is 33,333,333 ns after it.
    let mut clock = MixingClock::new(TickSettings {
        per_second: 30,
        ..SETTINGS
    });
    let ticks: Vec<Time> = (0..=3_000)
        .map(|_| {
            let tick = clock.wake_at();
            assert_eq!(clock.advance(just_before(tick)), None);
            assert_eq!(clock.advance(tick), Some(tick));
            clock.finished(tick);
            tick
        })
        .collect();
    assert_eq!(ticks[1], Time::from_nanos(133_333_333));
    assert_eq!(ticks[3_000], ms(100_100));
}

#[test]
fn a_late_picture_is_waited_for_and_no_longer_than_it_takes() {
    // Due at 95 + 20 = 115, it comes at 123, 3 ms into the wait.
    let mut mixer = Mixer::new(SETTINGS);
    mixer.arrive(1, ms(95));
    mixer.run_until(ms(122));
    assert_eq!(mixer.composed, [(100, 100)]);
    mixer.arrive(1, ms(123));
    assert_eq!(mixer.composed, [(100, 100), (120, 123)]);
    // The tick after is where it would have been.
    mixer.arrive(1, ms(139));
    mixer.run_until(ms(140));
    assert_eq!(mixer.composed[2], (140, 140));
    let counts = TickCounts {
        composed: 3,
        waited: 1,
        ..TickCounts::default()
    };
    assert_eq!(mixer.clock.counts(), counts);
}

#[test]
fn of_several_late_ones_the_last_one_counts() {
    let mut mixer = Mixer::new(SETTINGS);
    (1..=3).for_each(|who| mixer.arrive(who, ms(95)));
    mixer.arrive(2, ms(121));
    mixer.arrive(1, ms(126));
    mixer.run_until(ms(126));
    assert_eq!(mixer.composed, [(100, 100)]);
    mixer.arrive(3, ms(127));
    assert_eq!(mixer.composed, [(100, 100), (120, 127)]);
}

#[test]
fn a_wait_ends_at_its_limit() {
    // Waiting from 120 on, not a nanosecond less than 8 ms and not one more.
    let mut mixer = Mixer::new(SETTINGS);
    mixer.arrive(1, ms(95));
    mixer.run_until(just_before(ms(128)));
    assert_eq!(mixer.composed, [(100, 100)]);
    assert_eq!(mixer.clock.wake_at(), ms(128));
    mixer.run_until(ms(128));
    assert_eq!(mixer.composed, [(100, 100), (120, 128)]);
    assert_eq!(mixer.clock.counts().waited_in_vain, 1);
}

#[test]
fn a_picture_is_late_from_when_it_is_due() {
    // After one at 100 the next is due at 120, the tick: late. Due a nanosecond later, it is not.
    for (later, waits) in [(Duration::ZERO, 1), (INSTANT, 0)] {
        let mut mixer = Mixer::new(TickSettings {
            picture_interval: SETTINGS.picture_interval + later,
            ..SETTINGS
        });
        mixer.arrive(1, ms(100));
        mixer.run_until(ms(120));
        assert_eq!(mixer.clock.counts().waited, waits);
    }
}

#[test]
fn who_is_frozen_costs_the_others_one_wait() {
    // Participant 1 sends at 95 and then nothing: the tick at 120 waits to 128, no other one does.
    // Participant 2 goes on and is in every picture.
    let mut mixer = Mixer::new(SETTINGS);
    mixer.arrive(1, ms(95));
    for tick in (100..=200).step_by(20) {
        mixer.arrive(2, ms(tick - 5));
    }
    mixer.run_until(ms(200));
    let expected = [
        (100, 100),
        (120, 128),
        (140, 140),
        (160, 160),
        (180, 180),
        (200, 200),
    ];
    assert_eq!(mixer.composed, expected);
    // It comes back at 215 and is waited for again: at 240, due since 235.
    mixer.arrive(1, ms(215));
    mixer.arrive(2, ms(215));
    mixer.arrive(2, ms(235));
    mixer.run_until(ms(260));
    assert_eq!(mixer.composed[6..8], [(220, 220), (240, 248)]);
    assert_eq!(mixer.clock.counts().waited_in_vain, 2);
}

#[test]
fn nobody_waits_for_a_slow_camera_between_its_pictures() {
    // One picture in 40 ms: between two of them nothing is due.
    let mut mixer = Mixer::new(TickSettings {
        picture_interval: Duration::from_millis(40),
        ..SETTINGS
    });
    for arrival in [95, 135, 175, 215] {
        mixer.arrive(1, ms(arrival));
    }
    mixer.run_until(ms(220));
    assert!(mixer.composed.iter().all(|(tick, at)| tick == at));
    assert_eq!(mixer.composed.len(), 7);
}

#[test]
fn nobody_waits_for_who_has_not_begun_or_has_left() {
    let mut mixer = Mixer::new(SETTINGS);
    mixer.run_until(ms(100));
    mixer.arrive(1, ms(115));
    // The composition of 140 waits for participant 1, who leaves at 143.
    mixer.run_until(ms(142));
    assert_eq!(mixer.composed, [(100, 100), (120, 120)]);
    mixer.clock.left(1);
    mixer.advance(ms(143));
    assert_eq!(mixer.composed[2], (140, 143));
    mixer.run_until(ms(160));
    assert_eq!(mixer.composed[3], (160, 160));
}

#[test]
fn a_tick_is_missed_while_a_composition_is_under_way() {
    // Begun at 100, the composition lasts to 141: the ticks at 120 and 140 are missed, that at 160
    // is not, whether the clock was asked at each or not.
    for asked in [true, false] {
        let mut clock = MixingClock::new(SETTINGS);
        assert_eq!(clock.advance(ms(100)), Some(ms(100)));
        for tick in [ms(120), ms(140)] {
            if asked {
                assert_eq!(clock.wake_at(), tick);
                assert_eq!(clock.advance(just_before(tick)), None);
                assert_eq!(clock.advance(tick), None);
            }
        }
        clock.finished(ms(141));
        assert_eq!(clock.advance(ms(141)), None);
        assert_eq!(clock.advance(ms(160)), Some(ms(160)));
        let counts = TickCounts {
            composed: 2,
            missed: 2,
            ..TickCounts::default()
        };
        assert_eq!(clock.counts(), counts);
    }
}

#[test]
fn a_composition_that_is_done_at_the_tick_is_done_in_time() {
    for (done, missed) in [(ms(120), 0), (ms(120) + INSTANT, 1)] {
        let mut clock = MixingClock::new(SETTINGS);
        assert_eq!(clock.advance(ms(100)), Some(ms(100)));
        clock.finished(done);
        assert_eq!(clock.counts().missed, missed);
        assert_eq!(clock.advance(done), (missed == 0).then_some(ms(120)));
    }
}

#[test]
fn a_wait_that_reaches_the_next_tick_misses_it() {
    // A wait of 25 ms from 120 on: 140 is missed, 120 is composed at 145.
    let mut mixer = Mixer::new(TickSettings {
        wait: Duration::from_millis(25),
        ..SETTINGS
    });
    mixer.arrive(1, ms(95));
    mixer.run_until(ms(160));
    assert_eq!(mixer.composed, [(100, 100), (120, 145), (160, 160)]);
    assert_eq!(mixer.clock.counts().missed, 1);
}

#[test]
fn who_asks_late_composes_the_last_tick_alone() {
    // At 150, the ticks at 100, 120 and 140 have passed.
    let mut clock = MixingClock::new(SETTINGS);
    assert_eq!(clock.advance(ms(150)), Some(ms(140)));
    clock.finished(ms(150));
    assert_eq!(clock.counts().missed, 2);
    assert_eq!(clock.wake_at(), ms(160));
}

#[test]
fn ticks_count_from_the_start_of_the_clock_and_none_is_missed_while_nobody_is_there() {
    // 30 ticks a second do not fall on whole nanoseconds: tick 1 is at 33,333,333 ns, tick 2 at
    // 66,666,666 and tick 90 at 3 s.
    let settings = TickSettings {
        per_second: 30,
        ..SETTINGS
    };
    let mut clock = MixingClock::new(settings);
    let start = settings.start;
    for (number, nanos) in [
        (0, 0),
        (1, 33_333_333),
        (2, 66_666_666),
        (90, 3_000_000_000),
    ] {
        let tick = start + Duration::from_nanos(nanos);
        clock.skip_to(tick);
        assert_eq!(clock.wake_at(), tick);
        assert_eq!(clock.number(tick), number);
    }
    // Just after a tick the next one is the first.
    clock.skip_to(start + Duration::from_secs(3) + INSTANT);
    assert_eq!(clock.wake_at(), start + Duration::from_nanos(3_033_333_333));
    assert_eq!(clock.counts(), TickCounts::default());
}
