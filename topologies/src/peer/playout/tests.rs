use std::time::{Duration, Instant};

use rtc::interceptor::{Interceptor, Packet as Tagged, StreamInfo, TaggedPacket};
use rtc::sansio::Protocol;
use sim::Time;

use super::buffer::CAPACITY;
use super::*;
use crate::peer::interceptors::JitterBuffer;

mod pictures;

const SSRC: u32 = 7;
const VIDEO: u32 = 90_000;
const DEPTH: Duration = Duration::from_millis(60);
/// Between two packets of a stream at 50 packets per second.
const SPACING: u64 = 20;
/// The same in ticks of [`VIDEO`].
const TICKS: u32 = 1_800;

/// One RTP packet: when it arrives, ms after the start, and its header.
#[derive(Clone, Copy)]
struct Arrival {
    at: u64,
    sequence: u16,
    timestamp: u32,
}

/// Packet `number` of a stream that starts at sequence number and timestamp 0, as it arrives
/// `transit` ms after it was captured.
fn captured(number: u64, transit: u64) -> Arrival {
    Arrival {
        at: number * SPACING + transit,
        sequence: number as u16,
        timestamp: number as u32 * TICKS,
    }
}

fn packet(arrival: Arrival) -> Packet {
    let mut packet = Packet::default();
    packet.header.ssrc = SSRC;
    packet.header.sequence_number = arrival.sequence;
    packet.header.timestamp = arrival.timestamp;
    packet
}

/// Feeds `arrivals` to a buffer that is asked whenever something is due. Returns when each sequence
/// number was let go, in us after the start, in that order.
fn play(
    buffer: &mut PlayoutBuffer,
    arrivals: impl IntoIterator<Item = Arrival>,
) -> Vec<(u16, u64)> {
    let mut released = Vec::new();
    for arrival in arrivals {
        let now = Time::from_millis(arrival.at);
        release(buffer, Some(now), &mut released);
        buffer.push(now, packet(arrival));
        collect(buffer, now, &mut released);
    }
    release(buffer, None, &mut released);
    released
}

/// Lets go what is due up to `end`; everything if there is no end.
fn release(buffer: &mut PlayoutBuffer, end: Option<Time>, released: &mut Vec<(u16, u64)>) {
    while let Some(due) = buffer.next_due() {
        if end.is_some_and(|end| due > end) {
            break;
        }
        collect(buffer, due, released);
    }
}

fn collect(buffer: &mut PlayoutBuffer, now: Time, released: &mut Vec<(u16, u64)>) {
    while let Some(due) = buffer.pop(now) {
        released.push((due.packet.header.sequence_number, now.as_nanos() / 1_000));
    }
}

fn ours() -> PlayoutBuffer {
    PlayoutBuffer::new(VIDEO, DEPTH)
}

/// What was let go, in us, if packet `number` goes at `at(number)` ms.
fn released(numbers: impl IntoIterator<Item = u64>, at: impl Fn(u64) -> u64) -> Vec<(u16, u64)> {
    let one = |number| (number as u16, at(number) * 1_000);
    numbers.into_iter().map(one).collect()
}

/// With one transit time for all, everything is let go exactly a depth after it arrived.
#[test]
fn a_fixed_transit_is_let_go_a_depth_after_arrival() {
    let played = play(&mut ours(), (0..50).map(|number| captured(number, 15)));
    let expected = released(0..50, |number| number * SPACING + 15 + 60);
    assert_eq!(played, expected);
}

/// The first packet is the fastest (transit 10 ms) and the others take up to 50 ms more, less than
/// the depth: all go at capture + 10 + 60 ms, as evenly as they were captured.
#[test]
fn jitter_is_taken_out() {
    let jitter = |number: u64| number * 37 % 51;
    let mut arrivals: Vec<_> = (0..100)
        .map(|number| captured(number, 10 + jitter(number)))
        .collect();
    arrivals.sort_by_key(|arrival| arrival.at);
    let played = play(&mut ours(), arrivals);
    assert_eq!(
        played,
        released(0..100, |number| number * SPACING + 10 + 60)
    );
}

/// Packet 10 is the first fast one (transit 10 ms, not 40): from it on all go 30 ms earlier. Packet
/// 10 itself is due at 270 ms, before 9 (280 ms), and waits for it.
#[test]
fn a_faster_packet_sets_the_pace() {
    let transit = |number| if number < 10 { 40 } else { 10 };
    let played = play(
        &mut ours(),
        (0..20).map(|number| captured(number, transit(number))),
    );
    let due = |number| number * SPACING + transit(number) + 60;
    let at = |number| if number == 10 { due(9) } else { due(number) };
    assert_eq!(played, released(0..20, at));
}

