//! Resizing pictures.
//!
//! Separable triangle filter: bilinear interpolation when enlarging; when reducing, the triangle is
//! as wide as two output pixels, so that no input pixel is skipped (no aliasing). Weights are
//! fixed point, so results are the same on every machine.

use super::frame::Frame;

/// Weights are in units of 1/16384 and add up to one.
const ONE: u16 = 1 << 14;

/// `frame` at another size.
///
/// # Panics
///
/// If `width` or `height` is odd or zero.
pub fn resize(frame: &Frame, width: usize, height: usize) -> Frame {
    Scaler::new((frame.width(), frame.height()), (width, height)).scale(frame)
}

/// A picture from 4:2:0 planes of any size: chroma planes of `from` are half its size, rounded up.
///
/// # Panics
///
/// If `width` or `height` is odd or zero, or a plane has another size than `from` implies.
pub(super) fn resize_planes(
    planes: [&[u8]; 3],
    from: (usize, usize),
    width: usize,
    height: usize,
) -> Frame {
    Scaler::new(from, (width, height)).scale_planes(planes)
}

/// Resizes pictures of one size to another one: the weights, found once.
#[derive(Clone, Debug)]
pub struct Scaler {
    to: (usize, usize),
    luma: PlaneScaler,
    chroma: PlaneScaler,
}

impl Scaler {
    /// A scaler from one width and height to another.
    pub fn new(from: (usize, usize), to: (usize, usize)) -> Self {
        let chroma = (from.0.div_ceil(2), from.1.div_ceil(2));
        Scaler {
            to,
            luma: PlaneScaler::new(from, to),
            chroma: PlaneScaler::new(chroma, (to.0 / 2, to.1 / 2)),
        }
    }

    /// `frame` at the new size.
    ///
    /// # Panics
    ///
    /// If `frame` has another size than promised, or the new one is odd or zero.
    pub fn scale(&self, frame: &Frame) -> Frame {
        self.scale_planes(frame.planes())
    }

    fn scale_planes(&self, planes: [&[u8]; 3]) -> Frame {
        let mut out = Frame::new(self.to.0, self.to.1);
        let scalers = [&self.luma, &self.chroma, &self.chroma];
        for ((to, from), scaler) in out.planes_mut().into_iter().zip(planes).zip(scalers) {
            scaler.scale(from, to);
        }
        out
    }
}

#[derive(Clone, Debug)]
struct PlaneScaler {
    from: (usize, usize),
    to: (usize, usize),
    columns: Taps,
    rows: Taps,
}

impl PlaneScaler {
    fn new(from: (usize, usize), to: (usize, usize)) -> Self {
        PlaneScaler {
            from,
            to,
            columns: Taps::new(from.0, to.0),
            rows: Taps::new(from.1, to.1),
        }
    }

    /// Rows first: that is the pass that vector units do well, and it leaves fewer samples to the
    /// other one when a picture is reduced.
    fn scale(&self, from: &[u8], to: &mut [u8]) {
        assert_eq!(from.len(), self.from.0 * self.from.1, "plane size");
        if self.from == self.to {
            return to.copy_from_slice(from);
        }
        let mut sums = vec![0; self.from.0];
        let mut line = vec![0; self.from.0];
        for (out, (first, weights)) in to.chunks_exact_mut(self.to.0).zip(self.rows.iter()) {
            mix_rows(&mut sums, &from[first * self.from.0..], weights);
            for (sample, &sum) in line.iter_mut().zip(&sums) {
                *sample = rounded(sum);
            }
            self.columns.mix(&line, out);
        }
    }
}

/// The weighted sums of consecutive rows.
fn mix_rows(sums: &mut [u32], rows: &[u8], weights: &[u16]) {
    sums.fill(0);
    let rows = rows.chunks_exact(sums.len()).zip(weights);
    for (row, &weight) in rows.filter(|(_, weight)| **weight > 0) {
        for (sum, &sample) in sums.iter_mut().zip(row) {
            *sum += times(sample, weight);
        }
    }
}

