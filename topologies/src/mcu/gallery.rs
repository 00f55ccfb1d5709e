//! The newest picture of each participant.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::media::Frame;
use crate::media::scale::Scaler;

/// The newest picture of each participant, and copies of it in the sizes that were asked for.
///
/// A picture stays until a newer one comes, so a participant who is frozen is shown as last seen,
/// and each picture is scaled once per size, however many canvases show it.
#[derive(Debug, Default)]
pub struct Gallery {
    pictures: BTreeMap<u16, Picture>,
    /// By the size that they scale from and the one that they scale to.
    scalers: BTreeMap<[(usize, usize); 2], Scaler>,
    /// Pictures put here so far.
    put: u64,
}

#[derive(Debug)]
struct Picture {
    id: PictureId,
    original: Arc<Frame>,
    copies: Vec<Arc<Frame>>,
}

/// Which picture of all that a gallery ever held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureId(u64);

/// A picture in the size that was asked for.
#[derive(Debug)]
pub struct Scaled {
    /// Of what it is a copy.
    pub id: PictureId,
    /// The picture.
    pub frame: Arc<Frame>,
    /// Luma pixels that scaling read for it just now; 0 if it was there.
    pub read_pixels: u64,
    /// Luma pixels that scaling made for it just now; 0 if it was there.
    pub scaled_pixels: u64,
}

impl Gallery {
    /// Replaces what `participant` showed before.
    pub fn put(&mut self, participant: u16, picture: Arc<Frame>) {
        let picture = Picture {
            id: PictureId(self.put),
            original: picture,
            copies: Vec::new(),
        };
        self.put += 1;
        self.pictures.insert(participant, picture);
    }

    /// Forgets a participant who has left.
    pub fn remove(&mut self, participant: u16) {
        self.pictures.remove(&participant);
    }

    /// The newest picture of `participant` in the given size; `None` before the first one.
    ///
    /// # Panics
    ///
    /// If the size is odd or zero.
    pub fn copy(&mut self, participant: u16, size: (usize, usize)) -> Option<Scaled> {
        let picture = self.pictures.get_mut(&participant)?;
        let id = picture.id;
        let has_size = |frame: &&Arc<Frame>| (frame.width(), frame.height()) == size;
        let mut there = std::iter::once(&picture.original).chain(&picture.copies);
        if let Some(frame) = there.find(has_size) {
            return Some(Scaled {
                id,
                frame: Arc::clone(frame),
                read_pixels: 0,
                scaled_pixels: 0,
            });
        }
        let from = (picture.original.width(), picture.original.height());
        let scaler = self
            .scalers
            .entry([from, size])
            .or_insert_with(|| Scaler::new(from, size));
        let frame = Arc::new(scaler.scale(&picture.original));
        picture.copies.push(Arc::clone(&frame));
        Some(Scaled {
            id,
            frame,
            read_pixels: (from.0 * from.1) as u64,
            scaled_pixels: (size.0 * size.1) as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(luma: u8) -> Arc<Frame> {
        let mut frame = Frame::new(64, 36);
        frame.y_mut().fill(luma);
        Arc::new(frame)
    }

    #[test]
    fn a_picture_is_scaled_once_per_size() {
        let mut gallery = Gallery::default();
        assert!(gallery.copy(7, (32, 18)).is_none());
        gallery.put(7, picture(50));
        let scaled = |gallery: &mut Gallery, size| gallery.copy(7, size).unwrap().scaled_pixels;
        // 32 * 18 = 576, then 16 * 10 = 160, and nothing for what is there or is the original.
        assert_eq!(scaled(&mut gallery, (32, 18)), 576);
        assert_eq!(scaled(&mut gallery, (16, 10)), 160);
        assert_eq!(scaled(&mut gallery, (32, 18)), 0);
        assert_eq!(scaled(&mut gallery, (64, 36)), 0);
        gallery.put(7, picture(51));
        assert_eq!(scaled(&mut gallery, (32, 18)), 576);
    }

    #[test]
    fn the_newest_picture_is_shown_until_its_participant_leaves() {
        let mut gallery = Gallery::default();
        gallery.put(7, picture(50));
        let first = gallery.copy(7, (32, 18)).unwrap();
        assert_eq!(first.frame.y()[0], 50);
        assert_eq!(gallery.copy(7, (32, 18)).unwrap().id, first.id);
        gallery.put(7, picture(51));
        let second = gallery.copy(7, (32, 18)).unwrap();
        assert_eq!(second.frame.y()[0], 51);
        assert_ne!(second.id, first.id);
        gallery.remove(7);
        assert!(gallery.copy(7, (32, 18)).is_none());
    }
}
