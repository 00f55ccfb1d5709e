//! What happens to a call while it goes on.

use std::time::Duration;

use serde::Serialize;

/// Something that happens once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// When it begins, from the start of the call.
    pub at: Duration,
    /// How long it lasts.
    pub lasts: Duration,
    /// What happens.
    pub what: Happening,
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Happening {
    /// The access link of a participant carries nothing, either way.
    Outage {
        /// The participant's index.
        participant: u16,
    },
    /// The SFU or MCU stops, losing all it knew, and starts again at the end. Meshes have none.
    ServerRestart,
    /// The signalling server's access link carries nothing, either way.
    SignalingOutage,
}
