//! Composing a picture of many.

use super::gallery::{Gallery, PictureId};
use super::layout::Layout;
use crate::media::frame::{BLACK, NEUTRAL};
use crate::media::{Frame, Rect};

/// A composed picture, which is kept, so that only what changed is drawn again.
#[derive(Debug)]
pub struct Canvas {
    frame: Frame,
    /// The size that the participants send, whose aspect the tiles have.
    picture: (usize, usize),
    layout: Layout,
    /// What is in each tile.
    shown: Vec<Shown>,
}

/// What a tile shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// Whatever was there before.
    Anything,
    /// The grey of somebody whose first picture has not come.
    Grey,
    /// A picture.
    Picture(PictureId),
}

/// What a composition cost, for who charges it to a CPU. Reducing costs about as much for a pixel
/// that is read as for one that is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Luma pixels that scaling read.
    pub read_pixels: u64,
    /// Luma pixels that scaling made.
    pub scaled_pixels: u64,
    /// Luma pixels that were drawn on the canvas.
    pub drawn_pixels: u64,
}

impl Canvas {
    /// A black canvas of size `canvas` for pictures of size `picture`, in pixels.
    ///
    /// # Panics
    ///
    /// If a size is zero, or that of the canvas odd.
    pub fn new(canvas: (usize, usize), picture: (usize, usize)) -> Self {
        Canvas {
            frame: Frame::new(canvas.0, canvas.1),
            picture,
            layout: Layout::new(canvas, picture, 0),
            shown: Vec::new(),
        }
    }

    /// The picture as composed last.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// Where its tiles are.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Shows the newest picture of each of `participants`, in their order, or grey where none has
    /// come yet. A picture of another aspect than the tiles' fills its tile nevertheless.
    ///
    /// # Panics
    ///
    /// If the canvas is too small for so many tiles, see [`Layout::new`].
    pub fn compose(&mut self, participants: &[u16], gallery: &mut Gallery) -> Work {
        let mut work = Work::default();
        if participants.len() != self.layout.tiles() {
            work.drawn_pixels += self.divide(participants.len());
        }
        for (position, &participant) in participants.iter().enumerate() {
            let tile = self.layout.tile(position);
            let copy = gallery.copy(participant, self.layout.tile_size());
            let wanted = copy
                .as_ref()
                .map_or(Shown::Grey, |copy| Shown::Picture(copy.id));
            if std::mem::replace(&mut self.shown[position], wanted) == wanted {
                continue;
            }
            match copy {
                Some(copy) => {
                    work.read_pixels += copy.read_pixels;
                    work.scaled_pixels += copy.scaled_pixels;
                    paste(&mut self.frame, tile, &copy.frame);
                }
                None => fill(&mut self.frame, tile, NEUTRAL),
            }
            work.drawn_pixels += (tile.width * tile.height) as u64;
        }
        work
    }

    /// Makes room for `tiles` and returns how many pixels that drew.
    fn divide(&mut self, tiles: usize) -> u64 {
        let all = self.frame.rect();
        self.layout = Layout::new((all.width, all.height), self.picture, tiles);
        self.shown = vec![Shown::Anything; tiles];
        fill(&mut self.frame, all, BLACK);
        (all.width * all.height) as u64
    }
}

/// Copies a picture that is as large as `rect` there.
fn paste(canvas: &mut Frame, rect: Rect, picture: &Frame) {
    let strides = [picture.width(), picture.width() / 2, picture.width() / 2];
    let planes = picture.planes().into_iter().zip(strides);
    for (to, (from, stride)) in rows(canvas, rect).into_iter().zip(planes) {
        for (to, from) in to.zip(from.chunks_exact(stride)) {
            to.copy_from_slice(from);
        }
    }
}

/// Fills `rect` with one grey.
fn fill(canvas: &mut Frame, rect: Rect, luma: u8) {
    for (plane, value) in rows(canvas, rect).into_iter().zip([luma, NEUTRAL, NEUTRAL]) {
        plane.for_each(|row| row.fill(value));
    }
}

