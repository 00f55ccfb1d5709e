//! How participants find and choose paths: ICE servers and candidates.

use serde::Serialize;

/// What connections may use to reach each other (RFC 8445, RFC 8656).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct IcePlan {
    /// Which candidates are used.
    pub policy: TransportPolicy,
    /// Whether a STUN server is known, which tells hosts how they look from outside.
    pub stun: bool,
    /// Whether a TURN server can be used.
    pub turn: TurnAccess,
}

impl Default for IcePlan {
    /// Everything works.
    fn default() -> Self {
        IcePlan {
            policy: TransportPolicy::All,
            stun: true,
            turn: TurnAccess::Granted,
        }
    }
}

/// `RTCIceTransportPolicy` of the W3C: which candidates are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TransportPolicy {
    /// All.
    All,
    /// Those of the TURN server only.
    Relay,
}

/// Whether participants can use the TURN server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TurnAccess {
    /// They know it, and their credentials are good.
    Granted,
    /// They know it, and it refuses their credentials.
    WrongCredentials,
    /// They do not know it.
    Absent,
}

impl TransportPolicy {
    /// The name used in scenarios, files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            TransportPolicy::All => "all",
            TransportPolicy::Relay => "relay",
        }
    }
}

impl TurnAccess {
    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            TurnAccess::Granted => "granted",
            TurnAccess::WrongCredentials => "wrong-credentials",
            TurnAccess::Absent => "absent",
        }
    }

    /// Whether relays can be had.
    pub const fn works(self) -> bool {
        matches!(self, TurnAccess::Granted)
    }
}
