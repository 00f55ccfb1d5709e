//! How much a picture lost: PSNR and SSIM of luma against the original.

use super::frame::Frame;

/// What identical pictures score, dB: the PSNR of 8-bit pictures that differ is below 99 dB up to
/// 16 megapixels, so a mean over frames stays finite and ordered.
pub const PSNR_CAP_DB: f64 = 100.0;

/// Peak signal-to-noise ratio of luma, dB: `10 log10(255^2 / mean squared error)`, at most
/// [`PSNR_CAP_DB`].
///
/// # Panics
///
/// If the pictures differ in size.
pub fn psnr(original: &Frame, shown: &Frame) -> f64 {
    assert_same_size(original, shown);
    let squares: u64 = original
        .y()
        .chunks(1024)
        .zip(shown.y().chunks(1024))
        .map(|(a, b)| u64::from(squared_error(a, b)))
        .sum();
    if squares == 0 {
        return PSNR_CAP_DB;
    }
    let mean = squares as f64 / original.y().len() as f64;
    (10.0 * (255.0 * 255.0 / mean).log10()).min(PSNR_CAP_DB)
}

/// Of at most 2^16 samples, so that the sum fits.
fn squared_error(a: &[u8], b: &[u8]) -> u32 {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| u32::from(a.abs_diff(b)).pow(2))
        .sum()
}

/// Stabilisers of SSIM: `(0.01 * 255)^2` and `(0.03 * 255)^2` (Wang et al. 2004, section III-B).
const C1: f64 = 6.5025;
const C2: f64 = 58.5225;

/// Structural similarity of luma, -1 to 1, 1 for identical pictures: the mean over uniform 8x8
/// windows every 4 pixels, population variances (Wang, Bovik, Sheikh and Simoncelli 2004, eq. 13,
/// with the windows that x264 and FFmpeg use in place of the 11x11 Gaussian). Up to 3 pixels at
/// the right and bottom edge that fill no block of 4 are left out.
///
/// # Panics
///
/// If the pictures differ in size or are smaller than 8x8.
pub fn ssim(original: &Frame, shown: &Frame) -> f64 {
    assert_same_size(original, shown);
    let (columns, rows) = (original.width() / 4, original.height() / 4);
    assert!(columns > 1 && rows > 1, "SSIM needs at least 8x8 pixels");
    let mut lines = Lines::new(original.width());
    let mut above = vec![Sums::default(); columns];
    let mut here = vec![Sums::default(); columns];
    let mut total = 0.0;
    for row in 0..rows {
        lines.block_row(original, shown, row, &mut here);
        if row > 0 {
            total += window_row(&above, &here);
        }
        std::mem::swap(&mut above, &mut here);
    }
    total / ((columns - 1) * (rows - 1)) as f64
}

/// Sums over the samples `a` and `b` of a block or window of the two pictures.
#[derive(Clone, Copy, Default)]
struct Sums {
    a: u32,
    b: u32,
    /// Of `a * a + b * b`.
    squares: u32,
    /// Of `a * b`.
    products: u32,
}

impl Sums {
    fn plus(self, other: Sums) -> Sums {
        Sums {
            a: self.a + other.a,
            b: self.b + other.b,
            squares: self.squares + other.squares,
            products: self.products + other.products,
        }
    }

    /// SSIM of a window of 64 samples: means, variances and covariance are 64, 4096 and 4096 times
    /// too large and stay whole numbers, and the factors cancel.
    fn ssim(self) -> f64 {
        let scale = 64.0 * 64.0;
        let (a, b) = (self.a as i32, self.b as i32);
        let (mean_squares, mean_product) = (a * a + b * b, a * b);
        let variances = 64 * self.squares as i32 - mean_squares;
        let covariance = 64 * self.products as i32 - mean_product;
        let (c1, c2) = (C1 * scale, C2 * scale);
        (f64::from(2 * mean_product) + c1) * (f64::from(2 * covariance) + c2)
            / ((f64::from(mean_squares) + c1) * (f64::from(variances) + c2))
    }
}

/// The same sums down each column of four lines, apart, so that a loop works on many at once.
struct Lines {
    a: Vec<u32>,
    b: Vec<u32>,
    squares: Vec<u32>,
    products: Vec<u32>,
}

impl Lines {
    fn new(width: usize) -> Self {
        let zeros = || vec![0; width];
        Lines {
            a: zeros(),
            b: zeros(),
            squares: zeros(),
            products: zeros(),
        }
    }

    /// The sums of every 4x4 block of one row of blocks.
    fn block_row(&mut self, original: &Frame, shown: &Frame, row: usize, sums: &mut [Sums]) {
        for plane in [
            &mut self.a,
            &mut self.b,
            &mut self.squares,
            &mut self.products,
        ] {
            plane.fill(0);
        }
        let width = original.width();
        for line in 4 * row..4 * row + 4 {
            let start = line * width;
            self.add(
                &original.y()[start..start + width],
                &shown.y()[start..start + width],
            );
        }
        let four = |plane: &[u32], block: usize| plane[4 * block..4 * block + 4].iter().sum();
        for (block, sums) in sums.iter_mut().enumerate() {
            *sums = Sums {
                a: four(&self.a, block),
                b: four(&self.b, block),
                squares: four(&self.squares, block),
                products: four(&self.products, block),
            };
        }
    }

