//! The servers that carry media: SFU and MCU.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How the SFU forwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SfuPlan {
    /// Forwards the video of this many participants to each receiver, those who spoke last; `None`
    /// forwards all. Audio is always forwarded.
    pub last_n: Option<u32>,
    /// The least time between two keyframe requests to one sender.
    pub keyframe_interval: Duration,
    /// In how many sizes each camera is encoded, 1 to [`MOST_LAYERS`](super::MOST_LAYERS): the SFU
    /// chooses one for each receiver.
    pub layers: u32,
    /// Width and height in pixels at which receivers show a picture: they get no larger layer than
    /// the smallest that fills it. `None` for the camera's.
    pub tile: Option<(u32, u32)>,
}

impl Default for SfuPlan {
    /// Forwards everything, as it comes.
    fn default() -> Self {
        SfuPlan {
            last_n: None,
            keyframe_interval: Duration::from_millis(500),
            layers: 1,
            tile: None,
        }
    }
}

/// How the MCU mixes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct McuPlan {
    /// Width of the composed picture in pixels, even.
    pub width: u32,
    /// Height of the composed picture in pixels, even.
    pub height: u32,
    /// Composed pictures per second, 1 to 120.
    pub fps: u32,
    /// Target bits per second of each encoder of composed pictures; with congestion control, at
    /// most.
    pub bitrate_bps: u32,
    /// Who shares an encoder.
    pub encoders: McuEncoders,
    /// How long after its mixing tick a composed picture waits for frames that are late.
    pub wait: Duration,
}

impl Default for McuPlan {
    /// One picture for all, of 720p at 30 frames per second.
    fn default() -> Self {
        McuPlan {
            width: 1_280,
            height: 720,
            fps: 30,
            bitrate_bps: 2_000_000,
            encoders: McuEncoders::Shared,
            wait: Duration::from_millis(10),
        }
    }
}

/// How many pictures an MCU encodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum McuEncoders {
    /// One picture of everybody, the same for all.
    Shared,
    /// A picture for each participant, without themselves.
    PerParticipant,
}
