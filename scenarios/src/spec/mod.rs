//! What a scenario file may say, and what it means where it says nothing.
//!
//! Each module is a section of the vocabulary: its keys, their ranges and defaults. The reference
//! for people is `docs/scenarios.md`; a test holds the two together.

mod call;
mod central;
mod congestion;
mod cross;
mod data;
mod device;
mod group;
mod groups;
mod interruption;
mod limits;
mod link;
mod media;
mod mishaps;
mod name;
mod nat;
mod network;
mod pause;
mod place;
mod prices;
#[cfg(test)]
mod reference;
mod repair;
mod servers;
mod stack;
mod traversal;
mod turn;
mod variant;
mod watches;

use std::time::Duration;

pub(crate) use call::{Cpu, PARTICIPANTS};
pub(crate) use cross::SpecCross;
pub(crate) use data::Data;
pub(crate) use group::{Group, NamedFile};
pub(crate) use groups::Groups;
pub(crate) use interruption::Interruption;
pub use limits::limited_metrics;
pub(crate) use network::{NetworkChange, NetworkEvent, SpecChange};
pub(crate) use pause::Pause;
pub(crate) use servers::Servers;
pub(crate) use traversal::{Traversal, types as nat_types};
pub(crate) use variant::Variant;

#[cfg(test)]
use crate::document::Keys;
use crate::document::{self, Finding, Node};
use crate::plan::{
    AudioPlan, CongestionPlan, Fidelity, Limit, McuPlan, Prices, RepairPlan, SfuPlan, StackPlan,
    Topology, VideoPlan,
};
use crate::units::Span;

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
    /// `None` leaves it to the size of each call.
    pub(crate) fidelity: Option<Fidelity>,
    /// What work costs.
    pub(crate) cpu: Cpu,
    /// `None` for a call without video.
    pub(crate) video: Option<VideoPlan>,
    /// `None` for a call without audio.
    pub(crate) audio: Option<AudioPlan>,
    /// How senders adapt.
    pub(crate) congestion: CongestionPlan,
    /// What is done about losses.
    pub(crate) repair: RepairPlan,
    /// What goes over data channels.
    pub(crate) data: Vec<Data>,
    /// Who takes part.
    pub(crate) groups: Groups,
    /// What happens to their links, in order of time.
    pub(crate) network: Vec<NetworkEvent>,
    /// Who else uses their links.
    pub(crate) cross: Vec<SpecCross>,
    /// When they send no media.
    pub(crate) pauses: Vec<Pause>,
    /// How the WebRTC stack is set.
    pub(crate) stack: StackPlan,
    /// The servers, and when they fail.
    pub(crate) servers: Servers,
    /// How an SFU forwards.
    pub(crate) sfu: SfuPlan,
    /// How an MCU mixes.
    pub(crate) mcu: McuPlan,
    /// What is compared with the scenario as it is.
    pub(crate) variants: Vec<Variant>,
    /// What the results have to keep to.
    pub(crate) limits: Vec<Limit>,
    /// What servers cost.
    pub(crate) prices: Prices,
    /// What `rtclab nat` runs.
    pub(crate) traversal: Traversal,
}

/// Reads a scenario.
///
/// # Errors
///
/// Every problem found, from the top of the file down.
pub(crate) fn read(source: &str) -> Result<Spec, Vec<Finding>> {
    document::read(source, &call::KEYS, |section| {
        let mut spec = call::read(section)?;
        // What is wrong with the scenario itself is told once.
        if section.is_clean() {
            spec.variants = variant::read(section, &spec)?;
        }
        Some(spec)
    })
}

/// A moment before `end`, the end of the call (unless that could not be read).
fn moment(node: &Node<'_>, end: Option<Duration>) -> Option<Span> {
    let at: Span = node.quantity()?;
    match end {
        Some(end) if Duration::from(at) >= end => node.fail(format!(
            "{at} is not before the end of the call, {}; write less, or raise `duration`",
            Span::from(end)
        )),
        _ => Some(at),
    }
}

/// The keys of every section, in the order of the reference.
#[cfg(test)]
fn vocabulary() -> [&'static Keys; 32] {
    [
        &call::KEYS,
        &media::VIDEO,
        &media::AUDIO,
        &congestion::KEYS,
        &congestion::STEP,
        &congestion::PRIORITY,
        &repair::KEYS,
        &data::KEYS,
        &group::KEYS,
        &nat::KEYS,
        &link::LINK,
        &link::PIPE,
        &link::BURSTS,
        &device::KEYS,
        &interruption::KEYS,
        &network::KEYS,
        &network::PIPE,
        &cross::KEYS,
        &pause::KEYS,
        &mishaps::ROAM,
        &stack::KEYS,
        &stack::WAITS,
        &servers::KEYS,
        &turn::KEYS,
        &central::SFU,
        &central::MCU,
        &variant::KEYS,
        &limits::METRICS,
        &limits::KEYS,
        &prices::KEYS,
        &traversal::KEYS,
        &traversal::ALLOW,
    ]
}
