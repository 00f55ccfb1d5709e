//! What a scene is made of: textures, drawn once and copied many times.

use std::ops::RangeInclusive;

use rand::{Rng, RngExt};

use super::swing;
use crate::media::frame::Frame;

/// Value noise: (distance between grid points in pixels, weight in 1/8).
const LUMA_OCTAVES: [(usize, i32); 4] = [(64, 3), (16, 2), (4, 2), (2, 1)];
const CHROMA_OCTAVES: [(usize, i32); 1] = [(48, 8)];

/// A picture larger than a frame, from which frames are cut.
#[derive(Clone, Debug)]
pub(super) struct Texture {
    picture: Frame,
}

impl Texture {
    /// Luma spreads over `range`, chroma over a part of the natural one.
    pub(super) fn new(
        rng: &mut impl Rng,
        width: usize,
        height: usize,
        range: RangeInclusive<u8>,
    ) -> Self {
        let mut picture = Frame::new(width, height);
        let [y, u, v] = picture.planes_mut();
        value_noise(rng, y, width, &LUMA_OCTAVES, range);
        value_noise(rng, u, width / 2, &CHROMA_OCTAVES, 108..=148);
        value_noise(rng, v, width / 2, &CHROMA_OCTAVES, 108..=148);
        Texture { picture }
    }

    /// Fills `frame` with what lies at (`x`, `y`), both even.
    pub(super) fn copy_to(&self, frame: &mut Frame, x: usize, y: usize) {
        let (width, from_width) = (frame.width(), self.picture.width());
        let planes = frame.planes_mut().into_iter().zip(self.picture.planes());
        for ((to, from), half) in planes.zip([1, 2, 2]) {
            let (width, stride) = (width / half, from_width / half);
            let from = &from[y / half * stride..];
            for (to, from) in to.chunks_exact_mut(width).zip(from.chunks_exact(stride)) {
                to.copy_from_slice(&from[x / half..][..width]);
            }
        }
    }
}

/// A round piece of texture that travels through the picture and turns back at its edges.
#[derive(Clone, Debug)]
pub(super) struct Disc {
    texture: Texture,
    diameter: usize,
    /// Steps of two pixels per 16 frames, across and down.
    speed: (u32, u32),
    phase: (u32, u32),
}

impl Disc {
    /// A disc for frames of `width` by `height`, between a quarter and a half of the smaller side.
    pub(super) fn new(rng: &mut impl Rng, width: usize, height: usize) -> Self {
        let side = width.min(height);
        let diameter = rng.random_range(side / 8..=side / 4) * 2;
        let bright = rng.random_range(0..=60);
        // A texture has steps of up to 90, and ends 32 away from the ends of the range.
        let texture = Texture::new(rng, diameter, diameter, 40 + bright..=130 + bright);
        let speed = (rng.random_range(16..=40), rng.random_range(8..=20));
        let phase = (rng.random_range(0..4096), rng.random_range(0..4096));
        Disc {
            texture,
            diameter,
            speed,
            phase,
        }
    }

    /// Draws the disc where it is at frame `n`.
    pub(super) fn draw(&self, frame: &mut Frame, n: u32) {
        let left = travel(n, self.speed.0, self.phase.0, frame.width() - self.diameter);
        let top = travel(
            n,
            self.speed.1,
            self.phase.1,
            frame.height() - self.diameter,
        );
        let width = frame.width();
        let planes = frame
            .planes_mut()
            .into_iter()
            .zip(self.texture.picture.planes());
        for ((to, from), half) in planes.zip([1, 2, 2]) {
            let (stride, diameter) = (width / half, self.diameter / half);
            for (row, from) in from.chunks_exact(diameter).enumerate() {
                let inset = inset(row, diameter);
                let start = (top / half + row) * stride + left / half;
                to[start + inset..start + diameter - inset]
                    .copy_from_slice(&from[inset..diameter - inset]);
            }
        }
    }
}

/// Where something is at frame `n` that moves between 0 and `reach`, pixels, even.
fn travel(n: u32, speed: u32, phase: u32, reach: usize) -> usize {
    let steps = (u64::from(n) * u64::from(speed) / 16 + u64::from(phase)) as u32;
    swing(steps, reach / 2 * 2)
}

/// How many pixels of `row` of a square lie left of the circle inside it.
fn inset(row: usize, diameter: usize) -> usize {
    // In half pixels from the centre: half the chord is sqrt(diameter^2 - offset^2).
    let offset = diameter.abs_diff(2 * row + 1);
    let chord = (diameter * diameter - offset * offset).isqrt();
    (diameter - chord) / 2
}

/// Fills a plane with smooth noise: random values on grids of several widths, interpolated and
/// added up.
fn value_noise(
    rng: &mut impl Rng,
    plane: &mut [u8],
    width: usize,
    octaves: &[(usize, i32)],
    range: RangeInclusive<u8>,
) {
    let (low, high) = (i32::from(*range.start()), i32::from(*range.end()));
    let mut sums = vec![0; plane.len()];
    for &(cell, weight) in octaves {
        add_octave(rng, &mut sums, width, cell, weight);
    }
    // Every octave is within 0..=255 times its weight, and the weights add up to 8.
    for (sample, sum) in plane.iter_mut().zip(sums) {
        *sample = (low + sum * (high - low) / (255 * 8)) as u8;
    }
}

fn add_octave(rng: &mut impl Rng, sums: &mut [i32], width: usize, cell: usize, weight: i32) {
    let columns = width / cell + 2;
    let rows = sums.len() / width / cell + 2;
    let mut grid = vec![0u8; columns * rows];
    rng.fill_bytes(&mut grid);
    let mix = |a: i32, b: i32, at: usize| (a * (cell - at) as i32 + b * at as i32) / cell as i32;
    for (i, sum) in sums.iter_mut().enumerate() {
        let (x, y) = (i % width, i / width);
        let corner = |dx, dy| i32::from(grid[(y / cell + dy) * columns + x / cell + dx]);
        let top = mix(corner(0, 0), corner(1, 0), x % cell);
        let bottom = mix(corner(0, 1), corner(1, 1), x % cell);
        *sum += weight * mix(top, bottom, y % cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disc_is_round() {
        // Its rows cover the area of a circle, pi/4 of the square, within its perimeter's pixels.
        let diameter = 100;
        let area: usize = (0..diameter)
            .map(|row| diameter - 2 * inset(row, diameter))
            .sum();
        assert!((7_854 - 100..=7_854 + 100).contains(&area), "{area}");
        assert_eq!(inset(0, diameter), inset(99, diameter));
        assert_eq!(inset(50, diameter), 0);
    }

    #[test]
    fn travel_turns_back_at_the_edges() {
        // Speed 16 of 16: a step of two pixels each frame; 10 pixels are five steps each way.
        let path: Vec<usize> = (0..12).map(|n| travel(n, 16, 0, 10)).collect();
        assert_eq!(path, [0, 2, 4, 6, 8, 10, 8, 6, 4, 2, 0, 2]);
    }
}
