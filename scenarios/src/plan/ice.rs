//! How participants find and choose paths: ICE servers and candidates.

use std::time::Duration;

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

/// What participants authenticate to the TURN server with (RFC 8489 section 9.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TurnCredentials {
    /// A name and a password that are good for ever.
    #[default]
    Static,
    /// Names and passwords that signalling hands out, and that expire
    /// (draft-uberti-behave-turn-rest-00).
    Expiring {
        /// How long they are good for.
        lifetime: Duration,
        /// When the server looks at that.
        check: ExpiryCheck,
    },
}

/// Which requests a TURN server refuses when the credentials have expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExpiryCheck {
    /// Those for a new allocation: who has one keeps it, as with coturn.
    Allocation,
    /// All: those that refresh an allocation, make a permission or bind a channel, too.
    EveryRequest,
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
