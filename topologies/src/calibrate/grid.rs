//! What an MCU does between its codecs: scaling, composing, mixing.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use sim::Seed;

use super::{Spread, timed};
use crate::mcu::audience::Audience;
use crate::mcu::{Canvas, Gallery, Layout, Mixer};
use crate::media::audio::FRAME_SAMPLES;
use crate::media::scale::Scaler;
use crate::media::{Frame, ProbeSource, Scene};

/// The default canvas of an MCU, pixels.
const CANVAS: (usize, usize) = (1_280, 720);
/// The default picture of a camera, pixels.
const PICTURE: (usize, usize) = (640, 360);
/// Repetitions before those that count.
const WARMUP: usize = 5;
/// Repetitions of each size that count.
const REPETITIONS: usize = 50;

/// Scaling, per luma pixel that is read or made, to the tiles of 9 and of 49.
pub fn scaling() -> Spread {
    let mut samples = Vec::new();
    for tiles in [9, 49] {
        let tile = Layout::new(CANVAS, PICTURE, tiles).tile_size();
        let scaler = Scaler::new(PICTURE, tile);
        let pixels = (PICTURE.0 * PICTURE.1 + tile.0 * tile.1) as f64;
        let pictures = pictures(4);
        for round in 0..WARMUP + REPETITIONS {
            let picture = &pictures[round % pictures.len()];
            let (scaled, spent) = timed(|| scaler.scale(picture));
            black_box(scaled);
            if round >= WARMUP {
                samples.push(spent / pixels);
            }
        }
    }
    Spread::of(samples)
}

/// Composing, per luma pixel drawn, grids of 4 and of 9 pictures that are scaled already.
pub fn composing() -> Spread {
    let mut samples = Vec::new();
    for tiles in [4, 9] {
        let (mut canvas, mut gallery) = (Canvas::new(CANVAS, PICTURE), Gallery::default());
        let tile = Layout::new(CANVAS, PICTURE, tiles).tile_size();
        let participants: Vec<u16> = (0..tiles as u16).collect();
        let pictures = pictures(tiles);
        for round in 0..WARMUP + REPETITIONS {
            for (&participant, picture) in participants.iter().zip(&pictures) {
                gallery.put(participant, Arc::clone(picture));
                gallery.copy(participant, tile);
            }
            let (work, spent) = timed(|| canvas.compose(&participants, &mut gallery));
            if round >= WARMUP {
                samples.push(spent / work.drawn_pixels as f64);
            }
        }
    }
    Spread::of(samples)
}

/// Pictures of so many cameras.
fn pictures(count: usize) -> Vec<Arc<Frame>> {
    let picture = |camera| {
        let mut random = Seed(1).stream(&format!("camera/{camera}"));
        Arc::new(Scene::new(&mut random, PICTURE.0, PICTURE.1).frame(0))
    };
    (0..count).map(picture).collect()
}

/// Ticks that are timed together, a second of them: one is too short to be timed alone.
const TICKS: u32 = 50;

/// Mixing, per sample of each sound that goes in or comes out, of 4 and of 9 who send and listen.
pub fn mixing() -> Spread {
    let mut samples = Vec::new();
    for inputs in [4u16, 9] {
        let sources: Vec<ProbeSource> = (0..inputs)
            .map(|who| {
                let mut random = Seed(1).stream(&format!("microphone/{who}"));
                ProbeSource::new(who, &mut random)
            })
            .collect();
        let ticks: Vec<BTreeMap<u16, [i16; FRAME_SAMPLES]>> = (0..TICKS)
            .map(|tick| {
                (0..inputs)
                    .zip(sources.iter().map(|source| source.frame(tick)))
                    .collect()
            })
            .collect();
        let listeners: Vec<Audience> = (0..inputs).map(Audience::Without).collect();
        let mut mixer = Mixer::default();
        let sounds = 2.0 * f64::from(inputs);
        let units = f64::from(TICKS) * FRAME_SAMPLES as f64 * sounds;
        for round in 0..WARMUP + REPETITIONS {
            let ((), spent) = timed(|| {
                for sounds in &ticks {
                    black_box(mixer.mix(sounds, &listeners));
                }
            });
            if round >= WARMUP {
                samples.push(spent / units);
            }
        }
    }
    Spread::of(samples)
}
