//! A video decoder that takes its time: frames wait for it in a short queue.
//!
//! A decoder that cannot keep up does what players do: when the queue is full, frames are dropped
//! up to the next keyframe, since none of them can be decoded without the ones before.

use std::collections::VecDeque;

use sim::Work;

use super::Context;
use super::decoder::{Decoder, Outcome};
use super::environment::Working;
use crate::costs::cost;
use crate::media::AssembledFrame;

/// Frames that wait for the decoder before frames are dropped: a tenth of a second at 30 frames
/// per second. What the playout buffer held back for a repair comes at once, on top of them.
const WAITING: usize = 3;

/// A decoder and the frames that wait for it.
pub struct DecodeQueue {
    context: Context,
    pixels: usize,
    decoder: Decoder,
    waiting: VecDeque<Waiting>,
    current: Option<(u32, Working<Outcome>)>,
    /// Frames are dropped up to the next keyframe.
    behind: bool,
}

struct Waiting {
    frame: AssembledFrame,
    /// It came at once with others, which is not the decoder's fault.
    held: bool,
}

impl DecodeQueue {
    /// A decoder for pictures of so many luma pixels. Where they are decoded, each costs as much as
    /// one of the size of the picture before.
    pub fn new(context: Context, decoder: Decoder, pixels: usize) -> Self {
        DecodeQueue {
            context,
            pixels,
            decoder,
            waiting: VecDeque::new(),
            current: None,
            behind: false,
        }
    }

    /// Takes the next frame, which was held back or not; `false` if it was dropped, so that a
    /// keyframe is needed.
    pub fn push(&mut self, frame: AssembledFrame, held: bool) -> bool {
        let in_time = self.waiting.iter().filter(|waiting| !waiting.held);
        let full = !held && in_time.count() == WAITING;
        if frame.starts_anew() {
            self.behind = false;
            if full {
                self.skipped(self.waiting.len());
                self.waiting.clear();
            }
        } else if self.behind || full {
            self.behind = true;
            self.skipped(1);
            return false;
        }
        self.waiting.push_back(Waiting { frame, held });
        self.start();
        !self.behind
    }

    /// The next frame that is done, with its RTP timestamp.
    pub async fn next(&mut self) -> (u32, Outcome) {
        let Some((timestamp, working)) = &mut self.current else {
            return std::future::pending().await;
        };
        let done = (*timestamp, working.await);
        if let Outcome::Picture(Some(frame)) = &done.1 {
            self.pixels = frame.width() * frame.height();
        }
        self.current = None;
        self.start();
        done
    }

    /// Starts on the next frame if the decoder is idle. A frame that the CPU refuses is lost, and
    /// all up to the next keyframe with it.
    fn start(&mut self) {
        if self.current.is_some() {
            return;
        }
        let Some(Waiting { frame, .. }) = self.waiting.pop_front() else {
            return;
        };
        let price = cost(&self.context.plan, |c| c.video_decode_pixel_ns, self.pixels);
        let timestamp = frame.rtp_timestamp;
        match self.decoder.decode(&self.context.environment, price, frame) {
            Ok(working) => self.current = Some((timestamp, working)),
            Err(_) => {
                self.skipped(self.waiting.len());
                self.waiting.clear();
                self.behind = true;
            }
        }
    }

    fn skipped(&self, frames: usize) {
        let observatory = &self.context.observatory;
        observatory.skipped(self.context.index, Work::Decode, frames as u64);
    }
}