fn mix_samples(samples: &[u8], weights: &[u16]) -> u8 {
    let products = samples.iter().zip(weights);
    rounded(
        products
            .map(|(&sample, &weight)| times(sample, weight))
            .sum(),
    )
}

/// Of 16-bit numbers, which every vector unit can multiply.
fn times(sample: u8, weight: u16) -> u32 {
    u32::from(sample) * u32::from(weight)
}

fn rounded(sum: u32) -> u8 {
    ((sum + u32::from(ONE) / 2) / u32::from(ONE)) as u8
}

/// Which input samples make each output sample: as many for each, the weights of those that are
/// not needed being zero.
#[derive(Clone, Debug)]
struct Taps {
    firsts: Vec<usize>,
    weights: Vec<u16>,
    /// Weights of one output sample.
    length: usize,
}

impl Taps {
    fn new(from: usize, to: usize) -> Self {
        let taps: Vec<(usize, Vec<u16>)> = (0..to).map(|i| tap(i, from, to)).collect();
        let length = taps.iter().map(|(_, weights)| weights.len()).max();
        // A power of two where that is a sum of fixed length, see `mix`.
        let length = match length.unwrap_or(1) {
            long @ 9.. => long,
            short => short.next_power_of_two().min(from),
        };
        let mut padded = Taps {
            firsts: Vec::with_capacity(to),
            weights: vec![0; to * length],
            length,
        };
        for ((first, weights), place) in taps
            .into_iter()
            .zip(padded.weights.chunks_exact_mut(length))
        {
            // At the far edge the padding comes before the weights.
            let start = first.min(from - length);
            padded.firsts.push(start);
            place[first - start..][..weights.len()].copy_from_slice(&weights);
        }
        padded
    }

    /// Makes the samples of `out` from those of `line`. Sums of a length that the compiler knows take
    /// half the time, and these are all but those of reductions by more than four.
    fn mix(&self, line: &[u8], out: &mut [u8]) {
        match self.length {
            2 => self.mix_fixed::<2>(line, out),
            4 => self.mix_fixed::<4>(line, out),
            8 => self.mix_fixed::<8>(line, out),
            _ => {
                for (out, (first, weights)) in out.iter_mut().zip(self.iter()) {
                    *out = mix_samples(&line[first..], weights);
                }
            }
        }
    }

    fn mix_fixed<const LENGTH: usize>(&self, line: &[u8], out: &mut [u8]) {
        let weights = self.weights.as_chunks::<LENGTH>().0;
        for ((out, &first), weights) in out.iter_mut().zip(&self.firsts).zip(weights) {
            *out = mix_samples(&line[first..][..LENGTH], weights);
        }
    }

    fn iter(&self) -> impl Iterator<Item = (usize, &[u16])> {
        let weights = self.weights.chunks_exact(self.length);
        self.firsts.iter().copied().zip(weights)
    }
}

