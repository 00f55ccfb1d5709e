//! Media that was encoded once and is sent again and again, in place of an encoder.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::audio::{AudioEncoder, AudioError};
use super::camera::Camera;
use super::probe::{self, ProbeSource};
use super::video::{EncodeError, EncodedFrame, VideoEncoder, VideoSettings};

/// How long a recording follows its first frame. Rate control has paid for a keyframe after half
/// a second.
const BEGINNING_S: u32 = 1;

/// How long it follows the keyframe that is forced then, until it goes round.
const REST_S: u32 = 5;

/// How long after that keyframe the part begins that is repeated.
const SETTLED_S: u32 = 1;

/// Frames of one camera, as an encoder made them: from its first one, and from a keyframe that it
/// was asked for in mid-stream, which is of another size.
#[derive(Debug)]
pub struct VideoRecording {
    frames: Vec<EncodedFrame>,
    /// Which of them is the keyframe that was asked for.
    restart: usize,
    /// Which one follows the last of either part.
    settled: usize,
}

impl VideoRecording {
    /// Encodes 6 s of what `camera` sees.
    ///
    /// # Errors
    ///
    /// If the encoder does not start, or refuses a picture.
    pub fn make(camera: &mut dyn Camera, settings: VideoSettings) -> Result<Self, EncodeError> {
        let (fps, mut encoder) = (settings.fps, VideoEncoder::new(settings)?);
        let restart = BEGINNING_S * fps;
        let mut encode = |n: u32| {
            if n == restart {
                encoder.request_keyframe();
            }
            let pts = Duration::from_secs(1) * n / fps;
            encoder.encode(&camera.frame(n), pts)
        };
        let frames: Result<_, _> = (0..restart + REST_S * fps).map(&mut encode).collect();
        Ok(VideoRecording {
            frames: frames?,
            restart: restart as usize,
            settled: (restart + SETTLED_S * fps) as usize,
        })
    }
}

/// A stream of recorded frames. Sizes and keyframes are those of an encoder; the pictures can be
/// decoded up to where the recording goes round.
#[derive(Clone, Debug)]
pub struct VideoPlayback {
    recording: Arc<VideoRecording>,
    next: usize,
    keyframe_wanted: bool,
}

impl VideoPlayback {
    /// A stream that begins with the first frame.
    pub fn new(recording: Arc<VideoRecording>) -> Self {
        VideoPlayback {
            recording,
            next: 0,
            keyframe_wanted: false,
        }
    }

    /// Makes the next frame a keyframe.
    pub fn request_keyframe(&mut self) {
        self.keyframe_wanted = true;
    }

    /// The next frame.
    pub fn frame(&mut self) -> EncodedFrame {
        let VideoRecording {
            frames,
            restart,
            settled,
        } = self.recording.as_ref();
        // The first frame is a keyframe anyway.
        if std::mem::take(&mut self.keyframe_wanted) && self.next > 0 {
            self.next = *restart;
        }
        let frame = frames[self.next].clone();
        self.next += 1;
        if self.next == *restart || self.next == frames.len() {
            self.next = *settled;
        }
        frame
    }
}

/// Packets of one microphone: the probe, from its first packet to where it repeats itself.
#[derive(Debug)]
pub struct AudioRecording {
    packets: Vec<Bytes>,
}

impl AudioRecording {
    /// Encodes what `source` says, with in-band FEC if `fec`.
    ///
    /// # Errors
    ///
    /// If the encoder does not start, or refuses a frame.
    pub fn make(source: &ProbeSource, bitrate_bps: u32, fec: bool) -> Result<Self, AudioError> {
        let mut encoder = AudioEncoder::protected(bitrate_bps, fec)?;
        let frames = probe::FIRST_FRAMES + probe::CYCLE_FRAMES;
        let packets: Result<_, _> = (0..frames)
            .map(|n| encoder.encode(&source.frame(n)))
            .collect();
        Ok(AudioRecording { packets: packets? })
    }

    /// The packet of the 20 ms that begin `n * 20` ms after the start of the capture.
    pub fn packet(&self, n: u32) -> Bytes {
        let index = match n.checked_sub(probe::FIRST_FRAMES) {
            None => n,
            Some(since) => probe::FIRST_FRAMES + since % probe::CYCLE_FRAMES,
        };
        self.packets[index as usize].clone()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::media::{Scene, VideoDecoder};

    const SETTINGS: VideoSettings = VideoSettings {
        width: 160,
        height: 96,
        fps: 10,
        bitrate_bps: 100_000,
        max_payload: 1_000,
    };

    fn playback() -> VideoPlayback {
        let mut scene = Scene::new(&mut ChaCha8Rng::seed_from_u64(1), 160, 96);
        let recording = VideoRecording::make(&mut scene, SETTINGS);
        VideoPlayback::new(Arc::new(recording.unwrap()))
    }

    #[test]
    fn keyframes_come_first_and_when_they_are_asked_for() {
        let mut playback = playback();
        // Before the first frame a request changes nothing, as with an encoder.
        playback.request_keyframe();
        let mut keyframes = Vec::new();
        for n in 0..200 {
            if [7, 8, 150].contains(&n) {
                playback.request_keyframe();
            }
            if playback.frame().keyframe {
                keyframes.push(n);
            }
        }
        assert_eq!(keyframes, [0, 7, 8, 150]);
    }

    #[test]
    fn what_follows_a_keyframe_decodes_until_the_recording_goes_round() {
        let (mut playback, mut decoder) = (playback(), VideoDecoder::new().unwrap());
        // One second from the first frame, and five from the keyframe.
        for n in 0..57 {
            if n == 7 {
                playback.request_keyframe();
            }
            let picture = decoder.decode(&playback.frame().data);
            assert!(picture.is_ok_and(|picture| picture.is_some()), "{n}");
        }
    }

    #[test]
    fn it_goes_round_at_the_bitrate_that_was_asked_for() {
        let mut playback = playback();
        let mut kbps = |seconds: usize| {
            let frames = 10 * seconds;
            let bytes: usize = (0..frames).map(|_| playback.frame().data.len()).sum();
            bytes as f64 * 8.0 / 1e3 / seconds as f64
        };
        // The first second, with its keyframe, may be dearer.
        kbps(1);
        // 100 kbit/s; rate control is free by some percent from one second to the next.
        let mean = kbps(40);
        assert!((96.0..=104.0).contains(&mean), "{mean}");
    }

    #[test]
    fn sound_says_the_same_again_when_the_probe_does() {
        let source = ProbeSource::new(3, &mut ChaCha8Rng::seed_from_u64(1));
        let recording = AudioRecording::make(&source, 32_000, false).unwrap();
        // 14 words of 0.5 s are 350 frames; the first word begins within 25.
        assert_eq!(recording.packet(25), recording.packet(375));
        assert_eq!(recording.packet(374), recording.packet(724));
        assert_ne!(recording.packet(25), recording.packet(26));
        assert_ne!(recording.packet(0), recording.packet(350));
    }
}
