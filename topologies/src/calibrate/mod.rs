//! What work costs on the machine that this runs on: every figure of [`CostProfile`], measured with
//! the codecs and the stack that calls use.
//!
//! Everything is measured by the CPU clock of a thread, so what else the machine does shows only
//! as far as it shares caches and cores.
//!
//! | module | what it measures |
//! |---|---|
//! | [`codecs`] | H.264 and Opus, frame by frame |
//! | [`grid`] | what an MCU does between its codecs |
//! | [`packets`] | the stack, the SFU and the TURN server, in short calls |
//! | [`spread`] | what many samples say |

mod codecs;
mod grid;
mod packets;
mod spread;

use scenarios::CostProfile;
use thiserror::Error;

use crate::RunError;
use crate::media::{AudioError, DecodeError, EncodeError};

pub use spread::Spread;

/// Why nothing could be measured.
#[derive(Debug, Error)]
pub enum CalibrateError {
    /// A video encoder failed.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A video decoder failed.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// An audio codec failed.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// A call could not be run.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// The figures of [`CostProfile`] with their spread, in ns.
#[derive(Clone, Debug, PartialEq)]
pub struct Calibration {
    /// H.264 encoding, per luma pixel: a sample is a picture.
    pub video_encode_pixel: Spread,
    /// H.264 decoding, per luma pixel: a sample is a picture.
    pub video_decode_pixel: Spread,
    /// Scaling, per luma pixel read or made: a sample is a picture.
    pub scale_pixel: Spread,
    /// Composing, per luma pixel drawn: a sample is a grid.
    pub compose_pixel: Spread,
    /// Opus encoding, per sample of sound: a sample is a packet.
    pub audio_encode_sample: Spread,
    /// Opus decoding, per sample of sound: a sample is a packet.
    pub audio_decode_sample: Spread,
    /// Mixing, per sample of each sound that goes in or comes out: a sample is a second of ticks.
    pub mix_sample: Spread,
    /// Sending a packet: a sample is a set of calls.
    pub packet_send: Spread,
    /// Receiving a packet: a sample is a set of calls.
    pub packet_receive: Spread,
    /// Forwarding a copy, beside receiving and sending: a sample is a call.
    pub packet_forward: Spread,
    /// Relaying a packet: a sample is a call.
    pub packet_relay: Spread,
}

impl Calibration {
    /// The medians, as a profile of this name.
    pub fn profile(&self, name: &str) -> CostProfile {
        CostProfile {
            name: name.to_owned(),
            video_encode_pixel_ns: self.video_encode_pixel.median,
            video_decode_pixel_ns: self.video_decode_pixel.median,
            scale_pixel_ns: self.scale_pixel.median,
            compose_pixel_ns: self.compose_pixel.median,
            audio_encode_sample_ns: self.audio_encode_sample.median,
            audio_decode_sample_ns: self.audio_decode_sample.median,
            mix_sample_ns: self.mix_sample.median,
            packet_send_ns: self.packet_send.median,
            packet_receive_ns: self.packet_receive.median,
            packet_forward_ns: self.packet_forward.median,
            packet_relay_ns: self.packet_relay.median,
        }
    }

    /// Every figure, in the order of [`CostProfile`].
    pub fn figures(&self) -> [Figure; 11] {
        let figure = |key, of, spread| Figure { key, of, spread };
        [
            figure("video_encode_pixel_ns", "pixel", self.video_encode_pixel),
            figure("video_decode_pixel_ns", "pixel", self.video_decode_pixel),
            figure("scale_pixel_ns", "pixel read or made", self.scale_pixel),
            figure("compose_pixel_ns", "pixel drawn", self.compose_pixel),
            figure("audio_encode_sample_ns", "sample", self.audio_encode_sample),
            figure("audio_decode_sample_ns", "sample", self.audio_decode_sample),
            figure("mix_sample_ns", "sample in or out", self.mix_sample),
            figure("packet_send_ns", "packet", self.packet_send),
            figure("packet_receive_ns", "packet", self.packet_receive),
            figure("packet_forward_ns", "copy", self.packet_forward),
            figure("packet_relay_ns", "packet", self.packet_relay),
        ]
    }
}

/// One figure of a calibration.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// What cost profiles call it.
    pub key: &'static str,
    /// What it is the cost of one of.
    pub of: &'static str,
    /// In ns.
    pub spread: Spread,
}

/// Measures everything, telling `progress` what is next. It takes half a minute in a release build.
///
/// # Errors
///
/// [`CalibrateError`] if a codec or a call fails.
pub fn measure(progress: &dyn Fn(&str)) -> Result<Calibration, CalibrateError> {
    progress("video codecs");
    let video = codecs::video()?;
    progress("audio codecs");
    let audio = codecs::audio()?;
    progress("scaling, composing and mixing");
    let (scale_pixel, compose_pixel) = (grid::scaling(), grid::composing());
    let mix_sample = grid::mixing();
    let packets = packets::measure(progress)?;
    Ok(Calibration {
        video_encode_pixel: video.encode,
        video_decode_pixel: video.decode,
        scale_pixel,
        compose_pixel,
        audio_encode_sample: audio.encode,
        audio_decode_sample: audio.decode,
        mix_sample,
        packet_send: packets.send,
        packet_receive: packets.receive,
        packet_forward: packets.forward,
        packet_relay: packets.relay,
    })
}

/// The result of `work`, and what it took of the calling thread's CPU, in ns.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let before = sim::thread_cpu();
    let result = work();
    let spent = sim::thread_cpu().saturating_sub(before);
    (result, spent.as_nanos() as f64)
}
