//! What happens to the network in mid-call, as a plan says.
//!
//! Links that change keep to their plan by themselves; here is what happens to hosts.

use std::collections::{BTreeMap, VecDeque};

use scenarios::{Handover, Happening, Plan};
use sim::{HostId, NetworkError, Roam, Simulation, Time};

use crate::world::{self, Hosts};

/// What is yet to happen, in order of time.
pub struct Script {
    steps: VecDeque<Step>,
    /// How many outages each host is in: they may overlap.
    depth: BTreeMap<HostId, u32>,
}

/// Something happens to a host.
struct Step {
    at: Time,
    host: HostId,
    what: What,
}

enum What {
    /// An outage of its access link begins (`true`) or ends.
    Outage(bool),
    /// It goes on over another link.
    Handover(Handover),
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
                let what = What::Outage(out);
                steps.push(Step { at, host, what });
            }
        }
        for (participant, host) in plan.participants.iter().zip(&hosts.participants) {
            for handover in &participant.network.handovers {
                steps.push(Step {
                    at: Time::ZERO + handover.at,
                    host: *host,
                    what: What::Handover(handover.clone()),
                });
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
            match step.what {
                What::Outage(out) => {
                    let depth = self.depth.entry(step.host).or_default();
                    *depth = if out { *depth + 1 } else { *depth - 1 };
                }
                What::Handover(handover) => hand_over(world, step.host, &handover)
                    .expect("a plan is valid, and its participants keep their addresses"),
            }
            // Also after a handover: an outage is one of the host, whichever link it is on.
            let out = self.depth.get(&step.host).is_some_and(|depth| *depth > 0);
            world.network(|network| network.set_outage(step.host, out));
        }
    }
}

/// Gives a host another link, behind the same NAT and with the same address.
fn hand_over(world: &Simulation, host: HostId, to: &Handover) -> Result<(), NetworkError> {
    world.network(|network| {
        let roam = Roam {
            address: network.address(host),
            behind: network.gateway(host),
            link: to.link,
        };
        network.roam(host, roam)
    })?;
    world::follow(world, host, &to.changes)
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
