//! H.264, constrained baseline: what `profile-level-id=42e01f` promises.

use std::time::Duration;

use bytes::Bytes;
use openh264::decoder::{Decoder, DecoderConfig, Flush};
use openh264::encoder::{
    BitRate, Complexity, Encoder, EncoderConfig, FrameRate, FrameType, Profile, RateControlMode,
};
use openh264::formats::YUVSource;
use openh264::{OpenH264API, Timestamp};

use super::codec_options;
use super::frame::Frame;

/// What an encoder is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoSettings {
    /// Pixels, even.
    pub width: usize,
    /// Pixels, even.
    pub height: usize,
    /// Frames per second that rate control reckons with.
    pub fps: u32,
    /// Target of rate control, bits per second.
    pub bitrate_bps: u32,
    /// Largest NAL unit, bytes, so that each fits one packet. At least [`MIN_MAX_PAYLOAD`].
    pub max_payload: usize,
}

/// OpenH264 needs room for one macroblock of any content and headers in each slice
/// (`NAL_HEADER_ADD_0X30BYTES + MAX_MACROBLOCK_SIZE_IN_BYTE` in its `encoder_ext.cpp`).
pub const MIN_MAX_PAYLOAD: usize = 450;

/// The encoder failed.
#[derive(Debug, thiserror::Error)]
#[error("H.264 encoder: {0}")]
pub struct EncodeError(#[source] openh264::Error);

/// The frame cannot be decoded, or not without one that was lost: ask for a keyframe.
#[derive(Debug, thiserror::Error)]
#[error("H.264 decoder: {0}")]
pub struct DecodeError(#[source] openh264::Error);

/// One encoded frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedFrame {
    /// NAL units, each after a start code (Annex B of the standard).
    pub data: Bytes,
    /// Whether decoding can start here (IDR, with its parameter sets).
    pub keyframe: bool,
}

/// An H.264 encoder. Equal settings and frames give equal bytes, in any thread.
///
/// The first frame is a keyframe, and after it only those that were requested. Every frame gives
/// a frame: none is skipped to hold the bitrate.
pub struct VideoEncoder {
    encoder: Encoder,
    settings: VideoSettings,
    /// The target that OpenH264 has.
    bitrate_bps: u32,
    keyframe_wanted: bool,
    started: bool,
}

impl VideoEncoder {
    /// An encoder for frames of one size.
    ///
    /// # Errors
    ///
    /// If OpenH264 cannot be set up.
    ///
    /// # Panics
    ///
    /// If `max_payload` is below [`MIN_MAX_PAYLOAD`].
    pub fn new(settings: VideoSettings) -> Result<Self, EncodeError> {
        assert!(settings.max_payload >= MIN_MAX_PAYLOAD, "{settings:?}");
        let mut encoder = Encoder::with_api_config(OpenH264API::from_source(), config(settings))
            .map_err(EncodeError)?;
        codec_options::silence(&mut encoder);
        Ok(VideoEncoder {
            encoder,
            settings,
            bitrate_bps: settings.bitrate_bps,
            keyframe_wanted: false,
            started: false,
        })
    }

    /// Makes the next frame a keyframe.
    pub fn request_keyframe(&mut self) {
        self.keyframe_wanted = true;
    }

    /// Changes what is asked for, from the next frame on. Another bitrate goes on where the one
    /// before was; another size or frame rate begins anew, with a keyframe.
    ///
    /// # Errors
    ///
    /// If OpenH264 cannot be set up again.
    pub fn follow(&mut self, settings: VideoSettings) -> Result<(), EncodeError> {
        let same = VideoSettings {
            bitrate_bps: settings.bitrate_bps,
            ..self.settings
        };
        match settings == same {
            true => self.settings = settings,
            false => *self = VideoEncoder::new(settings)?,
        }
        Ok(())
    }

    /// Encodes the frame captured at `pts`, which must grow from frame to frame; rate control
    /// reads it in ms.
    ///
    /// # Errors
    ///
    /// If OpenH264 refuses the frame.
    ///
    /// # Panics
    ///
    /// If the frame has another size than the settings.
    pub fn encode(&mut self, frame: &Frame, pts: Duration) -> Result<EncodedFrame, EncodeError> {
        let size = (self.settings.width, self.settings.height);
        assert_eq!((frame.width(), frame.height()), size, "frame size");
        // Before the first frame OpenH264 has no state yet to force anything in, or to change.
        if std::mem::take(&mut self.keyframe_wanted) && self.started {
            self.encoder.force_intra_frame();
        }
        if self.started {
            let wanted = self.settings.bitrate_bps;
            let before = std::mem::replace(&mut self.bitrate_bps, wanted);
            if before != wanted {
                codec_options::set_bitrate(&mut self.encoder, before, wanted);
            }
        }
        self.started = true;
        let pts = Timestamp::from_millis(pts.as_millis() as u64);
        let bits = self.encoder.encode_at(frame, pts).map_err(EncodeError)?;
        Ok(EncodedFrame {
            data: bits.to_vec().into(),
            keyframe: bits.frame_type() == FrameType::IDR,
        })
    }
}

fn config(settings: VideoSettings) -> EncoderConfig {
    EncoderConfig::new()
        .profile(Profile::Baseline)
        .complexity(Complexity::Low)
        .num_threads(1)
        .bitrate(BitRate::from_bps(settings.bitrate_bps))
        .max_frame_rate(FrameRate::from_hz(settings.fps as f32))
        .rate_control_mode(RateControlMode::Bitrate)
        .skip_frames(false)
        // It would add keyframes of its own.
        .scene_change_detect(false)
        // A tenth of the encoder's time, for the same quality.
        .background_detection(false)
        .max_slice_len(settings.max_payload as u32)
}

impl YUVSource for Frame {
    fn dimensions(&self) -> (usize, usize) {
        (self.width(), self.height())
    }

    fn strides(&self) -> (usize, usize, usize) {
        (self.width(), self.width() / 2, self.width() / 2)
    }

    fn y(&self) -> &[u8] {
        self.planes()[0]
    }

    fn u(&self) -> &[u8] {
        self.planes()[1]
    }

    fn v(&self) -> &[u8] {
        self.planes()[2]
    }
}

/// An H.264 decoder.
pub struct VideoDecoder {
    decoder: Decoder,
}

impl VideoDecoder {
    /// A decoder that waits for a keyframe.
    ///
    /// # Errors
    ///
    /// If OpenH264 cannot be set up.
    pub fn new() -> Result<Self, DecodeError> {
        // Constrained baseline has no reordering, so there is never a frame to flush.
        let config = DecoderConfig::new().flush_after_decode(Flush::NoFlush);
        let decoder =
            Decoder::with_api_config(OpenH264API::from_source(), config).map_err(DecodeError)?;
        Ok(VideoDecoder { decoder })
    }

    /// Decodes one whole frame (Annex B). `None` if it held no picture, such as parameter sets
    /// alone.
    ///
    /// # Errors
    ///
    /// If the data is damaged or a frame that it refers to was lost. Errors go on until the next
    /// keyframe: the caller asks the sender for one (PLI).
    pub fn decode(&mut self, data: &[u8]) -> Result<Option<Frame>, DecodeError> {
        let picture = self.decoder.decode(data).map_err(DecodeError)?;
        Ok(picture.map(|picture| copy(&picture)))
    }
}

/// Without the padding of the decoder's strides.
fn copy(picture: &impl YUVSource) -> Frame {
    let (width, height) = picture.dimensions();
    let strides: [usize; 3] = picture.strides().into();
    let from = [picture.y(), picture.u(), picture.v()];
    let mut frame = Frame::new(width, height);
    let planes = frame.planes_mut().into_iter().zip(from);
    for (((to, from), stride), width) in planes.zip(strides).zip([width, width / 2, width / 2]) {
        for (to, from) in to.chunks_exact_mut(width).zip(from.chunks(stride)) {
            to.copy_from_slice(&from[..width]);
        }
    }
    frame
}
