//! Streams of media, and what became of them at their receivers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::distribution::Distribution;

/// What a stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// H.264.
    Video,
    /// Opus.
    Audio,
}

impl Kind {
    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Video => "video",
            Kind::Audio => "audio",
        }
    }
}

/// One sender's media as one receiver got it, in the measured window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StreamRecord {
    /// The host that captured it.
    pub sender: String,
    /// The host that rendered it.
    pub receiver: String,
    /// Video or audio.
    pub kind: Kind,
    /// `direct` or `relay`; `None` if the connection never came up.
    pub path: Option<String>,
    /// Type of the sender's selected candidate.
    pub local_candidate: Option<String>,
    /// Type of the receiver's selected candidate.
    pub remote_candidate: Option<String>,
    /// Frames captured and encoded for this receiver.
    pub frames_sent: u64,
    /// Frames of which every packet arrived.
    pub frames_received: u64,
    /// Frames shown or played.
    pub frames_rendered: u64,
    /// RTP packets sent.
    pub packets_sent: u64,
    /// RTP packets received, duplicates not counted.
    pub packets_received: u64,
    /// Encoded bytes handed to RTP.
    pub encoded_bytes: u64,
    /// From the later participant's join to the first rendered frame, over the whole run.
    pub first_frame_ms: Option<f64>,
    /// Capture to render (video), mouth to ear (audio), per frame or probe, in us.
    pub latency_us: Distribution,
    /// Mean parts of the latency of rendered frames, by name, in ms; they add up to its mean.
    pub latency_parts_ms: BTreeMap<String, f64>,
    /// Time between two rendered frames, in us.
    pub interval_us: Distribution,
    /// Freezes, as webrtc-stats defines `freezeCount`.
    pub freezes: u64,
    /// Time frozen, as webrtc-stats defines `totalFreezesDuration`, in ms.
    pub freeze_ms: f64,
    /// Mean luma PSNR of rendered frames against what was captured, in dB.
    pub psnr_db_mean: Option<f64>,
    /// Mean luma SSIM of rendered frames against what was captured.
    pub ssim_mean: Option<f64>,
    /// Mean width at which rendered frames were decoded, in an MCU's mix that of the sender's part,
    /// in pixels; `None` for sound and without pixels.
    pub width_px_mean: Option<f64>,
    /// Picture loss indications sent by the receiver, whole run.
    pub plis: u64,
    /// Keyframes encoded, whole run.
    pub keyframes: u64,
    /// `tcp` if any hop is in TCP, otherwise `udp`; `None` if the connection never came up.
    pub transport: Option<String>,
    /// What the happenings of the call did to it, in order of time, over the whole run: those that
    /// came after its first frame.
    #[serde(default)]
    pub interruptions: Vec<Interruption>,
    /// What was done about losses; `None` in what older versions wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repair: Option<RepairRecord>,
}

/// What one happening, such as a NAT that restarts, did to a stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Interruption {
    /// What happened, such as `nat-rebind`.
    pub what: String,
    /// The host that it happened to.
    pub host: String,
    /// When it began, ms after the start of the call.
    pub at_ms: f64,
    /// The longest time between two rendered frames of which the second one came after it began,
    /// and the first one before the next happening began, ms; an undisturbed stream has its usual
    /// interval here. If nothing came any more, the time to the end of the window.
    pub gap_ms: f64,
    /// Whether anything was rendered after that gap.
    pub recovered: bool,
}

/// What was done about the losses of a stream, on all its hops, for frames of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RepairRecord {
    /// RTP packets sent again, because the receiver asked.
    pub retransmitted_packets: u64,
    /// Bytes of those on the wire, IP header included.
    pub retransmitted_bytes: u64,
    /// FlexFEC packets sent.
    pub fec_packets: u64,
    /// Bytes of those on the wire, IP header included.
    pub fec_bytes: u64,
    /// RTP packets that did not come in any other way, and were rebuilt from FlexFEC.
    pub rebuilt_packets: u64,
    /// 20 ms of sound each that were decoded from what the packet after them repeats (in-band FEC
    /// of Opus).
    pub redundant_frames: u64,
    /// 20 ms of sound each for which nothing was there to play: the decoder filled in, or it was
    /// silent.
    pub concealed_frames: u64,
    /// RTP packets of media that left, each once; `None` in what older versions wrote, as are the
    /// next three.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_packets: Option<u64>,
    /// Encoded bytes in them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_bytes: Option<u64>,
    /// Of those packets, the ones that the network dropped, the first time or again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_packets: Option<u64>,
    /// Of the lost ones, those that did not come in any other way, nor were rebuilt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_packets: Option<u64>,
}