/// The rows of `rect` in each plane.
fn rows(frame: &mut Frame, rect: Rect) -> [impl Iterator<Item = &mut [u8]>; 3] {
    let width = frame.width();
    let mut part = [1, 2, 2].into_iter();
    frame.planes_mut().map(|plane| {
        let part = part.next().expect("as many parts as planes");
        let columns = rect.x / part..(rect.x + rect.width) / part;
        plane
            .chunks_exact_mut(width / part)
            .skip(rect.y / part)
            .take(rect.height / part)
            .map(move |row| &mut row[columns.clone()])
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const CANVAS: (usize, usize) = (320, 180);
    const PICTURE: (usize, usize) = (160, 90);

    /// A picture of `luma` and of two chroma values that follow from it.
    fn picture(luma: u8) -> Arc<Frame> {
        let mut frame = Frame::new(PICTURE.0, PICTURE.1);
        for (plane, value) in frame
            .planes_mut()
            .into_iter()
            .zip([luma, luma + 1, luma + 2])
        {
            plane.fill(value);
        }
        Arc::new(frame)
    }

    /// Y, U and V at the pixel of luma coordinates `x` and `y`.
    fn pixel(frame: &Frame, x: usize, y: usize) -> [u8; 3] {
        let [luma, u, v] = frame.planes();
        let chroma = y / 2 * (frame.width() / 2) + x / 2;
        [luma[y * frame.width() + x], u[chroma], v[chroma]]
    }

    const GREY: [u8; 3] = [NEUTRAL; 3];
    const NOTHING: [u8; 3] = [BLACK, NEUTRAL, NEUTRAL];

    #[test]
    fn everybody_is_in_their_tile_in_all_planes() {
        // Two tiles of 160x90 side by side, 45 lines of black above (44, to be even) and below.
        let (mut canvas, mut gallery) = (Canvas::new(CANVAS, PICTURE), Gallery::default());
        gallery.put(3, picture(30));
        canvas.compose(&[3, 9], &mut gallery);
        let frame = canvas.frame();
        for (x, y) in [(0, 44), (159, 133), (80, 90)] {
            assert_eq!(pixel(frame, x, y), [30, 31, 32], "{x} {y}");
            assert_eq!(pixel(frame, 160 + x, y), GREY, "{x} {y}");
        }
        for (x, y) in [(0, 43), (319, 43), (0, 134), (319, 179)] {
            assert_eq!(pixel(frame, x, y), NOTHING, "{x} {y}");
        }
    }

    #[test]
    fn only_what_changed_is_drawn() {
        let (mut canvas, mut gallery) = (Canvas::new(CANVAS, PICTURE), Gallery::default());
        let drawn = |drawn_pixels| Work {
            drawn_pixels,
            ..Work::default()
        };
        (0..4).for_each(|who| gallery.put(who, picture(30 + who as u8)));
        // The canvas and four tiles of 160x90, which no picture must be scaled for.
        let tile = 160 * 90;
        let first = canvas.compose(&[0, 1, 2, 3], &mut gallery);
        assert_eq!(first, drawn(320 * 180 + 4 * tile));
        assert_eq!(canvas.compose(&[0, 1, 2, 3], &mut gallery), drawn(0));
        gallery.put(2, picture(90));
        assert_eq!(canvas.compose(&[0, 1, 2, 3], &mut gallery), drawn(tile));
        assert_eq!(pixel(canvas.frame(), 0, 90), [90, 91, 92]);
        assert_eq!(pixel(canvas.frame(), 160, 90), [33, 34, 35]);
        // A fifth: three columns and two rows of 106x60, four of them scaled.
        let fifth = canvas.compose(&[0, 1, 2, 3, 4], &mut gallery);
        let expected = Work {
            read_pixels: 4 * tile,
            scaled_pixels: 4 * 106 * 60,
            drawn_pixels: 320 * 180 + 5 * 106 * 60,
        };
        assert_eq!(fifth, expected);
    }

    #[test]
    fn a_place_that_changes_hands_is_drawn_again() {
        let (mut canvas, mut gallery) = (Canvas::new(CANVAS, PICTURE), Gallery::default());
        (0..3).for_each(|who| gallery.put(who, picture(30 + 10 * who as u8)));
        canvas.compose(&[0, 1], &mut gallery);
        canvas.compose(&[0, 2], &mut gallery);
        assert_eq!(pixel(canvas.frame(), 0, 90), [30, 31, 32]);
        assert_eq!(pixel(canvas.frame(), 160, 90), [50, 51, 52]);
        // Who left and comes again is grey until a picture comes.
        gallery.remove(2);
        canvas.compose(&[0, 2], &mut gallery);
        assert_eq!(pixel(canvas.frame(), 160, 90), GREY);
        // Nobody is left.
        canvas.compose(&[], &mut gallery);
        assert_eq!(*canvas.frame(), Frame::new(CANVAS.0, CANVAS.1));
    }
}
