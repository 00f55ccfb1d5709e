//! What a scenario file may say, and what it means where it says nothing.
//!
//! Each module is a section of the vocabulary: its keys, their ranges and defaults. The reference
//! for people is `docs/scenarios.md`; a test holds the two together.

mod call;
mod group;
mod groups;
mod link;
mod media;
mod name;
mod nat;
#[cfg(test)]
mod reference;
mod servers;
mod stack;

use std::time::Duration;

pub(crate) use call::PARTICIPANTS;
pub(crate) use group::{Camera, Group};
pub(crate) use groups::{Groups, Sizes};

use crate::document::{self, Finding};
#[cfg(test)]
use crate::document::Keys;
use crate::plan::{AudioPlan, ServersPlan, StackPlan, Topology, VideoPlan};

/// A scenario as it was written, with its defaults filled in: everything but the grid's cells.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    /// In kebab-case.
    pub(crate) name: String,
    /// What the scenario is to answer.
    pub(crate) question: Option<String>,
    /// At least one, none twice.
    pub(crate) topologies: Vec<Topology>,
    /// Numbers of participants: at least one number, none twice, each in [`PARTICIPANTS`].
    pub(crate) participants: Vec<u32>,
    /// The first seed.
    pub(crate) seed: u64,
    /// How many seeds, counting up from the first.
    pub(crate) seeds: u64,
    /// From the start of the call to the start of measuring.
    pub(crate) warmup: Duration,
    /// How long is measured.
    pub(crate) duration: Duration,
    /// `None` for a call without video.
    pub(crate) video: Option<VideoPlan>,
    /// `None` for a call without audio.
    pub(crate) audio: Option<AudioPlan>,
    /// Who takes part.
    pub(crate) groups: Groups,
    /// How the WebRTC stack is set.
    pub(crate) stack: StackPlan,
    /// Where the servers are.
    pub(crate) servers: ServersPlan,
}

/// Reads a scenario.
///
/// # Errors
///
/// Every problem found, from the top of the file down.
pub(crate) fn read(source: &str) -> Result<Spec, Vec<Finding>> {
    document::read(source, &call::KEYS, call::read)
}

/// The keys of every section, in the order of the reference.
#[cfg(test)]
fn vocabulary() -> [&'static Keys; 11] {
    [
        &call::KEYS,
        &media::VIDEO,
        &media::AUDIO,
        &group::KEYS,
        &nat::KEYS,
        &link::LINK,
        &link::PIPE,
        &link::BURSTS,
        &stack::KEYS,
        &stack::WAITS,
        &servers::KEYS,
    ]
}
