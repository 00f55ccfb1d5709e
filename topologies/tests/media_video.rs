//! Video from camera to picture: H.264, RTP and back.

use std::time::Duration;

use bytes::Bytes;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use topologies::media::scale::resize;
use topologies::media::{
    Camera, EncodedFrame, FrameAssembler, Marker, Scene, Stamped, VideoDecoder, VideoEncoder,
    VideoPacketizer, VideoSettings, marker, quality,
};

const SENDER: u16 = 3;

/// 1,200 bytes of RTP less its header and room for extensions.
const MAX_PAYLOAD: usize = 1_160;

const LARGE: VideoSettings = VideoSettings {
    width: 640,
    height: 360,
    fps: 30,
    bitrate_bps: 800_000,
    max_payload: MAX_PAYLOAD,
};

const SMALL: VideoSettings = VideoSettings {
    width: 160,
    height: 90,
    bitrate_bps: 100_000,
    ..LARGE
};

fn camera(settings: VideoSettings) -> impl Camera {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    Stamped::new(
        Box::new(Scene::new(rng, settings.width, settings.height)),
        SENDER,
    )
}

fn pts(n: u32, settings: VideoSettings) -> Duration {
    Duration::from_secs(1) * n / settings.fps
}

fn encode(settings: VideoSettings, frames: u32, keyframes: &[u32]) -> Vec<EncodedFrame> {
    let mut camera = camera(settings);
    let mut encoder = VideoEncoder::new(settings).unwrap();
    let encode = |n| {
        if keyframes.contains(&n) {
            encoder.request_keyframe();
        }
        encoder.encode(&camera.frame(n), pts(n, settings)).unwrap()
    };
    (0..frames).map(encode).collect()
}

#[test]
fn frames_survive_the_whole_way() {
    let mut camera = camera(LARGE);
    let mut encoder = VideoEncoder::new(LARGE).unwrap();
    let mut packetizer = VideoPacketizer::new(1, 102, u16::MAX - 50, MAX_PAYLOAD);
    let mut assembler = FrameAssembler::new();
    let mut decoder = VideoDecoder::new().unwrap();
    let mut decibels = Vec::new();
    for n in 0..60 {
        let original = camera.frame(n);
        let encoded = encoder.encode(&original, pts(n, LARGE)).unwrap();
        let mut packets = packetizer.packetize(&encoded.data, 3_000 * n);
        let last = packets.pop().unwrap();
        for packet in packets {
            assert_eq!(assembler.push(&packet).frame, None);
        }
        let frame = assembler.push(&last).frame.unwrap();
        assert_eq!(frame.data, encoded.data);
        let shown = decoder.decode(&frame.data).unwrap().unwrap();
        let expected = Some(Marker {
            sender: SENDER,
            frame: n,
        });
        assert_eq!(marker::read(&shown, shown.rect()), expected);
        // As a tile of a 4x4 grid would show it, coded once.
        let tile = resize(&shown, 160, 90);
        assert_eq!(marker::read(&tile, tile.rect()), expected);
        decibels.push(quality::psnr(&original, &shown));
    }
    // The scene's noise, uniform on -2..=2, has a variance of 2: a perfect picture without it
    // would score 45.1 dB, and what the encoder cannot afford to code ends there.
    let worst = decibels.iter().copied().fold(f64::INFINITY, f64::min);
    let mean = decibels.iter().sum::<f64>() / decibels.len() as f64;
    assert!(worst > 30.0, "worst frame {worst} dB");
    assert!((36.0..45.1).contains(&mean), "mean {mean} dB");
}

#[test]
fn rate_control_holds_the_target() {
    // Measured over 5 s, first keyframe included: 0.5 to 3 % below the target for several seeds
    // and sizes. Every NAL unit fits its packet: no payload is a fragment (type 28).
    let frames = encode(LARGE, 150, &[]);
    let bytes: usize = frames.iter().map(|frame| frame.data.len()).sum();
    let ratio = bytes as f64 * 8.0 / 5.0 / f64::from(LARGE.bitrate_bps);
    assert!((0.95..1.02).contains(&ratio), "{ratio} of the target");
    let mut packetizer = VideoPacketizer::new(1, 102, 0, MAX_PAYLOAD);
    for packet in frames
        .iter()
        .flat_map(|frame| packetizer.packetize(&frame.data, 0))
    {
        assert_ne!(packet.payload[0] & 0x1f, 28);
    }
}

