//! What a flow of cross traffic is.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// Bytes of a packet of cross traffic at the IP layer: a full one on Ethernet (RFC 894).
pub const CROSS_PACKET_BYTES: u32 = 1_500;

/// Bytes of an acknowledgement: headers of IPv4 (RFC 791) and TCP (RFC 9293) without options.
pub const CROSS_ACK_BYTES: u32 = 40;

/// A flow of cross traffic.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CrossFlow {
    /// When it begins.
    pub from: Time,
    /// When it ends; what is on its way then still arrives.
    pub to: Time,
    /// How it sends.
    pub kind: CrossKind,
}

/// How a flow sends. All packets have [`CROSS_PACKET_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CrossKind {
    /// At a constant rate, whatever comes of it.
    Constant {
        /// In bits per second at the IP layer, above zero.
        rate_bps: u64,
    },
    /// At a constant rate for a while, then not at all, again and again.
    OnOff {
        /// While it sends, in bits per second at the IP layer, above zero.
        rate_bps: u64,
        /// How long it sends.
        on: Duration,
        /// How long it is silent after that.
        off: Duration,
    },
    /// One TCP transfer that always has more to send: slow start, congestion avoidance (RFC 5681)
    /// from a window of ten segments (RFC 6928), repair by selective acknowledgements (RFC 6675),
    /// timeouts of RFC 6298. Every segment is acknowledged, over the other way of the same link.
    Tcp {
        /// The round trip between that link and the other end.
        round_trip: Duration,
        /// Whether segments may be marked, and marks are answered like losses (RFC 3168 section 6.1).
        ecn: bool,
    },
}

/// What became of the packets of a flow; acknowledgements do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrossCounters {
    /// Put on the link, each time that it was sent.
    pub sent: u64,
    /// Came out of it.
    pub delivered: u64,
    /// Did not.
    pub dropped: u64,
    /// Marked CE by the link's queue (RFC 3168).
    pub marked: u64,
}
