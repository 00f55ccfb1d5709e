//! Latency is right: of every packet on the network, and of every stream in named parts.

use std::collections::BTreeMap;
use std::time::Duration;

use reports::record::{CellRecord, Kind, StreamRecord};
use scenarios::Plan;
use topologies::peer::stack::VIDEO_PAYLOAD_TYPE;
use topologies::world::window;

use crate::packets::{PacketLog, Rtp};
use crate::support::{DELAY, NANOS_PER_BYTE, call, of_kind, watched};

/// The first host after the participants is signalling, the second one is TURN.
fn turn(plan: &Plan) -> usize {
    plan.participants.len() + 1
}

/// Checks every RTP packet of the call, hop by hop, and returns how many there are.
fn check_every_packet(plan: &Plan, log: &PacketLog, hops_expected: usize) -> usize {
    let expected = log.expected_arrivals();
    let hops = log.rtp_hops();
    let end = (window(plan).1 + Duration::from_millis(500)).as_nanos();
    let mut checked = 0;
    for (rtp, hops) in &hops {
        if log.0[hops[0]].sent > end {
            continue; // May still be travelling when the run ends.
        }
        let links: Vec<_> = hops.iter().filter(|&&hop| !log.0[hop].looped).collect();
        assert_eq!(links.len(), hops_expected, "{rtp:?} takes the path, once");
        for pair in hops.windows(2) {
            // What the relay receives it sends on at that very nanosecond.
            let (host, at) = match log.0[pair[0]].looped {
                true => (turn(plan), log.0[pair[0]].sent),
                false => log.0[pair[0]].arrived.expect("nothing is lost"),
            };
            assert_eq!((host, at), (turn(plan), log.0[pair[1]].sent), "{rtp:?}");
            assert_eq!(log.0[pair[1]].origin, turn(plan), "{rtp:?}");
        }
        for hop in links {
            let (_, arrived) = log.0[*hop].arrived.expect("nothing is lost");
            assert_eq!(Some(arrived), expected[*hop], "{rtp:?}");
        }
        checked += 1;
    }
    checked
}

/// Departures of a stream follow its RTP timestamps: nothing was held back. Timestamps are whole
/// ticks and captures whole nanoseconds, so both are within one of each.
fn check_departures(plan: &Plan, log: &PacketLog) {
    let mut first: BTreeMap<u32, (u64, Rtp)> = BTreeMap::new();
    for (rtp, hops) in log.rtp_hops() {
        let rate = match rtp.payload_type == VIDEO_PAYLOAD_TYPE {
            true => 90_000,
            false => 48_000,
        };
        let sent = log.0[hops[0]].sent;
        if !log.0[hops[0]].sent_in(window(plan)) {
            continue;
        }
        let (start, origin) = *first.entry(rtp.ssrc).or_insert((sent, rtp));
        let ticks = i64::from(rtp.timestamp.wrapping_sub(origin.timestamp) as i32);
        let due = start as i64 + ticks * 1_000_000_000 / rate;
        assert!(
            (sent as i64 - due).abs() <= 2,
            "{rtp:?} left {} ns late",
            sent as i64 - due
        );
    }
    assert!(!first.is_empty());
}

fn part(stream: &StreamRecord, name: &str) -> f64 {
    stream.latency_parts_ms[name]
}

/// Every part of every stream's latency, against what it is derived from. `links` is how many
/// links a packet crosses.
fn check_parts(plan: &Plan, record: &CellRecord, links: u32) {
    let propagation = f64::from(links) * DELAY.as_secs_f64() * 1e3;
    // A packet of at most 1,160 + 12 + 16 + 28 + 4 = 1,220 bytes is serialised on every link.
    let serialisation = f64::from(links) * 1_220.0 * NANOS_PER_BYTE as f64 / 1e6;
    for stream in &record.streams {
        let name = (&stream.sender, &stream.receiver, stream.kind);
        // CPUs are free, so a picture is encoded when it is captured; sound takes its 20 ms. Parts
        // are never negative, so a mean of zero means that all of them are.
        let (encode, depth) = match stream.kind {
            Kind::Video => (0.0, plan.video.as_ref().unwrap().playout_delay),
            Kind::Audio => (20.0, plan.audio.as_ref().unwrap().playout_delay),
        };
        let depth = depth.as_secs_f64() * 1e3;
        assert!((part(stream, "encode") - encode).abs() < 1e-5, "{name:?}");
        assert!(part(stream, "pacing").abs() < 1e-9, "{name:?}");
        assert!(part(stream, "decode").abs() < 1e-9, "{name:?}");
        // Queueing behind other packets of this instant: a hundred small ones at the very most.
        let network = part(stream, "network");
        assert!(network > propagation, "{name:?}: {network}");
        assert!(
            network < propagation + serialisation + 2.0,
            "{name:?}: {network}"
        );
        // Packets are let go at the fastest packet's transit plus the depth. Serialisation is the
        // only difference between transits.
        let until_release = network + part(stream, "jitter_buffer");
        let fastest = until_release - depth;
        assert!(fastest > propagation - 1e-5, "{name:?}: {fastest}");
        assert!(fastest < propagation + serialisation, "{name:?}: {fastest}");
        let render = part(stream, "render");
        let period = match stream.kind {
            Kind::Video => 1e3 / 60.0,
            Kind::Audio => 20.0,
        };
        assert!((0.0..=period).contains(&render), "{name:?}: {render}");
        check_sum(stream, record);
    }
}

/// The parts add up to the latency that is measured end to end.
fn check_sum(stream: &StreamRecord, record: &CellRecord) {
    let sum: f64 = stream.latency_parts_ms.values().sum();
    let mean = stream.latency_us.mean().expect("there is media") / 1e3;
    let frames = (record.window_to_ms - record.window_from_ms) / 1e3;
    match stream.kind {
        // Samples are rounded to whole microseconds, so their mean is within half of one.
        Kind::Video => {
            assert!((sum - mean).abs() <= 0.000_51, "{sum} is not {mean} ms");
            assert_eq!(stream.latency_us.count(), (frames * 30.0) as u64);
        }
        // The probe is heard in the samples, 48 to a millisecond, with an error of its detector.
        Kind::Audio => assert!((sum - mean).abs() < 1.0, "{sum} is not {mean} ms"),
    }
}

#[test]
fn direct_packets_take_propagation_and_serialisation() {
    let plan = call(&["none", "none", "port-restricted"]);
    let (record, log) = watched(&plan);
    // 3 x 2 streams of 30 pictures and 50 packets of sound a second, for 1.5 s and more.
    assert!(check_every_packet(&plan, &log, 1) >= 6 * 80 * 3 / 2);
    check_departures(&plan, &log);
    check_parts(&plan, &record, 2);
    let streams = of_kind(&record, Kind::Video).count();
    assert_eq!(streams, 6);
}

#[test]
fn relayed_packets_take_the_detour_and_no_more() {
    let plan = call(&["symmetric", "port-restricted"]);
    let (record, log) = watched(&plan);
    assert!(check_every_packet(&plan, &log, 2) >= 2 * 80 * 3 / 2);
    check_departures(&plan, &log);
    check_parts(&plan, &record, 4);
    assert!(
        record
            .streams
            .iter()
            .all(|s| s.path.as_deref() == Some("relay"))
    );
}
