//! The way of a packet between two access links, through the NATs of both sides.
//!
//! It takes no time: NATs stand between an access link and whatever that hangs from, and all that
//! delays packets there is part of the access links.

use std::net::SocketAddrV4;

use super::drops::DropReason;
use super::icmp;
use super::id::HostId;
use super::map::{Map, Node};
use crate::nat::{Nat, NatDrop, Outbound};
use crate::packet::{Packet, Payload};
use crate::time::Time;

/// More NATs than any path crosses; a packet that crosses more is going round in circles.
const HOP_LIMIT: u32 = 16;

/// Takes a packet that has left the uplink of `origin` to the host whose downlink it enters, and
/// translates its endpoints on the way.
///
/// # Errors
///
/// Why it gets no further; the packet then has the endpoints that it had there.
pub(crate) fn route(
    map: &mut Map,
    now: Time,
    origin: HostId,
    packet: &mut Packet,
) -> Result<HostId, DropReason> {
    let mut hops = 0;
    let node = climb(map, now, origin, packet, &mut hops)?;
    descend(map, now, node, packet, &mut hops)
}

/// Through a NAT from the inside.
fn out(nat: &mut Nat, now: Time, packet: &Packet) -> Outbound {
    if packet.fragments > 1
        && let Err(reason) = nat.admit_fragments(packet.in_order)
    {
        return Outbound::Drop(reason);
    }
    match packet.payload {
        Payload::PortUnreachable => icmp::out(nat, now, packet),
        _ => nat.outbound(now, packet, packet.source, packet.destination),
    }
}

/// Through a NAT from the outside.
fn into(nat: &mut Nat, now: Time, packet: &Packet) -> Result<SocketAddrV4, NatDrop> {
    if packet.fragments > 1 {
        nat.admit_fragments(packet.in_order)?;
    }
    match packet.payload {
        Payload::PortUnreachable => icmp::back(nat, now, packet),
        _ => nat.inbound(now, packet, packet.source, packet.destination),
    }
}

/// Towards the root until the network of the destination is found, through the NATs on the way.
fn climb(
    map: &mut Map,
    now: Time,
    origin: HostId,
    packet: &mut Packet,
    hops: &mut u32,
) -> Result<Node, DropReason> {
    let mut network = map.host(origin).behind;
    loop {
        if let Some(node) = map.find(network, *packet.destination.ip()) {
            return Ok(node);
        }
        let gateway = map.gateway_mut(network.ok_or(DropReason::NoRoute)?);
        match out(&mut gateway.nat, now, packet) {
            Outbound::Forward { source } => {
                packet.source = source;
                network = gateway.behind;
            }
            Outbound::Hairpin {
                source,
                destination,
            } => {
                packet.source = source;
                packet.destination = destination;
            }
            Outbound::Drop(reason) => return Err(DropReason::Nat(reason)),
        }
        count_hop(hops)?;
    }
}

/// Down to a host, through the NATs on the way.
fn descend(
    map: &mut Map,
    now: Time,
    mut node: Node,
    packet: &mut Packet,
    hops: &mut u32,
) -> Result<HostId, DropReason> {
    loop {
        let id = match node {
            Node::Host(host) => return Ok(host),
            Node::Gateway(id) => id,
        };
        count_hop(hops)?;
        let nat = &mut map.gateway_mut(id).nat;
        packet.destination = into(nat, now, packet).map_err(DropReason::Nat)?;
        node = map
            .find(Some(id), *packet.destination.ip())
            .ok_or(DropReason::NoRoute)?;
    }
}

fn count_hop(hops: &mut u32) -> Result<(), DropReason> {
    *hops += 1;
    if *hops > HOP_LIMIT {
        return Err(DropReason::HopLimit);
    }
    Ok(())
}