/// A repair that comes 55 ms late, within the depth, is put where it belongs, at its time.
#[test]
fn order_is_restored_within_the_depth() {
    let mut arrivals: Vec<_> = (0..20)
        .map(|number| captured(number, if number == 8 { 65 } else { 10 }))
        .collect();
    arrivals.sort_by_key(|arrival| arrival.at);
    let played = play(&mut ours(), arrivals);
    assert_eq!(played, released(0..20, |number| number * SPACING + 70));
}

/// Packet 8 arrives at 170 + 75 = 245 ms; its successor went at 180 + 70 = 250 ms in the first
/// case, and would have to wait for it. At 255 ms it is too late: 9 is gone, 8 is not let go.
#[test]
fn what_comes_after_its_successors_is_dropped() {
    let with = |late_at: u64| {
        let late = Arrival {
            at: late_at,
            ..captured(8, 0)
        };
        let others = (0..20).filter(|number| *number != 8);
        let mut arrivals: Vec<_> = others.map(|number| captured(number, 10)).collect();
        arrivals.push(late);
        arrivals.sort_by_key(|arrival| arrival.at);
        play(&mut ours(), arrivals)
    };
    let in_time = |number: u64| (number * SPACING + 70).max(if number == 8 { 245 } else { 0 });
    assert_eq!(with(245), released(0..20, in_time));
    let others = (0..20).filter(|number| *number != 8);
    assert_eq!(with(255), released(others, |number| number * SPACING + 70));
}

/// A copy is dropped while the first one waits (12 ms) and after it has gone (130 ms).
#[test]
fn duplicates_are_dropped() {
    let mut arrivals: Vec<_> = (0..20).map(|number| captured(number, 10)).collect();
    for at in [12, 130] {
        arrivals.push(Arrival {
            at,
            ..captured(0, 0)
        });
    }
    arrivals.sort_by_key(|arrival| arrival.at);
    let played = play(&mut ours(), arrivals);
    assert_eq!(played, released(0..20, |number| number * SPACING + 70));
}

/// Sequence number and timestamp wrap at packet 50, and packets 49 and 50 change places.
#[test]
fn wraps_change_nothing() {
    let mut arrivals: Vec<_> = (0..100)
        .map(|number| Arrival {
            at: number * SPACING + if number == 49 { 35 } else { 10 },
            sequence: (number as u16).wrapping_sub(50),
            timestamp: (number as u32 * TICKS).wrapping_sub(50 * TICKS),
        })
        .collect();
    arrivals.sort_by_key(|arrival| arrival.at);
    let expected: Vec<_> = released(0..100, |number| number * SPACING + 70)
        .into_iter()
        .map(|(sequence, at)| (sequence.wrapping_sub(50), at))
        .collect();
    assert_eq!(play(&mut ours(), arrivals), expected);
}

/// A minute at 50 packets per second: 3,000 packets, each at its time.
#[test]
fn a_long_stream_loses_nothing() {
    let played = play(&mut ours(), (0..3_000).map(|number| captured(number, 10)));
    assert_eq!(played, released(0..3_000, |number| number * SPACING + 70));
}

/// Feeds `arrivals` to the stack's buffer and asks it whenever it wants to be. Returns the sequence
/// numbers that it let go.
fn play_stacks(arrivals: impl IntoIterator<Item = Arrival>) -> std::collections::BTreeSet<u16> {
    #[allow(clippy::disallowed_methods)] // Instants are opaque: any one will do as the start.
    let start = Instant::now();
    let mut buffer = JitterBuffer::new(VIDEO, DEPTH);
    buffer.bind_remote_stream(&StreamInfo {
        ssrc: SSRC,
        clock_rate: VIDEO,
        ..StreamInfo::default()
    });
    let mut kept = std::collections::BTreeSet::new();
    for arrival in arrivals {
        let now = start + Duration::from_millis(arrival.at);
        while let Some(due) = buffer.poll_timeout().filter(|due| *due <= now) {
            buffer.handle_timeout(due).unwrap();
        }
        let message = Tagged::Rtp(packet(arrival)).into();
        let transport = Default::default();
        buffer
            .handle_read(TaggedPacket {
                now,
                transport,
                message,
            })
            .unwrap();
    }
    while let Some(due) = buffer.poll_timeout() {
        buffer.handle_timeout(due).unwrap();
    }
    while let Some(message) = buffer.poll_read() {
        if let Tagged::Rtp(packet) = &message.message.packet {
            kept.insert(packet.header.sequence_number);
        }
    }
    kept
}

/// The reason why there is a buffer of ours: with the same input, the stack's takes every timestamp
/// more than 10 s after its anchor, which is 501 packets after it, for a restart, and forgets what
/// it holds: the two packets captured less than a depth before. 3,000 packets have 5 such places.
/// When this fails, the stack has been mended, and `steady-playout` can go.
#[test]
fn the_stacks_buffer_forgets_what_it_holds_every_ten_seconds() {
    let kept = play_stacks((0..3_000).map(|number| captured(number, 10)));
    let lost: Vec<_> = (0..3_000).filter(|number| !kept.contains(number)).collect();
    let expected: Vec<u16> = (1..=5)
        .flat_map(|restart| [501 * restart - 2, 501 * restart - 1])
        .collect();
    assert_eq!(lost, expected);
}

