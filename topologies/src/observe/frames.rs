//! Every frame from capture to render.

use std::collections::BTreeMap;

use sim::Time;

/// One stream's frames, by RTP timestamp.
///
/// Timestamps wrap after 13 hours (video) and start small, so their order is the order of capture.
#[derive(Debug, Default)]
pub struct StreamLog {
    /// Every frame that was encoded.
    pub frames: BTreeMap<u32, Frame>,
    /// Keyframe requests by the receiver.
    pub plis: u64,
    /// Keyframes among the frames.
    pub keyframes: u64,
    /// Bursts of the audio probe: when they were said and when they were heard.
    pub heard: Vec<(Time, Time)>,
}

/// One frame, with the instants of its way. An instant that did not come is `None`.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The camera's frame number, or the microphone's.
    pub number: u32,
    /// When it was captured: the picture's instant, or that of the first audio sample.
    pub captured: Time,
    /// When the encoder had it done.
    pub encoded: Time,
    /// Encoded bytes.
    pub bytes: u64,
    /// RTP packets that it was put into.
    pub packets: u64,
    /// Whether decoding can start with it.
    pub keyframe: bool,
    /// When each packet left the sender's CPU the first time, by sequence number.
    pub departures: BTreeMap<u16, Time>,
    /// When each packet reached the receiver's CPU the first time, by sequence number.
    pub arrivals: BTreeMap<u16, Time>,
    /// When the jitter buffer had handed out the last packet of it.
    pub assembled: Option<Time>,
    /// When it was decoded.
    pub decoded: Option<Time>,
    /// When it was shown, or its first sample played.
    pub rendered: Option<Time>,
    /// Luma PSNR of the decoded picture against the captured one, in dB.
    pub psnr_db: Option<f64>,
    /// Luma SSIM of the decoded picture against the captured one.
    pub ssim: Option<f64>,
}

impl Frame {
    /// A frame that was just encoded.
    pub fn new(number: u32, captured: Time, encoded: Time) -> Self {
        Frame {
            number,
            captured,
            encoded,
            bytes: 0,
            packets: 0,
            keyframe: false,
            departures: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            assembled: None,
            decoded: None,
            rendered: None,
            psnr_db: None,
            ssim: None,
        }
    }

    /// Capture to render, by part, in the order of [`PARTS`]; `None` unless it was rendered.
    ///
    /// Each part begins where the one before ends, so the parts add up to the whole exactly.
    pub fn parts(&self) -> Option<[f64; PARTS.len()]> {
        let departed = self.departures.values().max().copied()?;
        let arrived = self.arrivals.values().max().copied()?;
        let instants = [
            self.captured,
            self.encoded,
            departed,
            arrived,
            self.assembled?,
            self.decoded?,
            self.rendered?,
        ];
        let mut parts = [0.0; PARTS.len()];
        for (part, pair) in parts.iter_mut().zip(instants.windows(2)) {
            *part = pair[1].as_millis_f64() - pair[0].as_millis_f64();
        }
        Some(parts)
    }
}

/// The parts of a frame's latency.
///
/// - `encode`: from capture to the encoded frame; for audio, the 20 ms of sound of a packet.
/// - `pacing`: to the last packet's departure from the sender: its stack and its CPU.
/// - `network`: to the last packet's arrival at the receiver, repairs included.
/// - `jitter_buffer`: to the last packet's release, after the receiver's CPU has read it.
/// - `decode`: to the decoded frame.
/// - `render`: to the display's or the loudspeaker's next tick.
pub const PARTS: [&str; 6] = [
    "encode",
    "pacing",
    "network",
    "jitter_buffer",
    "decode",
    "render",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_capture_to_render() {
        let at = Time::from_millis;
        let mut frame = Frame::new(7, at(100), at(102));
        frame.departures = [(1, at(102)), (2, at(105))].into();
        frame.arrivals = [(2, at(125)), (1, at(141))].into();
        assert_eq!(frame.parts(), None);
        frame.assembled = Some(at(150));
        frame.decoded = Some(at(151));
        frame.rendered = Some(at(160));
        // 160 - 100 = 60 ms = 2 + 3 + 36 + 9 + 1 + 9.
        assert_eq!(frame.parts(), Some([2.0, 3.0, 36.0, 9.0, 1.0, 9.0]));
    }
}
