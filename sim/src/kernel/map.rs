//! The map of the world: hosts, NATs, and who has which address where.
//!
//! The world is a tree. Its root is the internet; hosts and NATs hang from the internet or from
//! another NAT. Each NAT has an address in the network it hangs from and owns the network behind
//! it. An access link is the edge between a host and whatever it hangs from.

use std::collections::hash_map::Entry;
use std::net::Ipv4Addr;

use rustc_hash::FxHashMap;

use super::id::{GatewayId, HostId};
use crate::host::cpu::Cpu;
use crate::host::sockets::PortTable;
use crate::link::pipe::Pipe;
use crate::nat::Nat;

/// Whoever has an address in some network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Host(HostId),
    Gateway(GatewayId),
}

#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) address: Ipv4Addr,
    pub(crate) behind: Option<GatewayId>,
    pub(crate) up: Pipe,
    pub(crate) down: Pipe,
    pub(crate) ports: PortTable,
    /// The largest packet that its link carries in one piece, in bytes.
    pub(crate) mtu: u32,
    /// Whether what it sends may not be fragmented, anywhere.
    pub(crate) dont_fragment: bool,
    /// How many times it has moved to another link.
    pub(crate) moves: u32,
    /// `None` if work takes no time.
    pub(crate) cpu: Option<Cpu>,
}

#[derive(Debug)]
pub(crate) struct Gateway {
    pub(crate) nat: Nat,
    pub(crate) behind: Option<GatewayId>,
}

/// Hosts, NATs and addresses. Knows neither clock nor packets.
#[derive(Debug, Default)]
pub(crate) struct Map {
    hosts: Vec<Host>,
    gateways: Vec<Gateway>,
    /// Every address of every network. One table, and not one for each network, since every packet
    /// asks for several: it stays in the caches where a thousand would not.
    addresses: FxHashMap<Place, Node>,
}

/// An address in a network, as one word to hash: the network in the upper half, where 0 is the
/// internet, and the address in the lower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Place(u64);

impl Place {
    fn new(network: Option<GatewayId>, address: Ipv4Addr) -> Self {
        let network = network.map_or(0, |gateway| u64::from(gateway.0) + 1);
        Place(network << 32 | u64::from(address.to_bits()))
    }
}

impl Map {
    /// Adds a host at its address; `Err` gives the host back if the address is taken there.
    pub(crate) fn add_host(&mut self, host: Host) -> Result<HostId, Ipv4Addr> {
        let id = HostId(self.hosts.len() as u32);
        self.claim(host.behind, host.address, Node::Host(id))?;
        self.hosts.push(host);
        Ok(id)
    }

    /// Adds a NAT at its external addresses.
    pub(crate) fn add_gateway(
        &mut self,
        nat: Nat,
        behind: Option<GatewayId>,
    ) -> Result<GatewayId, Ipv4Addr> {
        let id = GatewayId(self.gateways.len() as u32);
        for (claimed, address) in nat.externals().iter().enumerate() {
            if let Err(taken) = self.claim(behind, *address, Node::Gateway(id)) {
                self.free(behind, &nat.externals()[..claimed]);
                return Err(taken);
            }
        }
        self.gateways.push(Gateway { nat, behind });
        Ok(id)
    }

    /// Gives a NAT another external address instead of all that it has; `Err` changes nothing.
    pub(crate) fn rebind(&mut self, id: GatewayId, external: Ipv4Addr) -> Result<(), Ipv4Addr> {
        let Gateway { nat, behind } = &self.gateways[id.index()];
        let (own, behind) = (nat.externals().to_vec(), *behind);
        if !own.contains(&external) {
            self.claim(behind, external, Node::Gateway(id))?;
        }
        let others: Vec<_> = own.into_iter().filter(|it| *it != external).collect();
        self.free(behind, &others);
        self.gateways[id.index()].nat.rebind(external);
        Ok(())
    }

    /// Hangs a host from another network, or gives it another address; `Err` changes nothing.
    pub(crate) fn move_host(
        &mut self,
        id: HostId,
        behind: Option<GatewayId>,
        address: Ipv4Addr,
    ) -> Result<(), Ipv4Addr> {
        let host = &self.hosts[id.index()];
        let before = (host.behind, host.address);
        if before != (behind, address) {
            self.claim(behind, address, Node::Host(id))?;
            self.free(before.0, &[before.1]);
        }
        let host = &mut self.hosts[id.index()];
        (host.behind, host.address) = (behind, address);
        Ok(())
    }

    fn free(&mut self, network: Option<GatewayId>, addresses: &[Ipv4Addr]) {
        for address in addresses {
            self.addresses.remove(&Place::new(network, *address));
        }
    }

    fn claim(
        &mut self,
        network: Option<GatewayId>,
        address: Ipv4Addr,
        node: Node,
    ) -> Result<(), Ipv4Addr> {
        match self.addresses.entry(Place::new(network, address)) {
            Entry::Occupied(_) => Err(address),
            Entry::Vacant(free) => {
                free.insert(node);
                Ok(())
            }
        }
    }

    /// What the random stream of a NAT is called: the external addresses from the internet down to
    /// its own, since equal addresses behind different NATs are different NATs.
    pub(crate) fn stream_name(&self, behind: Option<GatewayId>, external: Ipv4Addr) -> String {
        let mut name = external.to_string();
        let mut outer = behind;
        while let Some(id) = outer {
            let gateway = &self.gateways[id.index()];
            name = format!("{}/{name}", gateway.nat.external());
            outer = gateway.behind;
        }
        format!("nat/{name}")
    }

    /// Who has `address` in the network behind `network`, or on the internet.
    pub(crate) fn find(&self, network: Option<GatewayId>, address: Ipv4Addr) -> Option<Node> {
        self.addresses.get(&Place::new(network, address)).copied()
    }

    pub(crate) fn host(&self, id: HostId) -> &Host {
        &self.hosts[id.index()]
    }

    pub(crate) fn host_mut(&mut self, id: HostId) -> &mut Host {
        &mut self.hosts[id.index()]
    }

    pub(crate) fn hosts_mut(&mut self) -> impl Iterator<Item = &mut Host> {
        self.hosts.iter_mut()
    }

    pub(crate) fn hosts(&self) -> impl Iterator<Item = (HostId, &Host)> {
        (0..).map(HostId).zip(&self.hosts)
    }

    pub(crate) fn gateway_mut(&mut self, id: GatewayId) -> &mut Gateway {
        &mut self.gateways[id.index()]
    }
}
