//! Explicit congestion notification (RFC 3168).

use serde::{Deserialize, Serialize};

/// The ECN field of an IP header (RFC 3168 section 5), with its two bits.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Ecn {
    /// The sender does not understand marks.
    #[default]
    NotEct = 0b00,
    /// It does: ECT(1).
    Ect1 = 0b01,
    /// It does: ECT(0), what senders use who know no difference between the two.
    Ect0 = 0b10,
    /// A queue on the way would have dropped the packet otherwise.
    Ce = 0b11,
}

impl Ecn {
    /// Whether a queue may mark the packet where it would drop it.
    pub const fn is_capable(self) -> bool {
        !matches!(self, Ecn::NotEct)
    }

    /// The two low bits of the second byte of the IP header.
    pub const fn bits(self) -> u8 {
        self as u8
    }
}
