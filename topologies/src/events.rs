//! What happens to the network in mid-call, as a plan says.

use std::collections::{BTreeMap, VecDeque};

use scenarios::{Happening, Plan};
use sim::{HostId, Simulation, Time};

use crate::world::Hosts;

/// What is yet to happen, in order of time.
pub struct Script {
    steps: VecDeque<Step>,
    /// How many outages each host is in: they may overlap.
    depth: BTreeMap<HostId, u32>,
}

/// An outage of a host's access link begins or ends.
struct Step {
    at: Time,
    host: HostId,
    out: bool,
}

impl Script {
    /// The events of a plan. Those of a server that the topology has not got do not happen.
    pub fn new(plan: &Plan, hosts: &Hosts) -> Self {
        let mut steps = Vec::new();
        for event in &plan.events {
            let Some(host) = whose(event.what, hosts) else {
                continue;
            };
            let at = Time::ZERO + event.at;
            for (at, out) in [(at, true), (at + event.lasts, false)] {
                steps.push(Step { at, host, out });
            }
        }
        steps.sort_by_key(|step| step.at);
        Script {
            steps: steps.into(),
            depth: BTreeMap::new(),
        }
    }

    /// When the next step is.
    pub fn next_at(&self) -> Option<Time> {
        Some(self.steps.front()?.at)
    }

    /// Takes every step that is due.
    pub fn play(&mut self, world: &Simulation) {
        let now = world.now();
        while let Some(step) = self.steps.pop_front_if(|step| step.at <= now) {
            let depth = self.depth.entry(step.host).or_default();
            *depth = if step.out { *depth + 1 } else { *depth - 1 };
            world.network(|network| network.set_outage(step.host, *depth > 0));
        }
    }
}

/// The host whose link carries nothing meanwhile.
fn whose(what: Happening, hosts: &Hosts) -> Option<HostId> {
    match what {
        Happening::Outage { participant } => {
            hosts.participants.get(usize::from(participant)).copied()
        }
        Happening::ServerRestart => hosts.media,
        Happening::SignalingOutage => Some(hosts.signaling),
    }
}
