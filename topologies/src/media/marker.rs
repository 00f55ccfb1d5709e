//! The pixel marker: who captured a frame and which one it is, readable in the picture itself.
//!
//! 64 blocks, 16 across and 4 down from the top left corner, white for 1 and black for 0 in luma,
//! grey in chroma. From the top left, row by row, most significant bit first: the sender (16 bits),
//! the frame number modulo 2^24, and CRC-24 (RFC 4880, 6.1) of these five bytes.
//!
//! A block is 1/40 of the width by 2/45 of the height: 16x16 pixels at 640x360, one macroblock,
//! which an encoder codes with few bits; the whole marker takes 7 % of the picture. Only fractions
//! of the picture matter, so the marker is found again after scaling, or in a tile of a larger
//! picture. The reader looks at the middle quarter of each block, away from ringing and bleeding.

use crc::{CRC_24_OPENPGP, Crc};

use super::frame::{BLACK, Frame, NEUTRAL, Rect, WHITE};

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_24_OPENPGP);
const COLUMNS: usize = 16;
const ROWS: usize = 4;

/// Block edges are at multiples of 1/40 of the width and 2/45 of the height.
const ACROSS: usize = 40;
const DOWN: (usize, usize) = (2, 45);

/// Halfway between black and white.
const THRESHOLD: u32 = (BLACK as u32 + WHITE as u32) / 2;

/// The smallest picture that carries a marker, in both dimensions: blocks of 4x4 pixels. Smaller
/// ones, as in the tiles of a large grid, may be readable, but are not drawn.
pub const MIN_SIZE: (usize, usize) = (160, 90);

/// What a marker says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Marker {
    /// Who captured the frame.
    pub sender: u16,
    /// Which frame it is: its number modulo 2^24 (6 days at 30 frames per second).
    pub frame: u32,
}

impl Marker {
    /// Frame numbers are stored modulo this.
    pub const FRAMES: u32 = 1 << 24;

    fn to_bits(self) -> u64 {
        let frame = self.frame % Marker::FRAMES;
        let body = u64::from(self.sender) << 24 | u64::from(frame);
        body << 24 | u64::from(checksum(body))
    }

    fn from_bits(bits: u64) -> Option<Self> {
        let body = bits >> 24;
        let marker = Marker {
            sender: (body >> 24) as u16,
            frame: body as u32 % Marker::FRAMES,
        };
        (u64::from(checksum(body)) == bits % (1 << 24)).then_some(marker)
    }
}

/// Draws the marker into `frame`.
///
/// # Panics
///
/// If the frame is smaller than [`MIN_SIZE`].
pub fn stamp(frame: &mut Frame, marker: Marker) {
    let (width, height) = (frame.width(), frame.height());
    assert!(
        width >= MIN_SIZE.0 && height >= MIN_SIZE.1,
        "{width}x{height} holds no marker"
    );
    let bits = marker.to_bits();
    let [y, u, v] = frame.planes_mut();
    for block in 0..COLUMNS * ROWS {
        let luma = if bits << block >> 63 == 1 {
            WHITE
        } else {
            BLACK
        };
        let (columns, rows) = (edges_across(block, width), edges_down(block, height));
        fill(y, width, columns, rows, luma);
        let (columns, rows) = (
            edges_across(block, width / 2),
            edges_down(block, height / 2),
        );
        fill(u, width / 2, columns, rows, NEUTRAL);
        fill(v, width / 2, columns, rows, NEUTRAL);
    }
}

/// Reads the marker of the picture that fills `rect` of `frame`; `None` if none is there, or it is
/// damaged. A random picture passes for a marker once in 2^24 times.
///
/// # Panics
///
/// If `rect` does not lie in `frame`.
pub fn read(frame: &Frame, rect: Rect) -> Option<Marker> {
    assert!(
        rect.fits(frame),
        "{rect:?} of {}x{}",
        frame.width(),
        frame.height()
    );
    let mut bits = 0;
    for block in 0..COLUMNS * ROWS {
        let columns = middle(edges_across(block, rect.width));
        let rows = middle(edges_down(block, rect.height));
        let one = mean(frame, rect, columns, rows) > THRESHOLD;
        bits = bits << 1 | u64::from(one);
    }
    Marker::from_bits(bits)
}

fn checksum(body: u64) -> u32 {
    CRC.checksum(&body.to_be_bytes()[3..])
}

type Span = (usize, usize);

fn edges_across(block: usize, width: usize) -> Span {
    let column = block % COLUMNS;
    (column * width / ACROSS, (column + 1) * width / ACROSS)
}

fn edges_down(block: usize, height: usize) -> Span {
    let row = block / COLUMNS;
    (
        row * DOWN.0 * height / DOWN.1,
        (row + 1) * DOWN.0 * height / DOWN.1,
    )
}

