//! What happens to the network in mid-call, as a plan says.
//!
//! Links that change keep to their plan by themselves; here is what happens to hosts.

use std::collections::{BTreeMap, VecDeque};

use scenarios::{Access, Handover, Happening, Plan};
use sim::{HostId, Network, NetworkError, Roam, Simulation, Time};

use crate::addresses;
use crate::world::{self, Hosts};

/// What is yet to happen, in order of time.
pub struct Script {
    steps: VecDeque<Step>,
    hosts: Hosts,
    /// How many outages each host is in: they may overlap.
    depth: BTreeMap<HostId, u32>,
    /// How often each participant's outermost NAT got another address.
    rebinds: BTreeMap<u16, u32>,
    /// How often each participant moved.
    moves: BTreeMap<u16, u8>,
}

struct Step {
    at: Time,
    change: Change,
}

/// What changes at once.
enum Change {
    /// An outage of a host's access link begins or ends.
    Outage { host: HostId, begins: bool },
    /// A participant's innermost NAT restarts.
    Reboot(u16),
    /// A participant's outermost NAT gets another address.
    Rebind(u16),
    /// A participant moves.
    Move(u16, Box<Access>),
    /// A host goes on over another link.
    HandOver(HostId, Box<Handover>),
}

impl Script {
    /// The events of a plan. Those of a server that the topology has not got do not happen.
    pub fn new(plan: &Plan, hosts: &Hosts) -> Self {
        let mut steps: Vec<_> = plan
            .events
            .iter()
            .flat_map(|event| {
                let begin = Time::ZERO + event.at;
                let changes = changes(&event.what, hosts);
                let times = [begin, begin + event.lasts];
                changes
                    .into_iter()
                    .zip(times)
                    .map(|(change, at)| Step { at, change })
            })
            .collect();
        for (participant, host) in plan.participants.iter().zip(&hosts.participants) {
            let handovers = participant.network.handovers.iter();
            steps.extend(handovers.map(|handover| Step {
                at: Time::ZERO + handover.at,
                change: Change::HandOver(*host, Box::new(handover.clone())),
            }));
        }
        steps.sort_by_key(|step| step.at);
        Script {
            steps: steps.into(),
            hosts: hosts.clone(),
            depth: BTreeMap::new(),
            rebinds: BTreeMap::new(),
            moves: BTreeMap::new(),
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
            let done = world.network(|network| self.take(network, step.change));
            if let Err(error) = done {
                log::error!("the network cannot change so: {error}");
            }
        }
    }

    fn take(&mut self, network: &mut Network, change: Change) -> Result<(), NetworkError> {
        match change {
            Change::Outage { host, begins } => {
                let depth = self.depth.entry(host).or_default();
                *depth = if begins { *depth + 1 } else { *depth - 1 };
                network.set_outage(host, *depth > 0);
                Ok(())
            }
            Change::Reboot(participant) => {
                let host = self.hosts.participants[usize::from(participant)];
                if let Some(gateway) = network.gateway(host) {
                    network.reboot_gateway(gateway);
                }
                Ok(())
            }
            Change::Rebind(participant) => self.rebind(network, participant),
            Change::Move(participant, to) => self.relocate(network, participant, &to),
            Change::HandOver(host, to) => self.hand_over(network, host, &to),
        }
    }

    fn rebind(&mut self, network: &mut Network, participant: u16) -> Result<(), NetworkError> {
        let Some(gateway) = self.hosts.outermost[usize::from(participant)] else {
            return Ok(());
        };
        let rebinds = self.rebinds.entry(participant).or_default();
        *rebinds += 1;
        network.rebind_gateway(gateway, addresses::rebound(participant, *rebinds))
    }

    /// The address stays the same in the other network: TCP stacks are known by it.
    fn relocate(
        &mut self,
        network: &mut Network,
        participant: u16,
        to: &Access,
    ) -> Result<(), NetworkError> {
        let moves = self.moves.entry(participant).or_default();
        *moves = moves.saturating_add(1);
        let public = addresses::moved(participant, *moves);
        let outermost = world::add_outermost(network, &to.nats, public)?;
        let behind = world::add_inner(network, &to.nats, participant, outermost)?;
        let host = self.hosts.participants[usize::from(participant)];
        self.hosts.outermost[usize::from(participant)] = outermost;
        let roam = Roam {
            address: network.address(host),
            behind,
            link: to.link,
        };
        self.roam(network, host, roam)
    }

    /// The same address behind the same NAT, over another link.
    fn hand_over(
        &mut self,
        network: &mut Network,
        host: HostId,
        to: &Handover,
    ) -> Result<(), NetworkError> {
        let roam = Roam {
            address: network.address(host),
            behind: network.gateway(host),
            link: to.link,
        };
        self.roam(network, host, roam)?;
        world::follow(network, host, &to.changes)
    }

    /// An outage is one of the host, whichever link it is on.
    fn roam(
        &mut self,
        network: &mut Network,
        host: HostId,
        roam: Roam,
    ) -> Result<(), NetworkError> {
        network.roam(host, roam)?;
        let out = self.depth.get(&host).is_some_and(|depth| *depth > 0);
        network.set_outage(host, out);
        Ok(())
    }
}

/// What changes when something begins, and when it ends.
fn changes(what: &Happening, hosts: &Hosts) -> Vec<Change> {
    let out = match what {
        Happening::Outage { participant } => {
            hosts.participants.get(usize::from(*participant)).copied()
        }
        Happening::ServerRestart => hosts.media,
        Happening::SignalingOutage => Some(hosts.signaling),
        Happening::NatReboot { participant } => return vec![Change::Reboot(*participant)],
        Happening::NatRebind { participant } => return vec![Change::Rebind(*participant)],
        // Devices know of them beforehand.
        Happening::Pause { .. } => return Vec::new(),
        Happening::Roam { participant, to } => {
            return vec![Change::Move(*participant, to.clone())];
        }
    };
    let outage = |host| [true, false].map(|begins| Change::Outage { host, begins });
    out.into_iter().flat_map(outage).collect()
}
