//! Pictures whose missing packets are waited for: one packet each, 20 ms apart, 10 ms on their way.
//! The depth begins at 60 ms, and is at its floor of 20 ms after 2 s.

use super::*;

/// By this one, the depth is at its floor if all come in time.
const SETTLED: u64 = 150;

const KEYFRAME: &[u8] = &[0x67];
const OTHER: &[u8] = &[0x61, 0x80];

/// A packet that was let go: its number, and when, ms after the start.
type Release = (u64, u64);

/// Plays pictures to `length`, each as late as `late` says, or missing if it says nothing, to a
/// buffer whose receiver asks for what is missing, or not. Returns what was let go from [`SETTLED`]
/// on. `keyframe` is one, too, beside the first.
fn play_pictures(
    asks: bool,
    length: u64,
    keyframe: Option<u64>,
    late: impl Fn(u64) -> Option<u64>,
) -> Vec<Release> {
    let mut buffer = PlayoutBuffer::new(VIDEO, DEPTH).patient(asks);
    let arrival = |number| late(number).map(|late| captured(number, 10 + late));
    let mut arrivals: Vec<_> = (0..length).filter_map(arrival).collect();
    arrivals.sort_by_key(|arrival| arrival.at);
    let mut released = Vec::new();
    let mut clock = Time::default();
    let mut play = |buffer: &mut PlayoutBuffer, clock: &mut Time, end: Option<Time>| {
        while let Some(due) = buffer.next_due().map(|due| due.max(*clock)) {
            if end.is_some_and(|end| due >= end) {
                break;
            }
            *clock = due;
            let packet = buffer.pop(due).expect("it is due").packet;
            let number = u64::from(packet.header.sequence_number);
            released.push((number, due.as_nanos() / 1_000_000));
        }
    };
    for arrival in arrivals {
        let now = Time::from_millis(arrival.at);
        play(&mut buffer, &mut clock, Some(now));
        clock = now;
        let mut packet = packet(arrival);
        packet.header.marker = true;
        let anew = keyframe == Some(u64::from(arrival.sequence));
        packet.payload = bytes::Bytes::from_static(if anew { KEYFRAME } else { OTHER });
        buffer.push(now, packet);
    }
    play(&mut buffer, &mut clock, None);
    released.retain(|(number, _)| *number >= SETTLED);
    released
}

/// What was let go if it was `numbers`, each at `at(number)` ms.
fn expected(numbers: impl IntoIterator<Item = u64>, at: impl Fn(u64) -> u64) -> Vec<Release> {
    let one = |number| (number, at(number));
    numbers.into_iter().map(one).collect()
}

/// When a picture is due at the floor of the depth.
fn due(number: u64) -> u64 {
    number * SPACING + 10 + 20
}

/// Pictures that are all in time but for one, which is this late or never comes.
fn but(one: u64, late: Option<u64>) -> impl Fn(u64) -> Option<u64> {
    move |number| if number == one { late } else { Some(0) }
}

/// Picture 200 comes 150 ms late, at 4,160 ms: it and all that are due by then are let go in order
/// at that instant, none is lost, and the next is in time. The lateness of seven pictures (150, 130,
/// ... 30 ms) of 208 is less than 5 %, so the depth stays.
#[test]
fn a_repair_is_waited_for_and_breaks_nothing() {
    let at = |number| match number {
        200.. => due(number).max(4_160),
        _ => due(number),
    };
    let played = play_pictures(true, 300, None, but(200, Some(150)));
    assert_eq!(played, expected(SETTLED..300, at));
}

/// Picture 201 can have come at 4,030 ms. What is missing before it is asked for and waited for
/// for 400 ms from then on, and given up: the rest is let go, and nobody takes it for late.
#[test]
fn what_never_comes_is_given_up_in_the_end() {
    let at = |number| match number {
        201.. => due(number).max(4_030 + 400),
        _ => due(number),
    };
    let played = play_pictures(true, 300, None, but(200, None));
    assert_eq!(played, expected((SETTLED..300).filter(|n| *n != 200), at));
}

/// Where nothing is asked for and nothing came late, the wait is in vain.
#[test]
fn what_nobody_asks_for_is_given_up_when_the_next_is_due() {
    let played = play_pictures(false, 300, None, but(200, None));
    assert_eq!(played, expected((SETTLED..300).filter(|n| *n != 200), due));
}

/// ... until something is rebuilt in vain, 100 ms late. The next one that is so late is waited for:
/// picture 250, which comes at 5,110 ms.
#[test]
fn what_comes_in_vain_teaches_patience() {
    let late = |number| Some(if [200, 250].contains(&number) { 100 } else { 0 });
    let at = |number| match number {
        250.. => due(number).max(5_110),
        _ => due(number),
    };
    let played = play_pictures(false, 300, None, late);
    assert_eq!(played, expected((SETTLED..300).filter(|n| *n != 200), at));
}

/// Picture 205 is a keyframe: it is shown when it is due, and those that need what is missing never.
#[test]
fn a_keyframe_ends_the_wait() {
    let played = play_pictures(true, 300, Some(205), but(200, None));
    let shown = (SETTLED..300).filter(|n| !(200..205).contains(n));
    assert_eq!(played, expected(shown, due));
}

/// Once a second a picture is 100 ms late, and those behind it, which need it, 80, 60, 40 and 20 ms:
/// 4 % of 50 are later than 60 ms, and 6 % later than 40 ms. So the depth is 60 ms, which makes 2
/// of 50 late, and not the 100 ms that would make none.
#[test]
fn the_depth_covers_all_but_a_twentieth_of_pictures() {
    let is_late = |number| number % 50 == 25;
    let late = |number| Some(if is_late(number) { 100 } else { 0 });
    let at = |number: u64| {
        let before = number - (number - 25) % 50;
        (number * SPACING + 10 + 60).max(before * SPACING + 10 + 100)
    };
    let mut played = play_pictures(true, 1_000, None, late);
    played.retain(|(number, _)| *number >= 300);
    assert_eq!(played, expected(300..1_000, at));
}

/// Late by 0 to 99 ms, each as often as the others (37 and 100 have no common divisor): the 95th
/// percentile of pictures by themselves is 94 ms, give or take one of 5 s; in order none is later
/// than 99 ms. All are let go, out of order as they came.
#[test]
fn without_loss_the_depth_is_that_of_jitter() {
    let mut played = play_pictures(true, 1_000, None, |number| Some(number * 37 % 100));
    played.retain(|(number, _)| *number >= 300);
    let numbers: Vec<_> = played.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (300..1_000).collect::<Vec<_>>());
    for (number, at) in played {
        let after = at - (number * SPACING + 10);
        assert!((92..=99).contains(&after), "{number}: {after} ms");
    }
}

/// Every tenth packet of sound is 200 ms late. The first two or three come in vain, 1 % of what came
/// so far; from then on they are waited for.
#[test]
fn sound_learns_from_what_comes_too_late() {
    let late = |number| {
        if number >= SETTLED && number % 10 == 0 {
            200
        } else {
            0
        }
    };
    let mut arrivals: Vec<_> = (0..400).map(|n| captured(n, 10 + late(n))).collect();
    arrivals.sort_by_key(|arrival| arrival.at);
    let mut played = play(&mut ours().adaptive(), arrivals);
    played.retain(|(number, _)| u64::from(*number) >= 200);
    assert_eq!(played, released(200..400, |number| number * SPACING + 210));
}