/// The middle half of a block, at least one pixel.
fn middle((from, to): Span) -> Span {
    let margin = (to - from) / 4;
    (from + margin, (to - margin).max(from + margin + 1))
}

fn fill(plane: &mut [u8], stride: usize, columns: Span, rows: Span, value: u8) {
    for row in rows.0..rows.1 {
        plane[row * stride..][columns.0..columns.1].fill(value);
    }
}

fn mean(frame: &Frame, rect: Rect, columns: Span, rows: Span) -> u32 {
    let mut sum = 0;
    for row in rows.0..rows.1 {
        let line = &frame.y()[(rect.y + row) * frame.width() + rect.x..];
        sum += line[columns.0..columns.1]
            .iter()
            .map(|&y| u32::from(y))
            .sum::<u32>();
    }
    sum / ((columns.1 - columns.0) * (rows.1 - rows.0)) as u32
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::media::scale::resize;

    const MARKERS: [Marker; 4] = [
        Marker {
            sender: 0,
            frame: 0,
        },
        Marker {
            sender: u16::MAX,
            frame: Marker::FRAMES - 1,
        },
        Marker {
            sender: 3,
            frame: 123_456,
        },
        Marker {
            sender: 0x8001,
            frame: 0x80_0001,
        },
    ];

    fn noise(width: usize, height: usize, rng: &mut impl Rng) -> Frame {
        let mut frame = Frame::new(width, height);
        for plane in frame.planes_mut() {
            rng.fill_bytes(plane);
        }
        frame
    }

    #[test]
    fn reads_back_at_any_size() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for (width, height) in [(160, 90), (176, 144), (320, 180), (640, 360), (642, 362)] {
            for marker in MARKERS {
                let mut frame = noise(width, height, &mut rng);
                stamp(&mut frame, marker);
                assert_eq!(read(&frame, frame.rect()), Some(marker), "{width}x{height}");
            }
        }
    }

    #[test]
    fn frame_numbers_wrap() {
        let mut frame = Frame::new(160, 90);
        stamp(
            &mut frame,
            Marker {
                sender: 5,
                frame: Marker::FRAMES + 7,
            },
        );
        assert_eq!(
            read(&frame, frame.rect()),
            Some(Marker {
                sender: 5,
                frame: 7
            })
        );
    }

    #[test]
    fn survives_a_quarter_of_the_size() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for marker in MARKERS {
            let mut frame = noise(640, 360, &mut rng);
            stamp(&mut frame, marker);
            let small = resize(&frame, 160, 90);
            assert_eq!(read(&small, small.rect()), Some(marker));
            let large = resize(&small, 640, 360);
            assert_eq!(read(&large, large.rect()), Some(marker));
        }
    }

    #[test]
    fn reads_from_a_tile() {
        let mut tile = Frame::new(214, 120);
        stamp(&mut tile, MARKERS[2]);
        let mut grid = Frame::new(642, 360);
        let rect = Rect {
            x: 428,
            y: 240,
            width: 214,
            height: 120,
        };
        for row in 0..120 {
            let line = &tile.y()[row * 214..][..214];
            grid.y_mut()[(240 + row) * 642 + 428..][..214].copy_from_slice(line);
        }
        assert_eq!(read(&grid, rect), Some(MARKERS[2]));
        assert_eq!(read(&grid, Rect { x: 0, y: 0, ..rect }), None);
    }

    #[test]
    fn any_two_wrong_blocks_are_noticed() {
        // The generator of CRC-24 has the factor x + 1 and an order far above 64, so it detects
        // every error of one, two or three bits in so short a word.
        let bits = MARKERS[2].to_bits();
        for a in 0..64 {
            for b in 0..64 {
                let damaged = bits ^ (1 << a | 1 << b);
                assert_eq!(Marker::from_bits(damaged), None, "{a} {b}");
            }
        }
    }

    #[test]
    fn plain_pictures_hold_no_marker() {
        let mut frame = Frame::new(160, 90);
        assert_eq!(read(&frame, frame.rect()), None);
        frame.y_mut().fill(WHITE);
        assert_eq!(read(&frame, frame.rect()), None);
    }

    #[test]
    fn false_positives_are_as_rare_as_the_checksum_says() {
        // 2^26 random words against 24 check bits: 4 expected; Poisson puts 99.9 % within 0..=12,
        // and a checksum that is two bits shorter would give 16.
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let passed = (0..1 << 26)
            .filter(|_| Marker::from_bits(rng.next_u64()).is_some())
            .count();
        assert!((1..=12).contains(&passed), "{passed}");
    }

    #[test]
    fn random_pictures_hold_no_marker() {
        // Blocks of flat random brightness, as a scene could show: 2,000 / 2^24 expected.
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        for _ in 0..2_000 {
            let picture = resize(&noise(40, 22, &mut rng), 160, 90);
            assert_eq!(read(&picture, picture.rect()), None);
        }
    }
}
