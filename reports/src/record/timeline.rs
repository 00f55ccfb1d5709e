//! What changed from second to second.

use serde::{Deserialize, Serialize};

use crate::distribution::Distribution;

/// What one host did in one second of the call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TimelineRecord {
    /// Start of the second, s after the start of the call.
    pub second: u32,
    /// The host.
    pub host: String,
    /// Bits per second that it put on its access link, over 1000.
    pub up_kbps: f64,
    /// Bits per second that its access link delivered, over 1000.
    pub down_kbps: f64,
    /// Bits per second that its access link carried from it at most, mean over the second, over
    /// 1000; `None` without end, where a trace says when packets leave, and where nobody adapts.
    #[serde(default)]
    pub up_capacity_kbps: Option<f64>,
    /// The same of what its access link carried to it; `None` likewise, and in what older versions
    /// wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down_capacity_kbps: Option<f64>,
    /// Bits per second that its connections were estimated to carry from it at the end of the
    /// second, together, over 1000; `None` where it does not adapt.
    pub estimate_kbps: Option<f64>,
    /// Bits per second that its encoders were asked for then, together, over 1000; the same.
    pub target_kbps: Option<f64>,
    /// Video frames rendered, over all its streams.
    pub frames_rendered: u64,
    /// How long its video streams were frozen within the measured window, ms, all together; as in
    /// [`StreamRecord::freeze_ms`], to which the seconds add up.
    #[serde(default)]
    pub frozen_ms: Option<f64>,
    /// Mean capture-to-render latency of those, in ms.
    pub video_latency_ms_mean: Option<f64>,
}

/// RTP over UDP from one end of a connection to the other, over the whole call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FlowRecord {
    /// The host that sends.
    pub sender: String,
    /// The host that receives.
    pub receiver: String,
    /// The seconds in which something was sent or arrived, in order.
    pub seconds: Vec<FlowSecond>,
}

/// One second of a [`FlowRecord`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FlowSecond {
    /// Start of the second, s after the start of the call.
    pub second: u32,
    /// Packets that the sender put on the wire in it.
    pub packets_sent: u64,
    /// Of those, the ones that were dropped on the way.
    pub packets_lost: u64,
    /// Packets that arrived in it marked CE (RFC 3168).
    #[serde(default)]
    pub packets_marked: u64,
    /// Bits per second that arrived in it, all headers counted, over 1000.
    pub received_kbps: f64,
    /// How long packets that arrived in it had taken, less the propagation delay of both access
    /// links, in whole ms, rounded down: queues, serialisation and jitter. Empty behind a relay,
    /// and where a delay changes in mid-call.
    pub queue_ms: Distribution,
}
