//! What a call sends over data channels.

use std::time::Duration;

use serde::Serialize;

/// One workload: some participants send the same kind of data to some others, all over channels of
/// one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DataPlan {
    /// Unique in the call; the label of its channels.
    pub name: String,
    /// What is sent, and when.
    pub kind: DataKind,
    /// Indices of who sends, ascending, at least one.
    pub senders: Vec<u16>,
    /// Indices of who receives, ascending, at least one; nobody receives from themselves.
    pub receivers: Vec<u16>,
    /// When sending begins, from the start of the call; later for channels that open later.
    pub start: Duration,
    /// Bytes of a message, [`DataPlan::HEADER`] included; the last one of a file may be shorter.
    pub payload_bytes: u32,
    /// Whether messages are delivered in the order in which they were sent.
    pub ordered: bool,
    /// How long the channel tries.
    pub reliability: Reliability,
    /// Bytes that may wait in a channel, not yet acknowledged, before its sender waits too.
    pub buffer_bytes: u32,
}

/// What a workload sends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum DataKind {
    /// One file, as fast as the channel takes it.
    File {
        /// Its content, bytes.
        bytes: u64,
    },
    /// The newest state of something, as of a game or a cursor, in equal intervals.
    State {
        /// Between two messages.
        interval: Duration,
    },
    /// Messages at random times (a Poisson process).
    Chat {
        /// Between two messages, in the mean.
        interval: Duration,
    },
}

/// How long a data channel tries to deliver a message (RFC 8831 section 6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reliability {
    /// Until it is delivered.
    Full,
    /// So many retransmissions.
    Retransmits(u16),
    /// So many milliseconds.
    LifetimeMs(u16),
}

impl DataPlan {
    /// Bytes at the head of each message that say whose it is, its number, and when it was made.
    pub const HEADER: u32 = 16;

    /// Whether `sender` sends to `receiver`.
    pub fn joins(&self, sender: u16, receiver: u16) -> bool {
        sender != receiver
            && self.senders.binary_search(&sender).is_ok()
            && self.receivers.binary_search(&receiver).is_ok()
    }
}

impl DataKind {
    /// The name used in scenarios, files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            DataKind::File { .. } => "file",
            DataKind::State { .. } => "state",
            DataKind::Chat { .. } => "chat",
        }
    }
}
