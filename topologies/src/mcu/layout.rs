//! Where each participant is in the composed picture.

use crate::media::{Rect, marker};

/// A grid of equal cells, each with a tile in its middle that keeps the aspect of what is shown.
///
/// `n` tiles make `ceil(sqrt(n))` columns and as many rows as it takes, filled row by row, so that
/// the grid is at most one row short of a square. Who is at which position is the caller's: in
/// ascending order of their index, everybody keeps their place among the others when people come
/// and go. All sizes and offsets are even, as 4:2:0 needs; what does not divide evenly is left as
/// a margin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    tiles: usize,
    columns: usize,
    cell: (usize, usize),
    tile: (usize, usize),
    /// The top left corner of the first tile.
    first: (usize, usize),
}

impl Layout {
    /// The grid of `tiles` pictures of size `picture` on a canvas of size `canvas`, each a width
    /// and a height in pixels. A grid of no tiles is an empty canvas.
    ///
    /// # Panics
    ///
    /// If a size is zero, or the canvas has not two by two pixels for each tile.
    pub fn new(canvas: (usize, usize), picture: (usize, usize), tiles: usize) -> Self {
        // The ceiling of the square root, in integers.
        let columns = tiles.saturating_sub(1).isqrt() + 1;
        let rows = tiles.max(1).div_ceil(columns);
        let cell = (even(canvas.0 / columns), even(canvas.1 / rows));
        assert!(
            picture.0 > 0 && picture.1 > 0 && cell.0 > 0 && cell.1 > 0,
            "{tiles} tiles of {picture:?} on {canvas:?}"
        );
        let tile = fit(picture, cell);
        let first = |canvas: usize, cells: usize, cell: usize, tile: usize| {
            even((canvas - cells * cell) / 2) + even((cell - tile) / 2)
        };
        Layout {
            tiles,
            columns,
            cell,
            tile,
            first: (
                first(canvas.0, columns, cell.0, tile.0),
                first(canvas.1, rows, cell.1, tile.1),
            ),
        }
    }

    /// How many tiles there are.
    pub fn tiles(&self) -> usize {
        self.tiles
    }

    /// Width and height of every tile, in pixels.
    pub fn tile_size(&self) -> (usize, usize) {
        self.tile
    }

    /// Where the picture at `position`, counted from 0, is shown.
    ///
    /// # Panics
    ///
    /// If there is no such position.
    pub fn tile(&self, position: usize) -> Rect {
        assert!(position < self.tiles, "tile {position} of {}", self.tiles);
        Rect {
            x: self.first.0 + position % self.columns * self.cell.0,
            y: self.first.1 + position / self.columns * self.cell.1,
            width: self.tile.0,
            height: self.tile.1,
        }
    }

    /// Whether the tiles are large enough for their markers to be read ([`marker::MIN_SIZE`]).
    /// On 1280x720 tiles of 16:9 are up to 64 participants, on 1920x1080 up to 144.
    pub fn is_legible(&self) -> bool {
        self.tile.0 >= marker::MIN_SIZE.0 && self.tile.1 >= marker::MIN_SIZE.1
    }
}

/// The largest even number that is not above `n`.
fn even(n: usize) -> usize {
    n / 2 * 2
}

