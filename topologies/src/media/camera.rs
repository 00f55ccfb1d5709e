//! What captures pictures.

use std::sync::Arc;

use super::frame::Frame;
use super::marker::{self, Marker};

/// A source of pictures at a fixed size and rate.
pub trait Camera: Send {
    /// The frame captured `n` frame intervals after the start of the capture. Any order of `n` is
    /// allowed, and the same `n` always gives the same picture.
    fn frame(&mut self, n: u32) -> Arc<Frame>;
}

/// A camera whose frames carry the pixel marker.
pub struct Stamped {
    camera: Box<dyn Camera>,
    sender: u16,
}

impl Stamped {
    /// Marks what `camera` sees as captured by `sender`. Frames must be at least
    /// [`marker::MIN_SIZE`].
    pub fn new(camera: Box<dyn Camera>, sender: u16) -> Self {
        Stamped { camera, sender }
    }
}

impl Camera for Stamped {
    fn frame(&mut self, n: u32) -> Arc<Frame> {
        let mut frame = Arc::unwrap_or_clone(self.camera.frame(n));
        marker::stamp(
            &mut frame,
            Marker {
                sender: self.sender,
                frame: n,
            },
        );
        Arc::new(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same picture, shared, for every frame.
    struct Still(Arc<Frame>);

    impl Camera for Still {
        fn frame(&mut self, _n: u32) -> Arc<Frame> {
            Arc::clone(&self.0)
        }
    }

    #[test]
    fn stamps_a_copy_of_a_shared_frame() {
        let still = Arc::new(Frame::new(160, 90));
        let mut camera = Stamped::new(Box::new(Still(Arc::clone(&still))), 9);
        for frame in [4, 2] {
            let got = camera.frame(frame);
            assert_eq!(
                marker::read(&got, got.rect()),
                Some(Marker { sender: 9, frame })
            );
        }
        assert_eq!(*still, Frame::new(160, 90));
    }
}