    fn add(&mut self, a: &[u8], b: &[u8]) {
        for (sum, &a) in self.a.iter_mut().zip(a) {
            *sum += u32::from(a);
        }
        for (sum, &b) in self.b.iter_mut().zip(b) {
            *sum += u32::from(b);
        }
        // A product of two samples fits 16 bits, which every vector unit can multiply.
        let times = |a: u8, b: u8| u32::from(u16::from(a) * u16::from(b));
        for (sum, (&a, &b)) in self.squares.iter_mut().zip(a.iter().zip(b)) {
            *sum += times(a, a) + times(b, b);
        }
        for (sum, (&a, &b)) in self.products.iter_mut().zip(a.iter().zip(b)) {
            *sum += times(a, b);
        }
    }
}

/// The SSIM of every window made of two rows of blocks, added up.
fn window_row(above: &[Sums], here: &[Sums]) -> f64 {
    let mut pairs = above
        .iter()
        .zip(here)
        .map(|(above, here)| above.plus(*here));
    let mut left = pairs.next().unwrap_or_default();
    let mut total = 0.0;
    for right in pairs {
        total += left.plus(right).ssim();
        left = right;
    }
    total
}

fn assert_same_size(a: &Frame, b: &Frame) {
    assert_eq!(
        (a.width(), a.height()),
        (b.width(), b.height()),
        "pictures differ in size"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(f: impl Fn(usize, usize) -> u8) -> Frame {
        let mut frame = Frame::new(34, 26);
        for (i, y) in frame.y_mut().iter_mut().enumerate() {
            *y = f(i % 34, i / 34);
        }
        frame
    }

    fn textured(x: usize, y: usize) -> u8 {
        (60 + (x * 37 + y * 91) % 101) as u8
    }

    #[test]
    fn identical_pictures() {
        let picture = frame(textured);
        assert_eq!(psnr(&picture, &picture), PSNR_CAP_DB);
        assert!((ssim(&picture, &picture) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn psnr_of_a_constant_offset() {
        // The mean squared error of an offset d is d^2: 20 log10(255 / d). For d = 1 that is
        // 48.1308 dB, for d = 5 34.1514 dB.
        for (offset, db) in [(1, 48.130_803_608_7), (5, 34.151_403_521_9)] {
            let shifted = frame(|x, y| textured(x, y) + offset);
            let got = psnr(&frame(textured), &shifted);
            assert!((got - db).abs() < 1e-9, "{offset}: {got}");
        }
    }

    #[test]
    fn psnr_of_one_wrong_sample() {
        // 255^2 over one of 34 * 26 samples: 10 log10(884) = 29.4645 dB.
        let got = psnr(
            &frame(|_, _| 0),
            &frame(|x, y| if (x, y) == (9, 9) { 255 } else { 0 }),
        );
        assert!((got - 29.464_522_650_1).abs() < 1e-9, "{got}");
    }

    #[test]
    fn ssim_of_constant_pictures() {
        // Without variance only the luminance term is left: (2ab + C1) / (a^2 + b^2 + C1). For
        // a = 100, b = 120: (24000 + 6.5025) / (24400 + 6.5025) = 0.983611.
        let got = ssim(&frame(|_, _| 100), &frame(|_, _| 120));
        assert!((got - 24_006.502_5 / 24_406.502_5).abs() < 1e-12, "{got}");
    }

    #[test]
    fn ssim_of_an_inverted_checkerboard() {
        // Samples 128 +- 40, inverted: means 128, variances 1600 each, covariance -1600, so that
        // (2 * -1600 + C2) / (2 * 1600 + C2) = -0.964079.
        let board =
            |sign: i32| move |x: usize, y: usize| (128 + sign * [40, -40][(x + y) % 2]) as u8;
        let got = ssim(&frame(board(1)), &frame(board(-1)));
        assert!(
            (got - (-3_200.0 + 58.522_5) / (3_200.0 + 58.522_5)).abs() < 1e-12,
            "{got}"
        );
    }

    #[test]
    fn ssim_sees_structure_that_psnr_does_not() {
        // Equal squared error, once as an offset, once as noise: the offset keeps the structure.
        let shifted = frame(|x, y| textured(x, y) + 8);
        let noisy = frame(|x, y| {
            if (x ^ y) & 2 == 0 {
                textured(x, y) + 8
            } else {
                textured(x, y) - 8
            }
        });
        let original = frame(textured);
        assert!((psnr(&original, &shifted) - psnr(&original, &noisy)).abs() < 1e-9);
        assert!(ssim(&original, &shifted) > ssim(&original, &noisy) + 0.005);
    }
}
