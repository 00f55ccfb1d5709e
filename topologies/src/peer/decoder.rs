//! What makes pictures of received frames: a decoder, or, where frames are recorded ones, the
//! knowledge of what a decoder could decode.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use sim::{Overloaded, Work};

use super::Context;
use super::environment::{Environment, Working, brief_work, work};
use crate::media::video::DecodeError;
use crate::media::{AssembledFrame, Frame, VideoDecoder};

/// What became of a frame.
#[derive(Debug)]
pub enum Outcome {
    /// A picture, with its pixels if it was really decoded.
    Picture(Option<Frame>),
    /// It held no picture.
    Nothing,
    /// It cannot be decoded: a keyframe is needed.
    Undecodable,
}

/// Decodes one stream.
pub enum Decoder {
    /// For real. Shared with the job that decodes, so that a job that is refused does not take it
    /// away.
    Real(Arc<Mutex<VideoDecoder>>),
    /// Takes the time of decoding, and does nothing.
    Replayed(References),
}

/// Whether what the next frame refers to is there.
#[derive(Clone, Copy, Debug, Default)]
pub struct References {
    intact: bool,
}

impl Decoder {
    /// A decoder that waits for a keyframe.
    ///
    /// # Errors
    ///
    /// If OpenH264 cannot be set up.
    pub fn new(context: &Context) -> Result<Self, DecodeError> {
        Ok(match context.replays() {
            false => Decoder::Real(Arc::new(Mutex::new(VideoDecoder::new()?))),
            true => Decoder::Replayed(References::default()),
        })
    }

    /// Decodes the next frame, at a cost of `price`.
    ///
    /// # Errors
    ///
    /// [`Overloaded`] if the CPU is too far behind; the frame is lost then.
    pub fn decode(
        &mut self,
        environment: &Arc<dyn Environment>,
        price: Duration,
        frame: AssembledFrame,
    ) -> Result<Working<Outcome>, Overloaded> {
        match self {
            Decoder::Real(decoder) => {
                let decoder = Arc::clone(decoder);
                let job = move || decode(&decoder, &frame);
                work(environment.as_ref(), Work::Decode, price, job)
            }
            Decoder::Replayed(references) => {
                let job = || references.decode(&frame);
                brief_work(environment, Work::Decode, price, job)
            }
        }
    }
}

fn decode(decoder: &Mutex<VideoDecoder>, frame: &AssembledFrame) -> Outcome {
    let mut decoder = decoder.lock().expect("no decoder panics");
    match decoder.decode(&frame.data) {
        Ok(Some(picture)) => Outcome::Picture(Some(picture)),
        Ok(None) => Outcome::Nothing,
        Err(_) => Outcome::Undecodable,
    }
}

impl References {
    /// What a decoder would do: after a loss it decodes nothing up to the next keyframe.
    fn decode(&mut self, frame: &AssembledFrame) -> Outcome {
        self.intact = frame.starts_anew() || self.intact && !frame.after_loss;
        match self.intact {
            true => Outcome::Picture(None),
            false => Outcome::Undecodable,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    /// Whether each of these frames is decoded: keyframe or not, after a loss or not.
    fn decoded(frames: &[(bool, bool)]) -> Vec<bool> {
        let mut references = References::default();
        let decode = |&(keyframe, after_loss): &(bool, bool)| {
            let first = if keyframe { 0x67 } else { 0x61 };
            let frame = AssembledFrame {
                rtp_timestamp: 0,
                data: Bytes::from(vec![0, 0, 0, 1, first, 0x80]),
                packets: 1,
                after_loss,
            };
            matches!(references.decode(&frame), Outcome::Picture(None))
        };
        frames.iter().map(decode).collect()
    }

    #[test]
    fn nothing_decodes_between_a_loss_and_a_keyframe() {
        let (key, inter) = (true, false);
        let frames = [
            (inter, false), // No keyframe has come.
            (key, true),
            (inter, false),
            (inter, true),
            (inter, false),
            (key, false),
            (inter, false),
        ];
        let expected = [false, true, true, false, false, true, true];
        assert_eq!(decoded(&frames), expected);
    }
}
