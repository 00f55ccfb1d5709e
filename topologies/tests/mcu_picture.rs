//! Composed pictures: every tile shows its participant, as well as scaling and encoding let it.

use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use topologies::mcu::{Canvas, Gallery};
use topologies::media::{
    Camera, Frame, Marker, Rect, Scene, Stamped, VideoDecoder, VideoEncoder, VideoSettings, marker,
    quality, scale,
};

const CANVAS: (usize, usize) = (1_280, 720);
const PICTURE: (usize, usize) = (640, 360);

/// The picture number `frame` of a participant.
fn picture(participant: u16, frame: u32) -> Arc<Frame> {
    let mut rng = ChaCha8Rng::seed_from_u64(participant.into());
    let scene = Scene::new(&mut rng, PICTURE.0, PICTURE.1);
    Stamped::new(Box::new(scene), participant).frame(frame)
}

/// What `rect` of a picture shows.
fn cut(frame: &Frame, rect: Rect) -> Frame {
    let mut part = Frame::new(rect.width, rect.height);
    for (row, to) in part.y_mut().chunks_exact_mut(rect.width).enumerate() {
        let from = (rect.y + row) * frame.width() + rect.x;
        to.copy_from_slice(&frame.y()[from..][..rect.width]);
    }
    part
}

/// The composed picture after it was encoded as by default, `McuPlan` says how.
fn encoded(frame: &Frame) -> Frame {
    let settings = VideoSettings {
        width: frame.width(),
        height: frame.height(),
        fps: 30,
        bitrate_bps: 2_000_000,
        max_payload: 1_160,
    };
    let mut encoder = VideoEncoder::new(settings).unwrap();
    let encoded = encoder.encode(frame, Duration::ZERO).unwrap();
    let mut decoder = VideoDecoder::new().unwrap();
    decoder.decode(&encoded.data).unwrap().unwrap()
}

#[test]
fn every_tile_shows_its_participant() {
    // Participants are not numbered from 0, since some do not send: tile i is of 3i + 1.
    for count in [1, 2, 3, 4, 7, 9, 16] {
        let participants: Vec<u16> = (0..count).map(|i| 3 * i + 1).collect();
        let (mut canvas, mut gallery) = (Canvas::new(CANVAS, PICTURE), Gallery::default());
        for &participant in &participants {
            gallery.put(
                participant,
                picture(participant, 40 + u32::from(participant)),
            );
        }
        canvas.compose(&participants, &mut gallery);
        let shown = encoded(canvas.frame());
        for (position, &sender) in participants.iter().enumerate() {
            let tile = canvas.layout().tile(position);
            let frame = 40 + u32::from(sender);
            let expected = Some(Marker { sender, frame });
            assert_eq!(marker::read(canvas.frame(), tile), expected, "{count}");
            assert_eq!(marker::read(&shown, tile), expected, "{count}, encoded");
            // Composing adds nothing to what scaling did.
            let alone = scale::resize(&picture(sender, frame), tile.width, tile.height);
            let composed = quality::psnr(&alone, &cut(canvas.frame(), tile));
            assert_eq!(composed, quality::PSNR_CAP_DB, "{count}");
        }
    }
}

#[test]
fn who_is_frozen_is_shown_as_last_seen() {
    let (mut canvas, mut gallery) = (Canvas::new(CANVAS, PICTURE), Gallery::default());
    gallery.put(0, picture(0, 0));
    for frame in 0..3 {
        gallery.put(1, picture(1, frame));
        canvas.compose(&[0, 1, 2], &mut gallery);
        let read = |position| marker::read(canvas.frame(), canvas.layout().tile(position));
        assert_eq!(
            read(0),
            Some(Marker {
                sender: 0,
                frame: 0
            })
        );
        assert_eq!(read(1), Some(Marker { sender: 1, frame }));
        // Nothing has come of the third.
        assert_eq!(read(2), None);
    }
}

#[test]
fn tiles_are_legible_as_far_as_the_layout_says() {
    // 64 tiles of 160x90 are as many as 1280x720 holds legibly.
    for count in [49, 64] {
        let participants: Vec<u16> = (0..count).collect();
        let (mut canvas, mut gallery) = (Canvas::new(CANVAS, PICTURE), Gallery::default());
        for &participant in &participants {
            gallery.put(participant, picture(participant, 7));
        }
        canvas.compose(&participants, &mut gallery);
        assert!(canvas.layout().is_legible());
        let shown = encoded(canvas.frame());
        for (position, &sender) in participants.iter().enumerate() {
            let read = marker::read(&shown, canvas.layout().tile(position));
            assert_eq!(read, Some(Marker { sender, frame: 7 }), "{count}");
        }
    }
}
