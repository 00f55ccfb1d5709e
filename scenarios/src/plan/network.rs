//! How the network of a participant changes in mid-call, and who else uses its link.

use std::time::Duration;

use serde::Serialize;
use sim::{CrossFlow, LinkConfig, PipeChange, Way};

/// What happens to the access link of a participant. Times are from the start of the call.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct NetworkPlan {
    /// Changes of the first link, up to the first handover.
    pub changes: LinkChanges,
    /// Handovers to other links, in order of time.
    pub handovers: Vec<Handover>,
    /// Who else uses the link, whichever it is.
    pub cross: Vec<CrossTraffic>,
}

/// Changes of a link, each way in order of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LinkChanges {
    /// From the host to the network.
    pub up: Vec<PipeChange>,
    /// From the network to the host.
    pub down: Vec<PipeChange>,
}

/// A participant leaves its link for another one, and keeps its addresses. What is on the old link
/// is lost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Handover {
    /// When.
    pub at: Duration,
    /// The link from then on.
    pub link: LinkConfig,
    /// What the scenario called it, as in [`Participant::link_label`](super::Participant).
    pub link_label: String,
    /// How it changes until the next handover.
    pub changes: LinkChanges,
}

/// Somebody else on the link of a participant.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CrossTraffic {
    /// Which way it sends.
    pub way: Way,
    /// When and how.
    pub flow: CrossFlow,
}
