//! Pictures.

/// A picture in I420: a luma plane and two chroma planes of half its width and height, 8 bits a
/// sample, limited range (BT.601: luma 16 to 235, chroma centred on 128). Strides equal widths.
///
/// Share one as `Arc<Frame>`: a frame is a few hundred kilobytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    width: usize,
    height: usize,
    data: Vec<u8>,
}

/// Luma of black, limited range.
pub const BLACK: u8 = 16;
/// Luma of white, limited range.
pub const WHITE: u8 = 235;
/// Both chroma samples of grey.
pub const NEUTRAL: u8 = 128;

impl Frame {
    /// A black picture.
    ///
    /// # Panics
    ///
    /// If `width` or `height` is odd or zero.
    pub fn new(width: usize, height: usize) -> Self {
        let mut frame = Frame::grey(width, height);
        frame.data[..width * height].fill(BLACK);
        frame
    }

    /// A picture from its planes.
    ///
    /// # Panics
    ///
    /// If `width` or `height` is odd or zero, or a plane has another size than they imply.
    pub fn from_planes(width: usize, height: usize, planes: [&[u8]; 3]) -> Self {
        let mut frame = Frame::grey(width, height);
        for (to, from) in frame.planes_mut().into_iter().zip(planes) {
            to.copy_from_slice(from);
        }
        frame
    }

    /// Every sample is 128: mid grey.
    fn grey(width: usize, height: usize) -> Self {
        assert!(
            width > 0 && height > 0 && width.is_multiple_of(2) && height.is_multiple_of(2),
            "a frame has even sizes, not {width}x{height}"
        );
        Frame {
            width,
            height,
            data: vec![NEUTRAL; width * height * 3 / 2],
        }
    }

    /// Width of the luma plane, pixels, even.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height of the luma plane, pixels, even.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The whole picture as a rectangle.
    pub fn rect(&self) -> Rect {
        Rect {
            x: 0,
            y: 0,
            width: self.width,
            height: self.height,
        }
    }

    /// A copy of a part of the picture.
    ///
    /// # Panics
    ///
    /// If an edge of `rect` is odd, or it does not [fit](Rect::fits).
    pub fn part(&self, rect: Rect) -> Frame {
        assert!(rect.fits(self), "{rect:?} is not inside of the picture");
        assert!(
            rect.x.is_multiple_of(2) && rect.y.is_multiple_of(2),
            "{rect:?} cuts a chroma sample in two"
        );
        let mut part = Frame::grey(rect.width, rect.height);
        let planes = self.planes().into_iter().zip(part.planes_mut());
        for (plane, (from, to)) in planes.enumerate() {
            let scale = if plane == 0 { 1 } else { 2 };
            let (stride, width) = (self.width / scale, rect.width / scale);
            let rows = from.chunks_exact(stride).skip(rect.y / scale);
            for (to, from) in to.chunks_exact_mut(width).zip(rows) {
                to.copy_from_slice(&from[rect.x / scale..][..width]);
            }
        }
        part
    }

    /// Luma, `width * height` samples.
    pub fn y(&self) -> &[u8] {
        self.planes()[0]
    }

    /// Luma, `width * height` samples.
    pub fn y_mut(&mut self) -> &mut [u8] {
        let luma = self.width * self.height;
        &mut self.data[..luma]
    }

    /// Y, U and V; the chroma planes are `width / 2` by `height / 2`.
    pub fn planes(&self) -> [&[u8]; 3] {
        let (y, chroma) = self.data.split_at(self.width * self.height);
        let (u, v) = chroma.split_at(chroma.len() / 2);
        [y, u, v]
    }

    /// Y, U and V; the chroma planes are `width / 2` by `height / 2`.
    pub fn planes_mut(&mut self) -> [&mut [u8]; 3] {
        let (y, chroma) = self.data.split_at_mut(self.width * self.height);
        let (u, v) = chroma.split_at_mut(chroma.len() / 2);
        [y, u, v]
    }
}

/// A part of a picture, in luma pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rect {
    /// Left edge.
    pub x: usize,
    /// Top edge.
    pub y: usize,
    /// Width.
    pub width: usize,
    /// Height.
    pub height: usize,
}

impl Rect {
    /// Whether the whole rectangle lies in `frame`.
    pub fn fits(&self, frame: &Frame) -> bool {
        self.x + self.width <= frame.width() && self.y + self.height <= frame.height()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_have_the_sizes_of_i420() {
        // 6x4: luma 24, chroma 3x2 = 6 each.
        let frame = Frame::new(6, 4);
        assert_eq!(frame.planes().map(<[u8]>::len), [24, 6, 6]);
        assert!(frame.y().iter().all(|&y| y == BLACK));
        assert!(
            frame.planes()[1..]
                .iter()
                .all(|plane| plane.iter().all(|&c| c == NEUTRAL))
        );
    }

    #[test]
    fn planes_keep_their_order() {
        let frame = Frame::from_planes(2, 2, [&[1, 2, 3, 4], &[5], &[6]]);
        assert_eq!(frame.planes(), [&[1, 2, 3, 4][..], &[5], &[6]]);
    }

    #[test]
    #[should_panic(expected = "even sizes, not 3x2")]
    fn odd_sizes_are_refused() {
        Frame::new(3, 2);
    }
}
