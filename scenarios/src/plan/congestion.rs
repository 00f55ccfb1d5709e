//! How senders adapt to what the network carries.

use std::collections::BTreeMap;

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

/// How the threshold of the detector of overuse follows the trends that it sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Threshold {
    /// Up and down within a fraction of a second, as libwebrtc has it.
    Libwebrtc,
    /// Up as quickly, and down within seconds (draft-ietf-rmcat-gcc-02 section 5.4): whoever keeps a
    /// queue is met by a sender that no longer minds it.
    Draft,
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
    /// How soon a growing queue is minded again.
    pub threshold: Threshold,
    /// Whether the connections of one participant share what they carry together (RFC 8699).
    pub coupled: bool,
    /// How much connections to the members of a group count for then, by its name; 1 where nothing
    /// is said.
    pub priorities: BTreeMap<String, f64>,
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

    /// How much a connection to a member of `group` counts for among those of one participant.
    pub fn priority(&self, group: &str) -> f64 {
        self.priorities.get(group).copied().unwrap_or(1.0)
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
            threshold: Threshold::Libwebrtc,
            coupled: false,
            priorities: BTreeMap::new(),
            ecn: false,
        }
    }
}
