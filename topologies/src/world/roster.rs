//! Which hosts a call has, and what each is.

use reports::record::Role;
use scenarios::{Device, Participant, Plan, Topology};
use sim::LinkConfig;

use crate::observe::record::HostInfo;

/// Every host of the call, in the order in which [`super::build_hosts`] adds them.
pub fn host_infos(plan: &Plan) -> Vec<HostInfo> {
    let participant = |participant: &Participant| HostInfo {
        name: participant.name.clone(),
        role: Role::Client,
        group: Some(participant.group.clone()),
        nat: participant.nat_label.clone(),
        link: participant.link_label.clone(),
        rates_bps: rates(&participant.link),
        device: participant.device.label.clone(),
        cores: participant.device.cores,
    };
    let server = |role: Role, device: &Device| HostInfo {
        name: role.name().to_owned(),
        role,
        group: None,
        nat: "none".to_owned(),
        link: plan.servers.link_label.clone(),
        rates_bps: rates(&plan.servers.link),
        device: device.label.clone(),
        cores: device.cores,
    };
    let mut infos: Vec<_> = plan.participants.iter().map(participant).collect();
    infos.extend([
        server(Role::Signaling, &plan.servers.signaling),
        server(Role::Turn, &plan.servers.turn),
    ]);
    infos.extend(media_role(plan).map(|role| server(role, &plan.servers.media)));
    infos
}

fn rates(link: &LinkConfig) -> [Option<u64>; 2] {
    [link.up.rate_bps, link.down.rate_bps]
}

/// What the server that carries media is; `None` in a mesh, which has none.
pub fn media_role(plan: &Plan) -> Option<Role> {
    match plan.topology {
        Topology::Mesh => None,
        Topology::Sfu => Some(Role::Sfu),
        Topology::Mcu => Some(Role::Mcu),
    }
}

/// The index of the signalling server.
pub fn signaling_server(plan: &Plan) -> u16 {
    plan.participants.len() as u16
}

/// The index of the server that carries media, if there is one: it is the last host.
pub fn media_server(plan: &Plan) -> u16 {
    plan.participants.len() as u16 + 2
}
