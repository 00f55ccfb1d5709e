//! Hosts whose CPUs take time: latency parts, frame rates and busy cores against closed forms.

use std::time::Duration;

use reports::record::{CellRecord, Kind, StreamRecord};
use scenarios::{CostProfile, Device, Plan};

use crate::support::{DELAY, NANOS_PER_BYTE, call, host, of_kind, record};

/// Luma pixels of the pictures of these calls.
pub const PIXELS: f64 = 160.0 * 90.0;
pub const FPS: f64 = 30.0;

/// Work that costs nothing, which may still have to wait for a core.
pub fn nothing() -> CostProfile {
    CostProfile {
        name: "test".to_owned(),
        video_encode_pixel_ns: 0.0,
        video_decode_pixel_ns: 0.0,
        scale_pixel_ns: 0.0,
        compose_pixel_ns: 0.0,
        audio_encode_sample_ns: 0.0,
        audio_decode_sample_ns: 0.0,
        mix_sample_ns: 0.0,
        packet_send_ns: 0.0,
        packet_receive_ns: 0.0,
        packet_forward_ns: 0.0,
        packet_relay_ns: 0.0,
    }
}

/// What costs this long per picture at speed 1.
pub fn per_picture(ms: f64) -> f64 {
    ms * 1e6 / PIXELS
}

pub fn device(cores: u32, speed: f64) -> Device {
    Device {
        label: "test".to_owned(),
        cores,
        speed,
    }
}

/// A call of two on these devices, without sound.
fn pair(costs: CostProfile, devices: [Device; 2]) -> Plan {
    let mut plan = Plan {
        costs: Some(costs),
        audio: None,
        ..call(&["none", "none"])
    };
    for (participant, device) in plan.participants.iter_mut().zip(devices) {
        participant.device = device;
    }
    plan
}

pub fn part(stream: &StreamRecord, name: &str) -> f64 {
    stream.latency_parts_ms[name]
}

/// The stream that `p0` sends.
fn first(record: &CellRecord) -> &StreamRecord {
    of_kind(record, Kind::Video)
        .find(|stream| stream.sender == "p0")
        .expect("p0 sends")
}

pub fn window_s(record: &CellRecord) -> f64 {
    (record.window_to_ms - record.window_from_ms) / 1e3
}

#[test]
fn encoding_and_decoding_take_what_the_profile_says_on_idle_cores() {
    // 14,400 pixels at 100 ns are 1.44 ms, 2.88 ms at a speed of 0.5; at 50 ns 0.72 and 1.44 ms.
    // Each end encodes and decodes one stream, on four cores: nothing waits.
    let costs = CostProfile {
        video_encode_pixel_ns: 100.0,
        video_decode_pixel_ns: 50.0,
        ..nothing()
    };
    let record = record(&pair(costs, [device(4, 0.5), device(4, 0.5)]));
    for stream in of_kind(&record, Kind::Video) {
        assert!((part(stream, "encode") - 2.88).abs() < 1e-5, "{stream:?}");
        assert!((part(stream, "decode") - 1.44).abs() < 1e-5, "{stream:?}");
        assert!(part(stream, "pacing").abs() < 1e-9, "{stream:?}");
        let frames = (window_s(&record) * FPS) as u64;
        assert_eq!(stream.frames_rendered, frames);
        // Parts add up to the latency, whose samples are rounded to whole microseconds.
        let sum: f64 = stream.latency_parts_ms.values().sum();
        let mean = stream.latency_us.mean().expect("there are frames") / 1e3;
        assert!((sum - mean).abs() <= 0.000_51, "{sum} is not {mean} ms");
    }
    for name in ["p0", "p1"] {
        let host = host(&record, name);
        // 30 pictures a second. The window is a whole number of intervals between captures, so it
        // has just as much encoding wherever it begins; decoding may be one picture off, since
        // the instants at which pictures arrive vary with their size.
        let encode = host.cpu_cores_by_work["encode"];
        assert!((encode - FPS * 2.88e-3).abs() < 1e-6, "{encode}");
        let decode = host.cpu_cores_by_work["decode"];
        let slack = 1.44e-3 / window_s(&record);
        assert!((decode - FPS * 1.44e-3).abs() <= slack, "{decode}");
        let sum: f64 = host.cpu_cores_by_work.values().sum();
        assert_eq!(host.cpu_cores_mean, Some(sum));
        assert!(host.skipped.is_empty(), "{:?}", host.skipped);
        let codecs = host.codecs;
        assert_eq!((codecs.video_encoders, codecs.video_decoders), (1, 1));
        assert_eq!((codecs.audio_encoders, codecs.audio_decoders), (0, 0));
    }
}

