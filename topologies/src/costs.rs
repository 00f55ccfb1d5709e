//! What the computers of a plan are, and what work costs them.

use std::time::Duration;

use reports::record::Role;
use scenarios::{CostProfile, Device, Plan};
use sim::CpuConfig;

/// The longest that a piece of work may wait for a core before it is left out: of a frame that is
/// six intervals old at 30 frames per second nobody wants to know, and the sockets of a host that
/// is this far behind overflow.
pub const BACKLOG: Duration = Duration::from_millis(200);

/// What `units` of work cost one core of speed 1, by the plan's cost profile; nothing where CPUs
/// are free.
pub fn cost(plan: &Plan, unit_ns: impl Fn(&CostProfile) -> f64, units: usize) -> Duration {
    let costs = plan.costs.as_ref();
    costs.map_or(Duration::ZERO, |costs| nanos(unit_ns(costs) * units as f64))
}

/// The CPU of the server that carries media. All that an SFU sends but its own few control packets
/// is forwarded, so forwarding is part of sending.
pub fn media_cpu(plan: &Plan, role: Role) -> Option<CpuConfig> {
    let forwards = role == Role::Sfu;
    cpu(plan, &plan.servers.media, |costs| {
        let forward = if forwards {
            costs.packet_forward_ns
        } else {
            0.0
        };
        (costs.packet_send_ns + forward, costs.packet_receive_ns)
    })
}

/// The CPU of a participant.
pub fn peer_cpu(plan: &Plan, device: &Device) -> Option<CpuConfig> {
    cpu(plan, device, |costs| {
        (costs.packet_send_ns, costs.packet_receive_ns)
    })
}

/// The CPU of a TURN server: relaying is half receiving and half sending.
pub fn turn_cpu(plan: &Plan, device: &Device) -> Option<CpuConfig> {
    cpu(plan, device, |costs| {
        (costs.packet_relay_ns / 2.0, costs.packet_relay_ns / 2.0)
    })
}

/// The CPU of the signalling server, which speaks TCP alone.
pub fn signaling_cpu(plan: &Plan, device: &Device) -> Option<CpuConfig> {
    cpu(plan, device, |_| (0.0, 0.0))
}

fn cpu(
    plan: &Plan,
    device: &Device,
    packet_ns: impl Fn(&CostProfile) -> (f64, f64),
) -> Option<CpuConfig> {
    let (send, receive) = packet_ns(plan.costs.as_ref()?);
    Some(CpuConfig {
        cores: device.cores,
        speed: device.speed,
        backlog: BACKLOG,
        packet_send: nanos(send),
        packet_receive: nanos(receive),
    })
}

/// Whole nanoseconds; costs are never negative.
fn nanos(ns: f64) -> Duration {
    Duration::from_nanos(ns.round() as u64)
}
