//! The built-in camera: a seeded moving scene.
//!
//! A textured wall behind a hand-held camera that pans slowly, and three textured discs that cross
//! the picture at their own speeds, all under sensor noise: enough texture and motion that an
//! encoder has to work, enough coherence that it can predict. Textures are drawn once; a frame is
//! copied together from them, in integers, so it costs little and is the same on every machine.

use std::sync::Arc;

use rand::{Rng, RngExt};

use super::camera::Camera;
use super::frame::Frame;

mod texture;

use texture::{Disc, Texture};

/// How many discs move through the picture.
const DISCS: usize = 3;

/// Samples of sensor noise, reused from a different place in every row. Prime, so that rows and
/// frames do not fall into step with it.
const NOISE_SAMPLES: usize = 65_537;

/// Largest sensor noise, luma steps to each side: uniform, a variance of 2/3, as a webcam in good
/// light.
const NOISE: i8 = 2;

/// A scene of a fixed size. Motion is per frame: a scene at half the frame rate moves at half the
/// speed.
#[derive(Clone, Debug)]
pub struct Scene {
    width: usize,
    height: usize,
    wall: Texture,
    discs: [Disc; DISCS],
    noise: Vec<i8>,
}

impl Scene {
    /// A scene of `width` by `height` pixels in which everything follows from `rng`.
    ///
    /// # Panics
    ///
    /// If `width` or `height` is odd or below 16.
    pub fn new(rng: &mut impl Rng, width: usize, height: usize) -> Self {
        assert!(
            width >= 16 && height >= 16,
            "a scene of {width}x{height} shows nothing"
        );
        let (margin_x, margin_y) = margins(width, height);
        let wall = Texture::new(rng, width + margin_x, height + margin_y, 50..=190);
        let discs = std::array::from_fn(|_| Disc::new(rng, width, height));
        let noise = (0..NOISE_SAMPLES)
            .map(|_| rng.random_range(-NOISE..=NOISE))
            .collect();
        Scene {
            width,
            height,
            wall,
            discs,
            noise,
        }
    }

    /// The picture number `n`. Any order of `n` is allowed.
    pub fn frame(&self, n: u32) -> Frame {
        let mut frame = Frame::new(self.width, self.height);
        let (margin_x, margin_y) = margins(self.width, self.height);
        // One step every four and every six frames: a hand, not a tripod.
        let x = swing(n / 2, margin_x);
        let y = swing(n / 3, margin_y);
        self.wall.copy_to(&mut frame, x, y);
        for disc in &self.discs {
            disc.draw(&mut frame, n);
        }
        self.add_noise(&mut frame, n);
        frame
    }

    fn add_noise(&self, frame: &mut Frame, n: u32) {
        let width = self.width;
        for (row, line) in frame.y_mut().chunks_exact_mut(width).enumerate() {
            let start = scatter(n, row as u32) as usize % (NOISE_SAMPLES - width);
            for (y, noise) in line.iter_mut().zip(&self.noise[start..]) {
                // Textures stay 32 steps away from the ends of the range.
                *y = y.wrapping_add_signed(*noise);
            }
        }
    }
}

impl Camera for Scene {
    fn frame(&mut self, n: u32) -> Arc<Frame> {
        Arc::new(Scene::frame(self, n))
    }
}

/// How far the camera pans, pixels, even.
fn margins(width: usize, height: usize) -> (usize, usize) {
    (width / 16 * 2, height / 16 * 2)
}

/// A triangle wave in steps of two pixels: from 0 to `reach` (even) and back, at `phase`.
fn swing(phase: u32, reach: usize) -> usize {
    let reach = reach as u32 / 2;
    let phase = phase % (2 * reach);
    2 * phase.min(2 * reach - phase) as usize
}

/// An even spread of the rows of all frames over 32 bits (the finaliser of MurmurHash3).
fn scatter(frame: u32, row: u32) -> u32 {
    let mut h = frame.wrapping_mul(0x9e37_79b9) ^ row;
    h = (h ^ h >> 16).wrapping_mul(0x85eb_ca6b);
    h = (h ^ h >> 13).wrapping_mul(0xc2b2_ae35);
    h ^ h >> 16
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::media::quality::psnr;

    fn scene(seed: u64) -> Scene {
        Scene::new(&mut ChaCha8Rng::seed_from_u64(seed), 320, 180)
    }

    #[test]
    fn a_frame_depends_on_seed_and_number_alone() {
        let (a, b) = (scene(1), scene(1));
        a.frame(0);
        for n in [7, 3, u32::MAX] {
            assert_eq!(a.frame(n), b.frame(n), "{n}");
        }
        assert_ne!(a.frame(7), a.frame(8));
        assert_ne!(a.frame(7), scene(2).frame(7));
    }

    #[test]
    fn it_moves_but_stays_predictable() {
        // Noise alone, uniform on -2..=2 in both frames, is a squared error of 4: 42.1 dB. With
        // motion neighbours must differ by more, and frames of different scenes by more still.
        let scene_1 = scene(1);
        let other = psnr(&scene_1.frame(0), &scene(2).frame(0));
        for n in 0..32 {
            let step = psnr(&scene_1.frame(n), &scene_1.frame(n + 1));
            assert!(
                (other + 2.0..40.0).contains(&step),
                "{n}: {step} dB, {other} dB"
            );
        }
        // Pictures that have nothing in common, of the deviation found below: 10 to 24 dB.
        assert!((10.0..24.0).contains(&other), "{other} dB");
    }

    #[test]
    fn it_has_texture_and_stays_in_range() {
        let frame = scene(1).frame(100);
        let n = frame.y().len() as f64;
        let mean = frame.y().iter().map(|&y| f64::from(y)).sum::<f64>() / n;
        let variance = frame
            .y()
            .iter()
            .map(|&y| (f64::from(y) - mean).powi(2))
            .sum::<f64>()
            / n;
        assert!(
            (15.0..60.0).contains(&variance.sqrt()),
            "deviation {}",
            variance.sqrt()
        );
        assert!(frame.y().iter().all(|y| (30..=220).contains(y)));
    }

    #[test]
    fn the_smallest_scene_has_room_to_move() {
        let scene = Scene::new(&mut ChaCha8Rng::seed_from_u64(1), 16, 16);
        assert_ne!(scene.frame(0), scene.frame(50));
    }
}
