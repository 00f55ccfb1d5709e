//! Simulcast: one camera's picture in several sizes.

use super::{Plan, Topology, VideoPlan};

/// The most layers that a camera is encoded in.
pub const MOST_LAYERS: u32 = 3;

/// What the layers have of the bitrate, the largest first, in shares of their sum: the maxima of
/// 1280x720, 640x360 and 320x180 in hundreds of kbps (libwebrtc `kSimulcastFormatsVP8`).
const WEIGHTS: [u64; MOST_LAYERS as usize] = [25, 7, 2];

impl Plan {
    /// What each layer of a camera is encoded with, the smallest first: one in a call without
    /// simulcast, none in one without video. A layer has half the width and height of the next one,
    /// rounded down to even numbers, and the ceilings of all are the camera's bitrate.
    pub fn layers(&self) -> Vec<VideoPlan> {
        let Some(video) = &self.video else {
            return Vec::new();
        };
        let number = match self.topology {
            Topology::Sfu => self.sfu.layers,
            Topology::Mesh | Topology::Mcu => 1,
        };
        layers(video, number)
    }
}

/// `number` layers of a camera, the smallest first.
pub(crate) fn layers(video: &VideoPlan, number: u32) -> Vec<VideoPlan> {
    let weights = &WEIGHTS[..number as usize];
    let sum: u64 = weights.iter().sum();
    let layer = |(halved, weight): (usize, &u64)| VideoPlan {
        width: video.width >> halved & !1,
        height: video.height >> halved & !1,
        bitrate_bps: (u64::from(video.bitrate_bps) * weight / sum) as u32,
        ..video.clone()
    };
    weights.iter().enumerate().map(layer).rev().collect()
}
