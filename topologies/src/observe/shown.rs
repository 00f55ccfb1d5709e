//! What each receiver saw and heard of each sender.

use std::collections::BTreeMap;

use reports::record::Kind;
use sim::Time;

use super::frames::HopKey;
use crate::media::Rect;

/// A sender's media of one kind, as one receiver renders it. Participants go by their index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamKey {
    /// Who captures.
    pub sender: u16,
    /// Who renders.
    pub receiver: u16,
    /// What.
    pub kind: Kind,
}

/// What was rendered of one sender.
#[derive(Debug, Default)]
pub struct StreamLog {
    /// Frames, in the order in which they were rendered, each once.
    pub shown: Vec<Shown>,
    /// Words of the audio probe: when they were said and when they were heard.
    pub heard: Vec<(Time, Time)>,
}

/// One frame of a sender, rendered.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Counts the sender's frames.
    pub number: u32,
    /// When a person saw it, or its first sample was played.
    pub at: Time,
    /// The hop that brought it, and the RTP timestamp that it had there.
    pub hop: HopKey,
    /// See `hop`.
    pub timestamp: u32,
    /// Luma PSNR of the picture that was shown against the one that was captured, in dB.
    pub psnr_db: Option<f64>,
    /// Luma SSIM of the picture that was shown against the one that was captured.
    pub ssim: Option<f64>,
    /// How wide it was decoded, in pixels, or in a mix the sender's part of it.
    pub width: Option<usize>,
}

/// What an MCU put into one of its frames.
#[derive(Clone, Debug, Default)]
pub struct Mix {
    /// The sender's frame that it shows or plays of each participant.
    pub parts: BTreeMap<u16, Part>,
}

/// One participant's part of a mix.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The RTP timestamp of the participant's frame, on its hop to the MCU.
    pub timestamp: u32,
    /// Where it is in the picture; `None` in sound.
    pub rect: Option<Rect>,
}

/// What a rendered frame shows or plays of one sender.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Content {
    /// Whose.
    pub sender: u16,
    /// Counts the sender's frames.
    pub number: u32,
    /// Where in the picture; `None` is all of it.
    pub rect: Option<Rect>,
}

impl StreamLog {
    /// Adds what was rendered, unless it is what was rendered last.
    pub fn show(&mut self, shown: Shown) {
        let repeated = self.shown.last().map(|last| last.number) == Some(shown.number);
        if !repeated {
            self.shown.push(shown);
        }
    }
}
