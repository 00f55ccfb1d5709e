//! The media of a call as pure pieces: no clock, no network, no tasks.
//!
//! Every piece is a function of its inputs, so the same scenario gives the same bytes. Time, where
//! it matters, is a frame number, a presentation time or a sample position that the caller passes.
//!
//! | module | what it is for |
//! |---|---|
//! | [`frame`] | pictures (I420) and rectangles in them |
//! | [`camera`] | what captures: the trait that [`scene`] and [`y4m`] implement |
//! | [`scene`] | the built-in camera: a seeded moving scene |
//! | [`y4m`] | a Y4M file as a camera |
//! | [`scale`] | resizing pictures |
//! | [`marker`] | who captured this frame and which one it is, readable in the pixels |
//! | [`png`] | pictures for people to look at |
//! | [`quality`] | PSNR and SSIM |
//! | [`video`] | H.264 encoder and decoder |
//! | [`rtp_video`] | frames to RTP packets |
//! | [`assemble`] | RTP packets to frames |
//! | [`audio`] | Opus encoder and decoder |
//! | [`recording`] | encoded media that is sent again and again |
//! | [`backlog`] | a short queue between what comes unevenly and a steady tick |
//! | [`level`] | how loud sound is |
//! | [`probe`] | the audio signal that tells mouth-to-ear latency, and its detector |

pub mod assemble;
pub mod audio;
pub mod backlog;
pub mod camera;
mod codec_options;
pub mod frame;
pub mod level;
pub mod marker;
pub mod png;
pub mod probe;
pub mod quality;
pub mod recording;
pub mod rtp_video;
pub mod scale;
pub mod scene;
pub mod video;
pub mod y4m;

pub use assemble::{AssembledFrame, Assembly, FrameAssembler};
pub use audio::{AudioDecoder, AudioEncoder, AudioError, SoundPacket};
pub use backlog::Backlog;
pub use camera::{Camera, Stamped};
pub use frame::{Frame, Rect};
pub use marker::Marker;
pub use probe::{Detection, ProbeDetector, ProbeSource};
pub use recording::{AudioRecording, VideoPlayback, VideoRecording};
pub use rtp_video::VideoPacketizer;
pub use scene::Scene;
pub use video::{
    DecodeError, EncodeError, EncodedFrame, VideoDecoder, VideoEncoder, VideoSettings,
};
pub use y4m::{Y4mCamera, Y4mError};