#[test]
fn packets_that_wait_for_a_cpu_show_as_pacing_and_never_as_network() {
    // Sending takes 2 ms and receiving 3 ms. Pictures are of few packets, and there are more cores
    // than that: each leaves 2 ms after it was encoded, unless more packets than there are cores
    // happen to be under way. The last packet arrives as it would without CPUs.
    let costs = CostProfile {
        packet_send_ns: 2e6,
        packet_receive_ns: 3e6,
        ..nothing()
    };
    let with = record(&pair(costs, [device(32, 1.0), device(32, 1.0)]));
    let without = record(&pair(nothing(), [device(32, 1.0), device(32, 1.0)]));
    let propagation = 2.0 * DELAY.as_secs_f64() * 1e3;
    let serialisation = 2.0 * 1_220.0 * NANOS_PER_BYTE as f64 / 1e6;
    let streams = of_kind(&with, Kind::Video).zip(of_kind(&without, Kind::Video));
    for (stream, free) in streams {
        assert!((part(stream, "pacing") - 2.0).abs() < 1e-5, "{stream:?}");
        let network = part(stream, "network");
        assert!(network > propagation && network < propagation + serialisation + 2.0);
        // The buffer counts from when it sees a packet, so it holds the picture for 3 ms more.
        let until = |stream| part(stream, "network") + part(stream, "jitter_buffer");
        let later = until(stream) - until(free);
        assert!((later - 3.0).abs() < serialisation, "{later}");
    }
    // Whatever crosses a link takes 2 or 3 ms of a core: media, RTCP and STUN.
    let host = host(&with, "p0");
    let packets = |traffic: &reports::record::Traffic| traffic.packets as f64;
    let busy_s = packets(&host.window_up) * 2e-3 + packets(&host.window_down) * 3e-3;
    let transport = host.cpu_cores_by_work["transport"] * window_s(&with);
    // A packet at each edge of the window and in each direction may be cut.
    assert!(
        (transport - busy_s).abs() <= 2.0 * 5e-3,
        "{transport} {busy_s}"
    );
}

#[test]
fn an_encoder_that_is_too_slow_skips_frames_and_does_not_queue_them() {
    // Encoding takes 50 ms of the only core, and a picture is captured every 33.3 ms: there always
    // is one that waits, so the encoder makes 20 a second and one of three is skipped.
    let costs = CostProfile {
        video_encode_pixel_ns: per_picture(50.0),
        ..nothing()
    };
    let record = record(&pair(costs, [device(1, 1.0), device(4, 1e3)]));
    let stream = first(&record);
    let frames = window_s(&record) * 20.0;
    for count in [stream.frames_sent, stream.frames_rendered] {
        assert!((count as f64 - frames).abs() <= 1.0, "{count}");
    }
    // Two pictures may wait. A place is free when the encoder takes one, every 50 ms, and taken by
    // the next capture, d < 33.3 ms later: that picture waits for 50 - d, for the one before it, and
    // takes 50 ms itself. Over the 100 ms in which the pattern repeats, the mean of both d is 8.3
    // to 25 ms, as the phase of the camera may be.
    let encode = part(stream, "encode");
    assert!((125.0 - 1e-3..=141.7).contains(&encode), "{encode} ms");
    // The core did nothing else, and never nothing.
    let p0 = host(&record, "p0");
    let cores = p0.cpu_cores_by_work["encode"];
    assert!((cores - 1.0).abs() < 1e-9, "{cores}");
    // Ten a second, from when the call was up, in the 2.5 s of warm-up, to its end 2.5 s later.
    let skipped = p0.skipped["encode"];
    assert!((24..=51).contains(&skipped), "{skipped}");
    assert!(host(&record, "p1").skipped.is_empty());
}

#[test]
fn a_decoder_that_is_too_slow_drops_frames_up_to_a_keyframe_and_does_not_queue_them() {
    // Decoding takes 50 ms of the only core, so 20 pictures a second are the most. When three wait,
    // what comes is dropped up to a keyframe, which takes a request of 20 ms, a picture, 20 ms and
    // the 60 ms of playout, while the decoder has 150 ms of work: it is never idle for long.
    let costs = CostProfile {
        video_decode_pixel_ns: per_picture(50.0),
        ..nothing()
    };
    let plan = pair(costs, [device(4, 1e3), device(1, 1.0)]);
    let record = record(&plan);
    let stream = first(&record);
    let fps = stream.frames_rendered as f64 / window_s(&record);
    assert!((10.0..=20.7).contains(&fps), "{fps}");
    // At most 50 ms of the picture before, two that wait, and its own 50 ms.
    let decode = part(stream, "decode");
    assert!((50.0 - 1e-6..=200.0).contains(&decode), "{decode} ms");
    let p1 = host(&record, "p1");
    let cores = p1.cpu_cores_by_work["decode"];
    assert!((0.5..=1.0 + 1e-9).contains(&cores), "{cores}");
    // Of 30 pictures a second 10 and more are dropped, over 2.5 to 5 s.
    let skipped = p1.skipped["decode"];
    assert!((20..=100).contains(&skipped), "{skipped}");
    // Asked for at most every 300 ms.
    let run = plan.warmup + plan.duration + Duration::from_secs(1);
    let most = run.as_millis() as u64 / 300 + 1;
    assert!((1..=most).contains(&stream.plis), "{}", stream.plis);
}

#[test]
fn a_call_on_busy_cpus_replays() {
    let costs = CostProfile {
        video_encode_pixel_ns: per_picture(20.0),
        video_decode_pixel_ns: per_picture(8.0),
        audio_encode_sample_ns: 500.0,
        audio_decode_sample_ns: 100.0,
        packet_send_ns: 40e3,
        packet_receive_ns: 40e3,
        ..nothing()
    };
    let mut plan = Plan {
        costs: Some(costs),
        ..call(&["symmetric", "port-restricted", "none"])
    };
    for participant in &mut plan.participants {
        participant.device = device(1, 1.0);
    }
    let first = record(&plan);
    assert_eq!(record(&plan), first);
    // Two encoders of 20 ms each take more than one core has at 30 frames per second.
    assert!(first.hosts[0].skipped["encode"] > 0);
    // Sound waits for pictures, but not so long that it is not worth hearing: 50 packets a second.
    for stream in of_kind(&first, Kind::Audio) {
        let rendered = stream.frames_rendered as f64 / (50.0 * window_s(&first));
        assert!((0.9..=1.0).contains(&rendered), "{stream:?}");
    }
}
