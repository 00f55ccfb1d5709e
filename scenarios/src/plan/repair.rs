//! What is done about packets that are lost or late.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How losses are repaired, hidden or waited for. Each part works without the others, but for
/// [`rtx`](Self::rtx), which is a way to answer [`nack`](Self::nack).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RepairPlan {
    /// Receivers of video ask for packets that are missing (RFC 4585 section 6.2.1), and senders
    /// send them again.
    pub nack: bool,
    /// What is sent again has a stream of its own (RFC 4588).
    pub rtx: bool,
    /// FlexFEC for video: one repair packet after so many packets of media, 1 to 20; `None` sends
    /// none.
    pub flexfec: Option<u32>,
    /// Receivers that cannot go on decoding ask for a keyframe (RFC 4585 section 6.3.1). The first
    /// one of a stream they ask for in any case.
    pub pli: bool,
    /// Encoders of video make a keyframe unasked, this often; `None` makes only the first one.
    pub keyframe_interval: Option<Duration>,
    /// Packets of sound repeat the one before at a low rate (RFC 6716 section 2.1.7).
    pub opus_fec: bool,
    /// Decoders of sound fill in for what did not come; otherwise it is silence.
    pub concealment: bool,
    /// How long received packets wait.
    pub playout: Playout,
}

/// How long received packets wait before they are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Playout {
    /// As long as the plan of the medium says.
    Fixed,
    /// As long as the lateness of the last packets asks for.
    Adaptive,
}

impl RepairPlan {
    /// Whether the picture of this number, counted from 0, is to be a keyframe unasked at so many
    /// pictures a second.
    pub fn keyframe_due(&self, number: u32, fps: u32) -> bool {
        let pictures = |interval: Duration| (interval.as_secs_f64() * f64::from(fps)).round();
        let period = self.keyframe_interval.map(pictures);
        period.is_some_and(|period| number.is_multiple_of((period as u32).max(1)))
    }
}

impl Default for RepairPlan {
    /// What WebRTC does without being told, but for retransmission, which is on the stream of the
    /// media itself.
    fn default() -> Self {
        RepairPlan {
            nack: true,
            rtx: false,
            flexfec: None,
            pli: true,
            keyframe_interval: None,
            opus_fec: false,
            concealment: true,
            playout: Playout::Fixed,
        }
    }
}
