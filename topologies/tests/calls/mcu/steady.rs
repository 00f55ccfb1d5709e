//! Everybody sees and hears everybody else, as fast as they should.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use reports::record::{CellRecord, Kind, StreamRecord};
use scenarios::{McuEncoders, Plan};
use sim::Seed;
use topologies::observe::frames::Frame;

use super::super::support::{Lab, at, call, video};
use super::{NOTHING, PERIOD_MS, REFRESH_MS, mixed, sent, watch, who};

/// What is known of each part of a stream's latency, ms: CPUs are free, every path takes 20 ms, and
/// both playout buffers hold what comes for 60 ms.
fn expected_parts(kind: Kind) -> BTreeMap<&'static str, RangeInclusive<f64>> {
    let exactly = |ms: f64| ms - 1e-3..=ms + 1e-3;
    let (encode, period, render) = match kind {
        // A picture waits for one tick of the mixing clock, of the picture's own rate.
        Kind::Video => (0.0, PERIOD_MS, REFRESH_MS),
        // Sound has 20 ms in a packet, in a tick of the mix, and in one of the loudspeaker.
        Kind::Audio => (20.0, 20.0, 20.0),
    };
    let mut parts = BTreeMap::from([
        ("encode", exactly(encode)),
        ("pacing", exactly(0.0)),
        ("uplink", exactly(20.0)),
        ("mcu_jitter_buffer", exactly(60.0)),
        ("mcu_decode", exactly(0.0)),
        ("mcu_wait", 0.0..=period),
        ("mcu_encode", exactly(0.0)),
        ("mcu_pacing", exactly(0.0)),
        ("network", exactly(20.0)),
        ("jitter_buffer", exactly(60.0)),
        ("decode", exactly(0.0)),
        ("render", 0.0..=render),
    ]);
    if kind == Kind::Audio {
        // 312 samples of delay at 48 kHz, twice.
        parts.insert("codec", exactly(13.0));
    }
    parts
}

fn check_parts(stream: &StreamRecord) {
    let name = (&stream.sender, &stream.receiver, stream.kind);
    let expected = expected_parts(stream.kind);
    let parts = &stream.latency_parts_ms;
    let names: Vec<&str> = parts.keys().map(String::as_str).collect();
    assert_eq!(names, expected.keys().copied().collect::<Vec<_>>());
    for (part, expected) in &expected {
        let got = parts[*part];
        assert!(expected.contains(&got), "{name:?}: {part} {got} ms");
    }
    let sum: f64 = parts.values().sum();
    let mean = stream.latency_us.mean().expect("there is media") / 1e3;
    let error = match stream.kind {
        // Samples are rounded to whole microseconds, so their mean is within half of one.
        Kind::Video => 0.000_51,
        // The probe is heard in the samples, with an error of its detector.
        Kind::Audio => 1.0,
    };
    assert!(
        (sum - mean).abs() <= error,
        "{name:?}: {sum}, not {mean} ms"
    );
}

/// Everybody sees and hears everybody else, from 2 to 5 s.
fn check_call(plan: &Plan) -> CellRecord {
    let record = call(plan);
    let number = plan.participants.len();
    assert_eq!(record.streams.len(), 2 * number * (number - 1));
    for stream in &record.streams {
        let name = (&stream.sender, &stream.receiver, stream.kind);
        check_parts(stream);
        assert_eq!(stream.freezes, 0, "{name:?}");
        match stream.kind {
            // 15 a second, each of them once: the mixing clock has the cameras' rate.
            Kind::Video => assert_eq!((stream.frames_sent, stream.frames_rendered), (45, 45)),
            // A word every 500 ms.
            Kind::Audio => {
                let words = stream.latency_us.count();
                assert!((5..=7).contains(&words), "{name:?}: {words} words");
            }
        }
    }
    assert_eq!(record.warnings, NOTHING);
    record
}

#[test]
fn two_see_and_hear_each_other() {
    check_call(&mixed(2, 5.0, McuEncoders::Shared));
}

#[test]
fn three_see_and_hear_each_other() {
    check_call(&mixed(3, 5.0, McuEncoders::PerParticipant));
}

#[test]
fn four_see_and_hear_each_other() {
    let record = check_call(&mixed(4, 5.0, McuEncoders::Shared));
    // A connection each, seen from both ends.
    assert_eq!(record.connections.len(), 8);
}

#[test]
fn those_who_only_watch_get_the_same_mix() {
    let mut plan = mixed(3, 4.0, McuEncoders::PerParticipant);
    plan.participants[1].sends = false;
    plan.participants[2].sends = false;
    let record = call(&plan);
    for receiver in 1..3 {
        let stream = video(&record, 0, receiver);
        check_parts(stream);
        assert_eq!((stream.frames_sent, stream.frames_rendered), (30, 30));
    }
    assert_eq!(record.warnings, NOTHING);
}

#[test]
fn calls_of_one_kind_are_mixed_too() {
    for kind in [Kind::Video, Kind::Audio] {
        let mut plan = mixed(2, 4.0, McuEncoders::Shared);
        match kind {
            Kind::Video => plan.audio = None,
            Kind::Audio => plan.video = None,
        }
        let record = call(&plan);
        assert_eq!(record.streams.len(), 2);
        for stream in &record.streams {
            assert_eq!(stream.kind, kind);
            check_parts(stream);
        }
        assert_eq!(record.warnings, NOTHING);
    }
}

#[test]
fn a_mixed_call_replays_to_the_byte() {
    // The digest is of every packet's time and content.
    let digest = |seed| {
        let mut plan = mixed(2, 3.0, McuEncoders::PerParticipant);
        plan.seed = Seed(seed);
        call(&plan).digest
    };
    let first = digest(1);
    assert_eq!(first, digest(1));
    assert_ne!(first, digest(2));
}

#[test]
fn a_shared_encoder_gives_all_the_same_and_separate_ones_leave_the_receiver_out() {
    for encoders in [McuEncoders::Shared, McuEncoders::PerParticipant] {
        let look = move |lab: &Lab| {
            let observations = lab.observatory.lock();
            let all: BTreeSet<u16> = (0..3).collect();
            let sent = |to, kind| sent(&observations, &lab.plan, (to, kind), at(2.0));
            let first = sent(0, Kind::Video);
            // A second of pictures.
            assert_eq!(first.len(), 15);
            for to in 0..3 {
                let others = &all - &[to].into();
                let pictures = sent(to, Kind::Video);
                let bytes = |frames: &BTreeMap<u32, Frame>| {
                    let bytes = frames.iter().map(|(number, frame)| (*number, frame.bytes));
                    bytes.collect::<Vec<_>>()
                };
                let same = bytes(&pictures) == bytes(&first);
                let shared = encoders == McuEncoders::Shared;
                assert_eq!(same, shared || to == 0);
                let seen = if shared { &all } else { &others };
                assert!(pictures.values().all(|frame| who(frame) == *seen));
                // 50 packets of sound a second, always without the listener.
                let sounds = sent(to, Kind::Audio);
                assert_eq!(sounds.len(), 50);
                assert!(sounds.values().all(|frame| who(frame) == others));
            }
        };
        watch(mixed(3, 3.0, encoders), 3.0, look);
    }
}
