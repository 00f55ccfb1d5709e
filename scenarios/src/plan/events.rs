//! What happens to a call while it goes on.

use std::time::Duration;

use serde::Serialize;
use sim::{LinkConfig, NatConfig};

/// Something that happens once.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// When it begins, from the start of the call.
    pub at: Duration,
    /// How long it lasts; zero for what happens at once.
    pub lasts: Duration,
    /// What happens.
    pub what: Happening,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
    /// The innermost NAT of a participant, which has one, restarts: it loses every mapping.
    NatReboot {
        /// The participant's index.
        participant: u16,
    },
    /// The outermost NAT of a participant, which has one, gets another external address, and loses
    /// every mapping with the one before.
    NatRebind {
        /// The participant's index.
        participant: u16,
    },
    /// A participant moves to another network, as a phone does from wifi to mobile. What is on its
    /// link is lost.
    Roam {
        /// The participant's index.
        participant: u16,
        /// Where it moves to.
        to: Box<Access>,
    },
    /// A participant sends no media, as if its camera and its microphone were off.
    Pause {
        /// The participant's index.
        participant: u16,
        /// Only these others get none, by their index, in a mesh; `None` is everybody.
        to: Option<Vec<u16>>,
    },
}

impl Happening {
    /// The name used in files and tables.
    pub const fn name(&self) -> &'static str {
        match self {
            Happening::Outage { .. } => "outage",
            Happening::ServerRestart => "server-restart",
            Happening::SignalingOutage => "signaling-outage",
            Happening::NatReboot { .. } => "nat-reboot",
            Happening::NatRebind { .. } => "nat-rebind",
            Happening::Roam { .. } => "roam",
            Happening::Pause { .. } => "pause",
        }
    }

    /// The participant that it happens to; `None` if it happens to a server.
    pub const fn participant(&self) -> Option<u16> {
        match self {
            Happening::Outage { participant }
            | Happening::NatReboot { participant }
            | Happening::NatRebind { participant }
            | Happening::Roam { participant, .. }
            | Happening::Pause { participant, .. } => Some(*participant),
            Happening::ServerRestart | Happening::SignalingOutage => None,
        }
    }
}

/// How a participant gets to the internet.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Access {
    /// The NATs in front of it, the innermost first.
    pub nats: Vec<NatConfig>,
    /// Its access link.
    pub link: LinkConfig,
}
