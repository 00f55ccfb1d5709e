//! Workloads of data channels.

use serde::{Deserialize, Serialize};

use crate::distribution::Distribution;

/// What a workload of data channels sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum DataKind {
    /// A file, as fast as it goes.
    File,
    /// The newest state of something, at equal intervals.
    State,
    /// Messages at random times.
    Chat,
}

impl DataKind {
    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            DataKind::File => "file",
            DataKind::State => "state",
            DataKind::Chat => "chat",
        }
    }
}

/// One workload from one participant to another, from its start on. Messages are sent up to the end
/// of the window, and counted if they arrive by the end of the call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DataRecord {
    /// What the scenario calls it.
    pub workload: String,
    /// What it sends.
    pub kind: DataKind,
    /// The host that sends.
    pub sender: String,
    /// The host that receives.
    pub receiver: String,
    /// Whether messages are delivered in order.
    pub ordered: bool,
    /// How often a message is sent again; `None` is no limit.
    pub max_retransmits: Option<u16>,
    /// How long a message is sent again, ms; `None` is no limit.
    pub max_lifetime_ms: Option<u16>,
    /// Messages sent while the receiver's channel was open: to a server once for all.
    pub messages_sent: u64,
    /// Bytes of those, each with its header of 16.
    pub bytes_sent: u64,
    /// Messages that the sender left out because too much waited in its channel.
    pub messages_skipped: u64,
    /// Messages that the server left out because too much waited in the receiver's channel.
    pub messages_left_out: u64,
    /// Messages that arrived.
    pub messages_received: u64,
    /// Bytes of those.
    pub bytes_received: u64,
    /// Messages that did not arrive by the end: lost, left out by the server, or, over a channel
    /// that gives none up, still under way.
    pub messages_lost: u64,
    /// Content that arrived, from when the first of it was sent to when the last of it was there,
    /// thousands of bits per second.
    pub goodput_kbps: Option<f64>,
    /// From when the first part of a file was sent to when the last part was there, ms.
    pub completion_ms: Option<f64>,
    /// Whether a file's SHA-256 at the receiver is that at the sender; `None` while it is not
    /// complete.
    pub sha256_ok: Option<bool>,
    /// From when a message was made to when it was there, us.
    pub latency_us: Distribution,
    /// The age of the newest message that had arrived, mean over time, ms; of state alone.
    pub age_ms_mean: Option<f64>,
    /// The same age just before each newer message, us; of state alone.
    pub peak_age_us: Distribution,
    /// The most bytes that waited in a channel on the way, at the sender or at the server.
    pub buffered_bytes_max: u64,
}
