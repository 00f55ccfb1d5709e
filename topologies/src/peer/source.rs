//! What makes encoded media of captured media: an encoder, or a recording of what one made.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use sim::{Overloaded, Work};

use super::Context;
use super::capture::{Picture, Sound};
use super::environment::{Environment, Working, brief_work, work};
use crate::media::scale::resize;
use crate::media::{
    AudioEncoder, AudioError, AudioRecording, EncodeError, EncodedFrame, Frame, VideoEncoder,
    VideoPlayback, VideoSettings,
};

/// One stream of encoded pictures.
pub enum VideoSource {
    /// Encodes them. Shared with the job that encodes, so that a job that is refused does not take
    /// it away.
    Encoder(Arc<Mutex<VideoEncoder>>),
    /// Takes the time of encoding, and sends what was recorded.
    Recording(VideoPlayback),
}

/// A picture, when it is encoded.
pub type Encoding = Working<Result<EncodedFrame, EncodeError>>;

impl VideoSource {
    /// A source of what the host's camera captures; `None` if there cannot be one, which is logged.
    pub fn new(context: &Context, settings: VideoSettings) -> Option<Self> {
        let recordings = context.capture.recordings.get();
        match recordings.and_then(|recordings| recordings.video.as_ref()) {
            Some(recording) => {
                let recording = recording.get(context.environment.as_ref());
                let recording = logged(recording.as_ref())?;
                let playback = VideoPlayback::new(Arc::clone(recording));
                Some(VideoSource::Recording(playback))
            }
            None => {
                let encoder = logged(VideoEncoder::new(settings))?;
                Some(VideoSource::Encoder(Arc::new(Mutex::new(encoder))))
            }
        }
    }

    /// Makes the next frame a keyframe.
    pub fn request_keyframe(&mut self) {
        match self {
            VideoSource::Encoder(encoder) => lock(encoder).request_keyframe(),
            VideoSource::Recording(playback) => playback.request_keyframe(),
        }
    }

    /// Encodes the next picture as `settings` say, at a cost of `price`. What is recorded stays as it
    /// is.
    ///
    /// # Errors
    ///
    /// [`Overloaded`] if the CPU is too far behind; the picture is left out then.
    pub fn encode(
        &mut self,
        environment: &Arc<dyn Environment>,
        (settings, price): (VideoSettings, Duration),
        picture: &Picture,
    ) -> Result<Encoding, Overloaded> {
        match self {
            VideoSource::Encoder(encoder) => {
                let (encoder, at) = (Arc::clone(encoder), picture.at.since_start());
                let frame = picture.frame.clone();
                let frame = frame.expect("pictures have pixels where they are encoded");
                let job = move || encode(&mut lock(&encoder), settings, &frame, at);
                work(environment.as_ref(), Work::Encode, price, job)
            }
            VideoSource::Recording(playback) => {
                let job = || Ok(playback.frame());
                brief_work(environment, Work::Encode, price, job)
            }
        }
    }
}

fn encode(
    encoder: &mut VideoEncoder,
    settings: VideoSettings,
    frame: &Frame,
    at: Duration,
) -> Result<EncodedFrame, EncodeError> {
    encoder.follow(settings)?;
    let size = (settings.width, settings.height);
    match (frame.width(), frame.height()) == size {
        true => encoder.encode(frame, at),
        false => encoder.encode(&resize(frame, size.0, size.1), at),
    }
}

fn lock(encoder: &Mutex<VideoEncoder>) -> std::sync::MutexGuard<'_, VideoEncoder> {
    encoder.lock().expect("no encoder panics")
}

/// One stream of encoded sound.
pub enum AudioSource {
    /// Encodes it.
    Encoder(Box<AudioEncoder>),
    /// Sends what was recorded.
    Recording(Arc<AudioRecording>),
}

impl AudioSource {
    /// A source of what the host's microphone captures, at a target of `bitrate_bps`; `None` if
    /// there cannot be one, which is logged.
    pub fn new(context: &Context, bitrate_bps: u32) -> Option<Self> {
        let recordings = context.capture.recordings.get();
        match recordings.and_then(|recordings| recordings.audio.as_ref()) {
            Some(recording) => {
                let recording = recording.get(context.environment.as_ref());
                let recording = logged(recording.as_ref())?;
                Some(AudioSource::Recording(Arc::clone(recording)))
            }
            None => {
                let encoder = logged(AudioEncoder::protected(
                    bitrate_bps,
                    context.plan.repair.opus_fec,
                ))?;
                Some(AudioSource::Encoder(Box::new(encoder)))
            }
        }
    }

    /// Changes the target, bits per second. What is recorded stays as it is.
    ///
    /// # Errors
    ///
    /// If Opus refuses it.
    pub fn set_bitrate(&mut self, bitrate_bps: u32) -> Result<(), AudioError> {
        match self {
            AudioSource::Encoder(encoder) => encoder.set_bitrate(bitrate_bps),
            AudioSource::Recording(_) => Ok(()),
        }
    }

    /// The packet of 20 ms.
    ///
    /// # Errors
    ///
    /// If Opus refuses the frame.
    pub fn encode(&mut self, sound: &Sound) -> Result<Bytes, AudioError> {
        match self {
            AudioSource::Encoder(encoder) => encoder.encode(&sound.samples),
            AudioSource::Recording(recording) => Ok(recording.packet(sound.number)),
        }
    }
}

fn logged<T, E: std::fmt::Display>(result: Result<T, E>) -> Option<T> {
    result.inspect_err(|error| log::error!("{error}")).ok()
}
