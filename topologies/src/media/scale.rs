//! Resizing pictures.
//!
//! Separable triangle filter: bilinear interpolation when enlarging; when reducing, the triangle is
//! as wide as two output pixels, so that no input pixel is skipped (no aliasing). Weights are
//! fixed point, so results are the same on every machine.

use super::frame::Frame;

/// Weights are in units of 1/16384 and add up to one.
const ONE: u32 = 1 << 14;

/// `frame` at another size.
///
/// # Panics
///
/// If `width` or `height` is odd or zero.
pub fn resize(frame: &Frame, width: usize, height: usize) -> Frame {
    let from = (frame.width(), frame.height());
    resize_planes(frame.planes(), from, width, height)
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
    let mut out = Frame::new(width, height);
    let chroma = (from.0.div_ceil(2), from.1.div_ceil(2));
    let half = (width / 2, height / 2);
    let sizes = [(from, (width, height)), (chroma, half), (chroma, half)];
    for ((to, plane), (from, size)) in out.planes_mut().into_iter().zip(planes).zip(sizes) {
        resize_plane(plane, from, to, size);
    }
    out
}

fn resize_plane(from: &[u8], from_size: (usize, usize), to: &mut [u8], to_size: (usize, usize)) {
    assert_eq!(from.len(), from_size.0 * from_size.1, "plane size");
    if from_size == to_size {
        to.copy_from_slice(from);
        return;
    }
    let columns = taps(from_size.0, to_size.0);
    let rows = taps(from_size.1, to_size.1);
    let narrow: Vec<u8> = from
        .chunks_exact(from_size.0)
        .flat_map(|row| columns.iter().map(|tap| tap.apply(&row[tap.first..])))
        .collect();
    for (out, tap) in to.chunks_exact_mut(to_size.0).zip(&rows) {
        mix_rows(out, &narrow[tap.first * to_size.0..], &tap.weights);
    }
}

/// The weighted sum of consecutive rows.
fn mix_rows(out: &mut [u8], rows: &[u8], weights: &[u32]) {
    let mut sums = vec![ONE / 2; out.len()];
    for (row, weight) in rows.chunks_exact(out.len()).zip(weights) {
        for (sum, &sample) in sums.iter_mut().zip(row) {
            *sum += u32::from(sample) * weight;
        }
    }
    for (out, sum) in out.iter_mut().zip(sums) {
        *out = (sum / ONE) as u8;
    }
}

/// Which input samples make one output sample.
struct Tap {
    first: usize,
    weights: Vec<u32>,
}

impl Tap {
    fn apply(&self, samples: &[u8]) -> u8 {
        let sum: u32 = samples
            .iter()
            .zip(&self.weights)
            .map(|(&s, w)| u32::from(s) * w)
            .sum();
        ((sum + ONE / 2) / ONE) as u8
    }
}

fn taps(from: usize, to: usize) -> Vec<Tap> {
    (0..to).map(|i| tap(i, from, to)).collect()
}

/// In units of `1 / (2 * to)` input samples: sample `j` has its centre at `(2j + 1) * to`, output
/// `i` at `(2i + 1) * from`, and the triangle reaches `2 * max(from, to)` to each side.
fn tap(i: usize, from: usize, to: usize) -> Tap {
    let centre = (2 * i + 1) * from;
    let reach = 2 * from.max(to);
    let overlap = |j: usize| reach.saturating_sub(centre.abs_diff((2 * j + 1) * to)) as u64;
    let first = (0..from)
        .find(|&j| overlap(j) > 0)
        .expect("reach is at least one sample");
    let raw: Vec<u64> = (first..from).map(overlap).take_while(|&w| w > 0).collect();
    let total: u64 = raw.iter().sum();
    let mut weights: Vec<u32> = raw
        .iter()
        .map(|w| (w * u64::from(ONE) / total) as u32)
        .collect();
    // What rounding down lost goes to the largest weight.
    let lost = ONE - weights.iter().sum::<u32>();
    *weights.iter_mut().max().expect("at least one tap") += lost;
    Tap { first, weights }
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
}