/// A stream that sends without end at one instant fills what a stream may hold, and no more.
#[test]
fn a_stream_holds_no_more_than_its_capacity() {
    let burst = (0..CAPACITY as u16 + 500).map(|sequence| Arrival {
        at: 10,
        sequence,
        timestamp: 0,
    });
    let played = play(&mut ours(), burst);
    assert_eq!(played.len(), CAPACITY);
    assert_eq!(played.last(), Some(&(CAPACITY as u16 - 1, 70_000)));
}

/// A sender whose clock jumps by an hour starts anew, a depth after arrival, without a hole.
#[test]
fn a_jump_of_the_senders_clock_starts_the_timeline_anew() {
    let jump = |number: u64| if number < 10 { 0 } else { 3_600 * VIDEO };
    let arrivals = (0..20).map(|number| Arrival {
        timestamp: captured(number, 10).timestamp.wrapping_add(jump(number)),
        ..captured(number, 10)
    });
    let played = play(&mut ours(), arrivals);
    assert_eq!(played, released(0..20, |number| number * SPACING + 70));
}

/// What a buffer for sound with in-band FEC lets go, of packets of 20 ms that each arrive 10 ms after
/// their capture and are due 60 ms after that: the number by its timestamp, whether another packet
/// stands in for it, and when it is let go, ms.
fn sound(numbers: &[u32], payload: &'static [u8]) -> Vec<(u32, bool, u64)> {
    let mut buffer = PlayoutBuffer::new(48_000, DEPTH).redundant();
    let mut released = Vec::new();
    let mut collect = |buffer: &mut PlayoutBuffer, until: Option<Time>| {
        while let Some(now) = buffer.next_due() {
            if until.is_some_and(|until| now > until) {
                break;
            }
            let due = buffer.pop_redundant(now);
            let due = due.or_else(|| buffer.pop(now));
            let due = due.expect("something is due");
            let number = due.packet.header.timestamp / 960;
            assert_eq!(u32::from(due.packet.header.sequence_number), number);
            released.push((number, due.redundant, now.as_nanos() / 1_000_000));
        }
    };
    for &number in numbers {
        let now = Time::from_millis(u64::from(number) * SPACING + 10);
        collect(&mut buffer, Some(now));
        let mut packet = packet(Arrival {
            at: 0,
            sequence: number as u16,
            timestamp: number * 960,
        });
        packet.payload = bytes::Bytes::from_static(payload);
        buffer.push(now, packet);
    }
    collect(&mut buffer, None);
    released
}

/// SILK of 20 ms, voice, with LBRR: see `repeats_the_one_before`.
const REPEATS: &[u8] = &[9 << 3, 0b1100_0000];

#[test]
fn a_missing_packet_of_sound_is_taken_from_the_next_one_when_it_is_due() {
    // Packet n is due at 20 n + 10 + 60. Of two that are missing, the second one is repeated.
    let expected = [
        (0, false, 70),
        (1, false, 90),
        (2, true, 110),
        (3, false, 130),
        (5, true, 170),
        (6, false, 190),
    ];
    assert_eq!(sound(&[0, 1, 3, 6], REPEATS), expected);
}

#[test]
fn a_packet_that_repeats_nothing_stands_in_for_nothing() {
    let expected = [(0, false, 70), (2, false, 110)];
    assert_eq!(sound(&[0, 2], &[9 << 3, 0b1000_0000]), expected);
}

#[test]
fn what_comes_after_another_stood_in_for_it_is_late() {
    let mut buffer = PlayoutBuffer::new(48_000, DEPTH).redundant();
    let of = |sequence: u16| {
        let mut packet = packet(Arrival {
            at: 0,
            sequence,
            timestamp: u32::from(sequence) * 960,
        });
        packet.payload = bytes::Bytes::from_static(REPEATS);
        packet
    };
    buffer.push(Time::from_millis(0), of(0));
    buffer.push(Time::from_millis(40), of(2));
    assert!(buffer.pop(Time::from_millis(60)).is_some());
    // Packet 1 is due at 20 + 60.
    assert!(buffer.pop_redundant(Time::from_millis(79)).is_none());
    assert!(buffer.pop_redundant(Time::from_millis(80)).is_some());
    buffer.push(Time::from_millis(81), of(1));
    assert_eq!(buffer.next_due(), Some(Time::from_millis(100)));
    assert_eq!(
        buffer
            .pop(Time::from_millis(100))
            .map(|due| due.packet.header.sequence_number),
        Some(2)
    );
    assert!(buffer.pop(Time::from_millis(100)).is_none());
}
