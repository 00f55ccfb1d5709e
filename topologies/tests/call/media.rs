//! Media gets through: under loss, from a file, and of one kind alone.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use reports::record::{Kind, StreamRecord};
use scenarios::Plan;
use sim::LossConfig;

use crate::support::{call, host, of_kind, record};

/// Two participants, of whom the second one loses 5 % of what it is sent.
fn lossy(playout_delay: Duration) -> Plan {
    let mut plan = call(&["none", "none"]);
    plan.duration = Duration::from_secs(3);
    plan.participants[1].link.down.loss = LossConfig::Bernoulli { probability: 0.05 };
    plan.video.as_mut().expect("has video").playout_delay = playout_delay;
    plan
}

fn stream<'a>(streams: &'a [StreamRecord], receiver: &str, kind: Kind) -> &'a StreamRecord {
    let mut streams = streams.iter();
    let found = streams.find(|stream| stream.receiver == receiver && stream.kind == kind);
    found.expect("a stream")
}

/// Video is asked for again, up to twice; sound is not.
///
/// A packet of video is missing for good if it and both repairs are lost: 0.05^3 = 1.3e-4, of some
/// 150 packets. All arrive but for a chance of 2 %, and one seed is one outcome; two missing are a
/// chance of 2e-4. Of 150 packets of sound, 7.5 are lost, with a deviation of 2.7: 1 to 18 is four
/// of them.
#[test]
fn repairs_hide_the_loss_of_video_where_there_is_time_for_them() {
    let plan = lossy(Duration::from_millis(400));
    let record = record(&plan);
    let video = stream(&record.streams, "p1", Kind::Video);
    assert!(video.packets_sent >= 90, "{}", video.packets_sent);
    assert!(video.packets_received + 1 >= video.packets_sent);
    assert!(video.packets_received <= video.packets_sent);
    let sound = stream(&record.streams, "p1", Kind::Audio);
    let lost = sound.packets_sent - sound.packets_received;
    assert!((1..=18).contains(&lost), "{lost} of {}", sound.packets_sent);
    // Requests go up the clean way and repairs come down once more.
    let dropped = record.packets.dropped.values().sum::<u64>();
    assert!(dropped > 0);
    assert!(host(&record, "p1").window_up.rtcp_bytes > 0);
    let sent = host(&record, "p0").window_up.rtp_packets;
    let first = video.packets_sent + stream(&record.streams, "p1", Kind::Audio).packets_sent;
    assert!(sent > first, "{sent} packets are {first} and repairs");
    assert_eq!(video.freezes, 0);
    let clean = stream(&record.streams, "p0", Kind::Video);
    assert_eq!(clean.packets_received, clean.packets_sent);
}

/// Without time for repairs every loss breaks the pictures up to the next keyframe, which takes a
/// round trip of 40 ms and is asked for at most every 300 ms.
#[test]
fn keyframes_restore_video_where_there_is_no_time_for_repairs() {
    let plan = lossy(Duration::ZERO);
    let record = record(&plan);
    let video = stream(&record.streams, "p1", Kind::Video);
    // The warm-up counts too: 4.5 s are at most 15 requests.
    assert!((1..=16).contains(&video.plis), "{} requests", video.plis);
    // Each is answered by one, and the first one is nobody's answer.
    assert!(video.keyframes > 1 && video.keyframes <= 1 + video.plis);
    // Not derived: a stream that stops at its first loss shows a tenth or so, one that hides its
    // losses shows all.
    let shown = video.frames_rendered as f64 / video.frames_sent as f64;
    assert!((0.4..1.0).contains(&shown), "{shown} are shown");
    let clean = stream(&record.streams, "p0", Kind::Video);
    assert_eq!((clean.plis, clean.keyframes), (0, 1));
    assert_eq!(clean.frames_rendered, clean.frames_sent);
}

/// Writes a file of one grey picture, or of a different noise in each picture.
fn write_y4m(path: &Path, noise: bool) {
    let (width, height) = (160, 90);
    let mut file = std::fs::File::create(path).expect("room for a file");
    writeln!(file, "YUV4MPEG2 W{width} H{height} F30:1 C420jpeg").expect("room");
    let mut state = 1u32;
    for _ in 0..4 {
        writeln!(file, "FRAME").expect("room");
        let luma = (0..width * height).map(|_| {
            // Numerical Recipes' generator: anything incompressible will do.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if noise { (state >> 24) as u8 } else { 120 }
        });
        let chroma = std::iter::repeat_n(128, width * height / 2);
        let picture: Vec<u8> = luma.chain(chroma).collect();
        file.write_all(&picture).expect("room");
    }
}

/// What the file shows is what is encoded, sent, decoded, and compared: grey costs next to nothing
/// and comes out nearly exact; noise does not fit into the bitrate and comes out poor.
#[test]
fn a_file_is_what_the_camera_shows() {
    let directory = tempfile::tempdir().expect("room for temporary files");
    let mut plan = call(&["none", "none"]);
    for (participant, noise) in plan.participants.iter_mut().zip([false, true]) {
        let path = directory.path().join(format!("{noise}.y4m"));
        write_y4m(&path, noise);
        participant.camera = Some(path);
    }
    let record = record(&plan);
    let grey = stream(&record.streams, "p1", Kind::Video);
    let noise = stream(&record.streams, "p0", Kind::Video);
    assert_eq!((grey.frames_rendered, noise.frames_rendered), (45, 45));
    assert!(noise.encoded_bytes > 4 * grey.encoded_bytes);
    // Uniform noise has a variance of 255^2 / 12: a decoder that shows the mean scores
    // 10 log10(12) = 10.8 dB, and one that knows nothing less.
    let psnr = |stream: &StreamRecord| stream.psnr_db_mean.expect("shown");
    assert!((8.0..25.0).contains(&psnr(noise)), "{} dB", psnr(noise));
    assert!((40.0..=100.0).contains(&psnr(grey)), "{} dB", psnr(grey));
}

#[test]
fn calls_of_one_kind_have_that_kind_alone() {
    for kind in [Kind::Video, Kind::Audio] {
        let mut plan = call(&["none", "full-cone"]);
        match kind {
            Kind::Video => plan.audio = None,
            Kind::Audio => plan.video = None,
        }
        let record = record(&plan);
        assert_eq!(record.streams.len(), 2);
        assert_eq!(of_kind(&record, kind).count(), 2);
        for stream in &record.streams {
            // 1.5 s of 30 pictures or 50 packets of sound a second.
            let expected = if kind == Kind::Video { 45 } else { 75 };
            assert_eq!(stream.frames_sent, expected);
            assert_eq!(stream.frames_rendered, expected);
            assert!(stream.latency_us.count() > 0);
            assert_eq!(stream.psnr_db_mean.is_some(), kind == Kind::Video);
        }
        assert_eq!(record.warnings, Vec::<String>::new());
    }
}
