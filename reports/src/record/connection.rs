//! Connections, each end of them, and how they were set up.

use serde::{Deserialize, Serialize};

/// One end of one peer connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConnectionRecord {
    /// The host whose end this is.
    pub local: String,
    /// The host at the other end.
    pub remote: String,
    /// Whether ICE and DTLS completed.
    pub connected: bool,
    /// `direct` or `relay`, by whether media crossed the TURN server; `None` if never connected.
    pub path: Option<String>,
    /// Type of the selected local candidate: `host`, `srflx`, `prflx` or `relay`.
    pub local_candidate: Option<String>,
    /// Type of the selected remote candidate.
    pub remote_candidate: Option<String>,
    /// How long each phase of the set-up took.
    pub phases: Phases,
    /// What the selected pair is reached by: `udp` or `tcp`.
    pub transport: Option<String>,
}

/// The phases of a connection's set-up, in ms; they add up to the time from join to connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Phases {
    /// From the later participant's join to this end having applied both descriptions, less the
    /// next.
    pub signaling_ms: Option<f64>,
    /// How long this end's offer waited for the end of gathering; zero if candidates trickle.
    pub gathering_ms: Option<f64>,
    /// To ICE connected.
    pub ice_ms: Option<f64>,
    /// To DTLS connected.
    pub dtls_ms: Option<f64>,
    /// From the later participant's join to connected.
    pub setup_ms: Option<f64>,
}