/// The largest size with the aspect of `picture` that fits `cell`: the dimension with room to spare
/// is rounded to the nearest even number.
fn fit(picture: (usize, usize), cell: (usize, usize)) -> (usize, usize) {
    let scaled = |side: usize, by: usize, per: usize| (side * by + per) / (2 * per) * 2;
    if cell.0 * picture.1 <= cell.1 * picture.0 {
        let height = scaled(cell.0, picture.1, picture.0);
        (cell.0, height.clamp(2, cell.1))
    } else {
        let width = scaled(cell.1, picture.0, picture.1);
        (width.clamp(2, cell.0), cell.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HD: (usize, usize) = (1_280, 720);
    const FULL_HD: (usize, usize) = (1_920, 1_080);
    const CAMERA: (usize, usize) = (640, 360);

    fn counts() -> impl Iterator<Item = usize> {
        (1..=16).chain([25, 49, 50])
    }

    fn rects(layout: Layout) -> Vec<Rect> {
        (0..layout.tiles()).map(|i| layout.tile(i)).collect()
    }

    #[test]
    fn columns_and_rows_follow_the_square_root() {
        // Columns c and rows r by a search that knows no square root: the smallest c with
        // c * c >= n, then the smallest r with c * r >= n.
        for n in counts() {
            let columns = (1..).find(|c| c * c >= n).unwrap();
            let rows = (1..).find(|r| columns * r >= n).unwrap();
            let rects = rects(Layout::new(HD, CAMERA, n));
            let distinct = |side: fn(&Rect) -> usize| {
                let mut sides: Vec<usize> = rects.iter().map(side).collect();
                sides.sort_unstable();
                sides.dedup();
                sides.len()
            };
            assert_eq!(distinct(|rect| rect.x), columns, "{n}");
            assert_eq!(distinct(|rect| rect.y), rows, "{n}");
        }
    }

    #[test]
    fn tiles_are_even_disjoint_and_inside() {
        for canvas in [HD, FULL_HD, (854, 480), (640, 640)] {
            for n in counts() {
                let rects = rects(Layout::new(canvas, CAMERA, n));
                for (i, a) in rects.iter().enumerate() {
                    for side in [a.x, a.y, a.width, a.height] {
                        assert!(side.is_multiple_of(2), "{n}: {a:?}");
                    }
                    assert!(a.x + a.width <= canvas.0, "{n}: {a:?}");
                    assert!(a.y + a.height <= canvas.1, "{n}: {a:?}");
                    for b in &rects[i + 1..] {
                        let apart = a.x + a.width <= b.x || a.y + a.height <= b.y;
                        let below = b.x + b.width <= a.x && b.y >= a.y + a.height;
                        assert!(apart || below, "{n}: {a:?} {b:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn tiles_keep_the_aspect_and_touch_their_cells() {
        // A tile's exact height for its width is w * 9/16; the nearest even number is at most one
        // pixel away, and so is the width for its height. One side fills the cell.
        for canvas in [HD, FULL_HD, (640, 640), (360, 1_280)] {
            for n in counts() {
                let layout = Layout::new(canvas, CAMERA, n);
                let (width, height) = layout.tile_size();
                let off_height = (width as f64 * 9.0 / 16.0 - height as f64).abs();
                let off_width = (height as f64 * 16.0 / 9.0 - width as f64).abs();
                assert!(
                    off_height <= 1.0 || off_width <= 1.0,
                    "{n}: {width}x{height}"
                );
                let columns = (1..).find(|c| c * c >= n).unwrap();
                let cell = (canvas.0 / columns, canvas.1 / n.div_ceil(columns));
                let fills = |cell: usize, tile: usize| cell - tile < 2;
                assert!(
                    fills(cell.0, width) || fills(cell.1, height),
                    "{n}: {width}x{height} in {cell:?}"
                );
            }
        }
    }

    #[test]
    fn grids_known_by_heart() {
        // One picture fills the canvas; two are half as wide, with a quarter of black above and
        // below; four are the quarters; the last of seven begins the third row.
        let rect = |x, y, width, height| Rect {
            x,
            y,
            width,
            height,
        };
        let grid = |n| rects(Layout::new(HD, CAMERA, n));
        assert_eq!(grid(1), [rect(0, 0, 1_280, 720)]);
        assert_eq!(grid(2), [rect(0, 180, 640, 360), rect(640, 180, 640, 360)]);
        assert_eq!(grid(4)[3], rect(640, 360, 640, 360));
        // 1280 / 3 = 426.67: cells of 426, a margin of (1280 - 3 * 426) / 2 = 1, even: 0. Height
        // 426 * 9/16 = 239.6, even: 240, a third of 720.
        assert_eq!(grid(7)[6], rect(0, 480, 426, 240));
        // Upright on 16:9: 240x426 into cells of 640x720 is limited by the height: 405.6, even 406.
        let upright = Layout::new(HD, (240, 426), 2);
        assert_eq!(upright.tile(0), rect(116, 0, 406, 720));
        assert_eq!(upright.tile(1), rect(756, 0, 406, 720));
    }

    #[test]
    fn a_new_last_one_moves_nobody_while_the_grid_has_room() {
        // c columns and r rows hold c * r: room is left at these numbers.
        for n in [3, 5, 7, 8, 10, 11, 13, 14, 15, 50] {
            let (before, after) = (rects(Layout::new(HD, CAMERA, n)), n + 1);
            assert_eq!(before, rects(Layout::new(HD, CAMERA, after))[..n], "{n}");
        }
        // The fifth needs a third column, and everybody moves.
        let (four, five) = (Layout::new(HD, CAMERA, 4), Layout::new(HD, CAMERA, 5));
        assert_ne!(rects(four), rects(five)[..4]);
    }

    #[test]
    fn nobody_is_an_empty_grid() {
        assert_eq!(rects(Layout::new(HD, CAMERA, 0)), []);
    }

    #[test]
    fn it_says_when_tiles_become_too_small() {
        // c columns of a canvas W wide are W / c pixels wide, at least 160 for c <= W / 160: 8 for
        // 1280, 12 for 1920, 4 for 640; c columns hold c * c tiles.
        for (canvas, most) in [(HD, 64), (FULL_HD, 144), ((640, 360), 16)] {
            let legible = |n| Layout::new(canvas, CAMERA, n).is_legible();
            assert!((1..=most).all(legible), "{canvas:?}");
            assert!((most + 1..=most + 20).all(|n| !legible(n)), "{canvas:?}");
        }
    }
}