/// In units of `1 / (2 * to)` input samples: sample `j` has its centre at `(2j + 1) * to`, output
/// `i` at `(2i + 1) * from`, and the triangle reaches `2 * max(from, to)` to each side.
fn tap(i: usize, from: usize, to: usize) -> (usize, Vec<u16>) {
    let centre = (2 * i + 1) * from;
    let reach = 2 * from.max(to);
    let overlap = |j: usize| reach.saturating_sub(centre.abs_diff((2 * j + 1) * to)) as u64;
    // The search begins a sample or two before its end.
    let before = (centre.saturating_sub(reach) / (2 * to)).saturating_sub(1);
    let first = (before..from)
        .find(|&j| overlap(j) > 0)
        .expect("reach is at least one sample");
    let raw: Vec<u64> = (first..from).map(overlap).take_while(|&w| w > 0).collect();
    let total: u64 = raw.iter().sum();
    let mut weights: Vec<u16> = raw
        .iter()
        .map(|w| (w * u64::from(ONE) / total) as u16)
        .collect();
    // What rounding down lost goes to the largest weight.
    let lost = ONE - weights.iter().sum::<u16>();
    *weights.iter_mut().max().expect("at least one tap") += lost;
    (first, weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(width: usize, height: usize, f: impl Fn(usize, usize) -> usize) -> Frame {
        let mut frame = Frame::new(width, height);
        for (i, y) in frame.y_mut().iter_mut().enumerate() {
            *y = f(i % width, i / width) as u8;
        }
        frame
    }

    #[test]
    fn same_size_is_a_copy() {
        let frame = ramp(16, 8, |x, y| 7 * x + 5 * y);
        assert_eq!(resize(&frame, 16, 8), frame);
    }

    #[test]
    fn a_flat_picture_stays_flat() {
        // Weights add up to one, so a constant is kept, at any ratio.
        let frame = ramp(64, 36, |_, _| 77);
        for (w, h) in [(16, 8), (50, 22), (126, 70)] {
            assert!(resize(&frame, w, h).y().iter().all(|&y| y == 77), "{w}x{h}");
        }
        // Also where a thousand weights make one pixel, and each was rounded down.
        let wide = ramp(2000, 2, |_, _| 255);
        assert!(resize(&wide, 4, 2).y().iter().all(|&y| y == 255));
    }

    #[test]
    fn a_linear_ramp_stays_linear() {
        // Symmetric weights keep a linear function: output i lies at (2i + 1) * from / (2 * to) - 1/2
        // in input samples. 64 to 16: 4i + 1.5, times the slope 3: 12i + 4.5; rounding adds 1/2.
        let small = resize(&ramp(64, 4, |x, _| 3 * x), 16, 2);
        for i in 1..15 {
            let y = f64::from(small.y()[i]);
            assert!((y - (12.0 * i as f64 + 4.5)).abs() <= 1.0, "{i}: {y}");
        }
    }

    #[test]
    fn reducing_skips_no_pixel() {
        // One white column in eight of black, reduced by 8: each output pixel covers it once or
        // twice, with weights that add up to 1/8 of white: 31 or 32 of 255.
        let small = resize(&ramp(64, 4, |x, _| if x % 8 == 3 { 255 } else { 0 }), 8, 2);
        assert!(
            small.y()[1..7].iter().all(|y| (30..=33).contains(y)),
            "{:?}",
            small.y()
        );
    }

    /// One luma sample by the definition, in floating point: both triangles, over the whole picture.
    fn by_definition(
        frame: &Frame,
        (x, y): (usize, usize),
        (width, height): (usize, usize),
    ) -> f64 {
        let weight = |i: usize, j: usize, from: usize, to: usize| {
            let ratio = from as f64 / to as f64;
            let distance = (i as f64 + 0.5) * ratio - (j as f64 + 0.5);
            (1.0 - distance.abs() / ratio.max(1.0)).max(0.0)
        };
        let (mut sum, mut total) = (0.0, 0.0);
        for (j, &sample) in frame.y().iter().enumerate() {
            let (column, row) = (j % frame.width(), j / frame.width());
            let weight =
                weight(x, column, frame.width(), width) * weight(y, row, frame.height(), height);
            sum += weight * f64::from(sample);
            total += weight;
        }
        sum / total
    }

    #[test]
    fn every_sample_is_the_triangle_of_its_neighbours() {
        // Rounding twice, once per direction, is off by at most 1/2 + 1/2; rounding weights adds
        // less than 16 weights / 16384 * 255 = 1/4. Sums of 2, 3, 4, 6, 8 and 16 samples.
        let frame = ramp(64, 36, |x, y| (x * 7_919 + y * 104_729) % 251);
        for size in [
            (96, 54),
            (64, 54),
            (46, 36),
            (42, 24),
            (22, 12),
            (16, 10),
            (8, 4),
        ] {
            let got = resize(&frame, size.0, size.1);
            for (i, &sample) in got.y().iter().enumerate() {
                let expected = by_definition(&frame, (i % size.0, i / size.0), size);
                let off = (f64::from(sample) - expected).abs();
                assert!(off <= 1.25, "{size:?} {i}: {sample}, not {expected}");
            }
        }
    }
}