/// Two seconds at each of three targets. A target is held over the second second, within 15 %: 30
/// frames are few for rate control, and the first second is for it to get there.
#[test]
fn a_running_encoder_follows_its_target_down_and_up_without_a_keyframe() {
    let mut camera = camera(LARGE);
    let mut encoder = VideoEncoder::new(LARGE).unwrap();
    let mut bits = [0.0; 6];
    for n in 0..180 {
        let bitrate_bps = [800_000, 300_000, 1_200_000][n as usize / 60];
        let settings = VideoSettings {
            bitrate_bps,
            ..LARGE
        };
        encoder.follow(settings).unwrap();
        let frame = encoder.encode(&camera.frame(n), pts(n, LARGE)).unwrap();
        assert_eq!(frame.keyframe, n == 0, "{n}");
        bits[n as usize / 30] += frame.data.len() as f64 * 8.0;
    }
    for (second, target) in [(1, 8e5), (3, 3e5), (5, 1.2e6)] {
        let ratio = bits[second] / target;
        assert!((0.85..1.15).contains(&ratio), "second {second}: {ratio}");
    }
}

#[test]
fn another_size_or_frame_rate_begins_with_a_keyframe() {
    let mut camera = camera(LARGE);
    let mut encoder = VideoEncoder::new(LARGE).unwrap();
    let slow = VideoSettings { fps: 15, ..LARGE };
    let small = VideoSettings {
        width: 320,
        height: 180,
        ..slow
    };
    for (n, settings, keyframe) in [
        (0, LARGE, true),
        (1, LARGE, false),
        (2, slow, true),
        (4, small, true),
        (6, small, false),
    ] {
        encoder.follow(settings).unwrap();
        let picture = resize(&camera.frame(n), settings.width, settings.height);
        let encoded = encoder.encode(&picture, pts(n, LARGE)).unwrap();
        assert_eq!(encoded.keyframe, keyframe, "{n}");
    }
}

#[test]
fn equal_inputs_give_equal_bytes_in_any_thread() {
    let here = encode(SMALL, 30, &[11]);
    let threads: Vec<_> = (0..2)
        .map(|_| std::thread::spawn(|| encode(SMALL, 30, &[11])))
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap(), here);
    }
}

#[test]
fn keyframes_come_first_and_on_request_only() {
    // A request before the first frame is met by it.
    let frames = encode(SMALL, 60, &[0, 20, 21]);
    let keyframes: Vec<usize> = (0..60).filter(|&n| frames[n].keyframe).collect();
    assert_eq!(keyframes, [0, 20, 21]);
    for n in keyframes {
        // A start code, then a sequence parameter set (type 7).
        assert_eq!(frames[n].data[..4], [0, 0, 0, 1]);
        assert_eq!(frames[n].data[4] & 0x1f, 7);
    }
}

#[test]
fn the_stream_is_what_its_profile_says() {
    // profile-level-id 42e01f: profile_idc 66 with constraint_set1 (constrained baseline, H.264,
    // A.2.1.1), at most level 3.1.
    let sps = &encode(LARGE, 1, &[])[0].data[4..];
    assert_eq!(sps[1], 0x42);
    assert_eq!(sps[2] & 0x40, 0x40);
    assert!((10..=31).contains(&sps[3]), "level_idc {}", sps[3]);
}

#[test]
fn no_frame_is_skipped_however_little_it_may_cost() {
    let starved = VideoSettings {
        bitrate_bps: 5_000,
        ..SMALL
    };
    let mut decoder = VideoDecoder::new().unwrap();
    for frame in encode(starved, 60, &[]) {
        assert!(decoder.decode(&frame.data).unwrap().is_some());
    }
}

#[test]
fn after_a_loss_the_decoder_fails_until_the_next_keyframe() {
    let frames = encode(SMALL, 20, &[12]);
    let mut decoder = VideoDecoder::new().unwrap();
    let decoded: Vec<bool> = frames
        .iter()
        .enumerate()
        .filter(|(n, _)| *n != 5)
        .map(|(_, frame)| {
            decoder
                .decode(&frame.data)
                .is_ok_and(|picture| picture.is_some())
        })
        .collect();
    let expected: Vec<bool> = (0..20)
        .filter(|&n| n != 5)
        .map(|n| !(6..12).contains(&n))
        .collect();
    assert_eq!(decoded, expected);
}

#[test]
fn a_decoder_that_joins_late_needs_a_keyframe() {
    let frames = encode(SMALL, 8, &[6]);
    let mut decoder = VideoDecoder::new().unwrap();
    for frame in &frames[3..6] {
        assert!(decoder.decode(&frame.data).is_err());
    }
    assert!(decoder.decode(&frames[6].data).unwrap().is_some());
}

#[test]
fn garbage_is_an_error_or_nothing() {
    let mut decoder = VideoDecoder::new().unwrap();
    for data in [
        &b""[..],
        b"\0\0\0\x01",
        b"\0\0\0\x01\x65garbage",
        &[0xff; 64],
    ] {
        assert!(!matches!(decoder.decode(&Bytes::from(data)), Ok(Some(_))));
    }
}
