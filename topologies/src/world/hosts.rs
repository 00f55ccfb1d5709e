//! Hosts with their NATs and links, as a plan wants them.

use std::net::Ipv4Addr;

use reports::record::Role;
use scenarios::{LinkChanges, Participant, Plan};
use sim::{GatewayId, HostConfig, HostId, NatConfig, Network, NetworkError, Simulation, Way};

use super::{media_role, window};
use crate::addresses;
use crate::costs::{media_cpu, peer_cpu, signaling_cpu, turn_cpu};

/// The hosts that every call needs. Participants are the hosts of the same index.
#[derive(Clone, Debug)]
pub struct Hosts {
    /// By index.
    pub participants: Vec<HostId>,
    /// Their outermost NATs, by index; `None` for who has none.
    pub outermost: Vec<Option<GatewayId>>,
    /// Runs signalling.
    pub signaling: HostId,
    /// Runs STUN and TURN.
    pub turn: HostId,
    /// Runs the SFU or the MCU, if there is one.
    pub media: Option<HostId>,
}

impl Hosts {
    /// Every host, in the order of creation.
    pub fn all(&self) -> impl Iterator<Item = HostId> {
        let servers = [self.signaling, self.turn].into_iter().chain(self.media);
        self.participants.iter().copied().chain(servers)
    }
}

/// Adds every host of the call, with its NATs.
///
/// # Errors
///
/// [`NetworkError`] if the plan asks for an impossible link or computer.
pub fn build_hosts(world: &mut Simulation, plan: &Plan) -> Result<Hosts, NetworkError> {
    let (from, to) = window(plan);
    world.network(|network| network.measure_cpus(from, to));
    let (mut participants, mut outermost) = (Vec::new(), Vec::new());
    for participant in &plan.participants {
        let public = addresses::public(participant.index);
        let gateway = match participant.behind_same {
            Some(other) => outermost[usize::from(other)],
            None => world.network(|network| add_outermost(network, &participant.nats, public))?,
        };
        outermost.push(gateway);
        participants.push(add_participant(world, plan, participant, gateway)?);
    }
    let mut server = |role: Role, address, cpu| {
        let own = plan
            .servers
            .signaling_link
            .filter(|_| role == Role::Signaling);
        world.add_host(HostConfig {
            name: role.name().to_owned(),
            address,
            behind: None,
            link: own.unwrap_or(plan.servers.link),
            cpu,
        })
    };
    let signaling = signaling_cpu(plan, &plan.servers.signaling);
    let turn = turn_cpu(plan, &plan.servers.turn);
    Ok(Hosts {
        participants,
        outermost,
        signaling: server(Role::Signaling, addresses::SIGNALING, signaling)?,
        turn: server(Role::Turn, addresses::TURN, turn)?,
        media: media_role(plan)
            .map(|role| server(role, addresses::MEDIA, media_cpu(plan, role)))
            .transpose()?,
    })
}

/// Adds the outermost of a participant's NATs, at `public` on the internet; `None` without any.
///
/// # Errors
///
/// [`NetworkError::AddressTaken`] if that address is.
pub fn add_outermost(
    network: &mut Network,
    nats: &[NatConfig],
    public: Ipv4Addr,
) -> Result<Option<GatewayId>, NetworkError> {
    let outermost = nats.last();
    outermost
        .map(|nat| network.add_gateway(*nat, public, None))
        .transpose()
}

/// Adds the other NATs of a participant behind the outermost, and says which is next to it.
///
/// # Errors
///
/// [`NetworkError::AddressTaken`] if one has that address already.
pub fn add_inner(
    network: &mut Network,
    nats: &[NatConfig],
    participant: u16,
    outermost: Option<GatewayId>,
) -> Result<Option<GatewayId>, NetworkError> {
    let mut behind = outermost;
    for (depth, nat) in (1..).zip(nats.iter().rev().skip(1)) {
        let external = addresses::between(participant, depth);
        behind = Some(network.add_gateway(*nat, external, behind)?);
    }
    Ok(behind)
}

fn add_participant(
    world: &mut Simulation,
    plan: &Plan,
    participant: &Participant,
    outermost: Option<GatewayId>,
) -> Result<HostId, NetworkError> {
    let index = participant.index;
    let behind =
        world.network(|network| add_inner(network, &participant.nats, index, outermost))?;
    let host = world.add_host(HostConfig {
        name: participant.name.clone(),
        address: match behind {
            None => addresses::public(index),
            Some(_) => addresses::private(index),
        },
        behind,
        link: participant.link,
        cpu: peer_cpu(plan, &participant.device),
    })?;
    let to_come = &participant.network;
    world.network(|network| {
        follow(network, host, &to_come.changes)?;
        for cross in &to_come.cross {
            network.add_cross_flow(host, cross.way, cross.flow);
        }
        Ok(host)
    })
}

/// Lets the link of a host, which has carried nothing, change as planned.
///
/// # Errors
///
/// [`NetworkError::Link`] if it cannot change so.
pub fn follow(
    network: &mut Network,
    host: HostId,
    to_come: &LinkChanges,
) -> Result<(), NetworkError> {
    network.follow(host, Way::Up, &to_come.up)?;
    network.follow(host, Way::Down, &to_come.down)?;
    Ok(())
}
