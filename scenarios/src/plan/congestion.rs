//! How senders adapt to what the network carries.

use serde::{Deserialize, Serialize};

/// Who decides how much is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CongestionControl {
    /// Nobody: encoders keep their bitrates.
    None,
    /// Google congestion control, from transport-wide feedback (draft-ietf-rmcat-gcc-02).
    Gcc,
}

/// How senders adapt. The ceilings are the bitrates of [`VideoPlan`](super::VideoPlan),
/// [`AudioPlan`](super::AudioPlan) and [`McuPlan`](super::McuPlan).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CongestionPlan {
    /// Who decides.
    pub control: CongestionControl,
    /// What a connection is estimated to carry before anything is known, bits per second.
    pub start_bps: u32,
    /// What an encoder of pictures never goes below, bits per second.
    pub video_floor_bps: u32,
    /// What an encoder of sound never goes below, bits per second.
    pub audio_floor_bps: u32,
    /// What is given up at low rates: by descending rate.
    pub steps: Vec<QualityStep>,
    /// Whether queues may mark media instead of dropping it, and feedback tells of marks (RFC 3168,
    /// RFC 8888).
    pub ecn: bool,
}

/// What a camera's encoder gives up below a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct QualityStep {
    /// The encoder's target below which the step is taken, bits per second.
    pub below_bps: u32,
    /// Frames per second that are encoded at most.
    pub fps: u32,
    /// Width of the encoded picture in pixels, even.
    pub width: u32,
    /// Height of the encoded picture in pixels, even.
    pub height: u32,
}

impl CongestionPlan {
    /// Whether senders adapt at all.
    pub fn adapts(&self) -> bool {
        self.control != CongestionControl::None
    }
}

impl Default for CongestionPlan {
    /// Nobody adapts. The start is that of the draft's implementations (libwebrtc
    /// `kDefaultStartBitrateBps`), the floors are a slide show and narrow-band speech (RFC 6716
    /// section 2.1.1 has 8 to 12 kbps for it).
    fn default() -> Self {
        CongestionPlan {
            control: CongestionControl::None,
            start_bps: 300_000,
            video_floor_bps: 50_000,
            audio_floor_bps: 12_000,
            steps: Vec::new(),
            ecn: false,
        }
    }
}
