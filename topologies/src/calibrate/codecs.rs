//! H.264 and Opus, as participants use them.

use std::time::Duration;

use sim::Seed;

use super::{CalibrateError, Spread, timed};
use crate::media::audio::FRAME_SAMPLES;
use crate::media::{
    AudioDecoder, AudioEncoder, Camera, ProbeSource, Scene, Stamped, VideoDecoder, VideoEncoder,
    VideoSettings,
};
use crate::peer::send::MAX_PAYLOAD;

/// What a codec takes, both ways, in ns per pixel or sample.
pub struct Codec {
    /// To encode.
    pub encode: Spread,
    /// To decode.
    pub decode: Spread,
}

/// Streams that are encoded and decoded in turn: in a call no codec finds the caches as it left
/// them.
const STREAMS: u16 = 3;
/// Frames of each stream before those that count: rate control settles in the first second.
const WARMUP: u32 = 30;
/// Frames of each stream that count.
const FRAMES: u32 = 100;
const FPS: u32 = 30;

/// Sizes, and the bit rates at which each has as many bits per pixel as the default camera's.
const SIZES: [(usize, usize, u32); 2] = [(320, 180, 200_000), (640, 360, 800_000)];

/// H.264, per luma pixel.
pub fn video() -> Result<Codec, CalibrateError> {
    let (mut encode, mut decode) = (Vec::new(), Vec::new());
    for (width, height, bitrate_bps) in SIZES {
        let settings = VideoSettings {
            width,
            height,
            fps: FPS,
            bitrate_bps,
            max_payload: MAX_PAYLOAD,
        };
        let mut streams = (0..STREAMS)
            .map(|sender| VideoStream::new(settings, sender))
            .collect::<Result<Vec<_>, _>>()?;
        let pixels = (width * height) as f64;
        for number in 0..WARMUP + FRAMES {
            for stream in &mut streams {
                let (encoding, decoding) = stream.frame(number)?;
                if number >= WARMUP {
                    encode.push(encoding / pixels);
                    decode.push(decoding / pixels);
                }
            }
        }
    }
    Ok(Codec {
        encode: Spread::of(encode),
        decode: Spread::of(decode),
    })
}

struct VideoStream {
    camera: Stamped,
    encoder: VideoEncoder,
    decoder: VideoDecoder,
}

impl VideoStream {
    fn new(settings: VideoSettings, sender: u16) -> Result<Self, CalibrateError> {
        let mut random = Seed(1).stream(&format!("camera/{sender}"));
        let scene = Scene::new(&mut random, settings.width, settings.height);
        Ok(VideoStream {
            camera: Stamped::new(Box::new(scene), sender),
            encoder: VideoEncoder::new(settings)?,
            decoder: VideoDecoder::new()?,
        })
    }

    /// What encoding and decoding the next frame take, in ns.
    fn frame(&mut self, number: u32) -> Result<(f64, f64), CalibrateError> {
        let picture = self.camera.frame(number);
        let at = Duration::from_secs(1) * number / FPS;
        let (encoded, encoding) = timed(|| self.encoder.encode(&picture, at));
        let encoded = encoded?;
        let (decoded, decoding) = timed(|| self.decoder.decode(&encoded.data));
        decoded?;
        Ok((encoding, decoding))
    }
}

/// The default of scenarios, bits per second.
const AUDIO_BITRATE_BPS: u32 = 32_000;

/// Opus, per sample.
pub fn audio() -> Result<Codec, CalibrateError> {
    let mut streams = (0..STREAMS)
        .map(AudioStream::new)
        .collect::<Result<Vec<_>, _>>()?;
    let (mut encode, mut decode) = (Vec::new(), Vec::new());
    for number in 0..WARMUP + FRAMES {
        for stream in &mut streams {
            let (encoding, decoding) = stream.frame(number)?;
            if number >= WARMUP {
                encode.push(encoding / FRAME_SAMPLES as f64);
                decode.push(decoding / FRAME_SAMPLES as f64);
            }
        }
    }
    Ok(Codec {
        encode: Spread::of(encode),
        decode: Spread::of(decode),
    })
}

struct AudioStream {
    source: ProbeSource,
    encoder: AudioEncoder,
    decoder: AudioDecoder,
}

impl AudioStream {
    fn new(sender: u16) -> Result<Self, CalibrateError> {
        let mut random = Seed(1).stream(&format!("microphone/{sender}"));
        Ok(AudioStream {
            source: ProbeSource::new(sender, &mut random),
            encoder: AudioEncoder::new(AUDIO_BITRATE_BPS)?,
            decoder: AudioDecoder::new()?,
        })
    }

    /// What encoding and decoding the next 20 ms take, in ns.
    fn frame(&mut self, number: u32) -> Result<(f64, f64), CalibrateError> {
        let sound = self.source.frame(number);
        let (encoded, encoding) = timed(|| self.encoder.encode(&sound));
        let encoded = encoded?;
        let (decoded, decoding) = timed(|| self.decoder.decode(&encoded));
        decoded?;
        Ok((encoding, decoding))
    }
}
