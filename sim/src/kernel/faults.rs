//! What goes wrong with NATs, and hosts that move: faults for whoever scripts a world.
//!
//! All of them happen at the current instant.

use std::net::Ipv4Addr;

use super::id::{GatewayId, HostId};
use super::network::{Network, NetworkError};
use super::path::Leg;
use crate::link::config::LinkConfig;

/// Where a host moves to.
#[derive(Clone, Copy, Debug)]
pub struct Roam {
    /// Its address there.
    pub address: Ipv4Addr,
    /// The NAT that it is behind there; `None` for the internet.
    pub behind: Option<GatewayId>,
    /// Its access link there.
    pub link: LinkConfig,
}

impl Network {
    /// Takes a NAT's power away for an instant: it loses every mapping, UDP and TCP.
    pub fn reboot_gateway(&mut self, gateway: GatewayId) {
        self.map.gateway_mut(gateway).nat.reboot();
    }

    /// Gives a NAT another external address, instead of all that it has. Its mappings are lost,
    /// and what is sent to the old address finds nobody.
    ///
    /// # Errors
    ///
    /// [`NetworkError::AddressTaken`] if another node of its network has that address; nothing has
    /// changed then.
    pub fn rebind_gateway(
        &mut self,
        gateway: GatewayId,
        external: Ipv4Addr,
    ) -> Result<(), NetworkError> {
        self.map
            .rebind(gateway, external)
            .map_err(NetworkError::AddressTaken)
    }

    /// Makes a NAT lose its mappings and go on with other external ports than it had.
    pub fn rebind_gateway_ports(&mut self, gateway: GatewayId) {
        self.map.gateway_mut(gateway).nat.rebind_ports();
    }

    /// Changes what the firewall of a NAT lets through: UDP or not, and nothing but TCP to port
    /// 443 or whatever there is. Mappings stay.
    pub fn set_firewall(&mut self, gateway: GatewayId, block_udp: bool, only_tcp_443: bool) {
        let nat = &mut self.map.gateway_mut(gateway).nat;
        nat.set_firewall(block_udp, only_tcp_443);
    }

    /// Moves a host to another network, or to another link of the same one, as a phone moves from
    /// wifi to mobile. What is on its old link is lost.
    ///
    /// Its UDP sockets stay open and send from the new address, as those do that are bound to no
    /// address in particular. Its TCP stack is known by its address: it works on if the address
    /// is the same in the new network, where old connections have new external endpoints and so
    /// come to nothing, and not at all if it is another one.
    ///
    /// # Errors
    ///
    /// [`NetworkError::AddressTaken`] if the address is another node's there, and
    /// [`NetworkError::Link`] if the link is impossible; nothing has changed then.
    pub fn roam(&mut self, host: HostId, to: Roam) -> Result<(), NetworkError> {
        let moves = self.map.host(host).moves + 1;
        let name = format!("{}/{moves}", self.map.host(host).name);
        let (up, down) = self.pipes(&name, to.link)?;
        self.map
            .move_host(host, to.behind, to.address)
            .map_err(NetworkError::AddressTaken)?;
        let moved = self.map.host_mut(host);
        (moved.up, moved.down, moved.moves) = (up, down, moves);
        self.cut_flights(host);
        self.clear_lines(host);
        for (_, socket) in &mut self.sockets {
            if socket.host == host {
                socket.local.set_ip(to.address);
            }
        }
        Ok(())
    }

    /// Begins or ends an outage of a host's access link: it carries nothing, either way, and what is
    /// on it at the begin is lost.
    pub fn set_outage(&mut self, host: HostId, out: bool) {
        if out {
            self.cut_flights(host);
        }
        let host = self.map.host_mut(host);
        host.up.set_outage(out);
        host.down.set_outage(out);
    }

    /// Loses every packet that is on the link of a host. It stays in flight until it would have
    /// arrived, as nothing on the way knows.
    fn cut_flights(&mut self, host: HostId) {
        for (_, flight) in &mut self.flights {
            let on_its_link = match flight.leg {
                Leg::Up => flight.origin == host,
                Leg::Down(receiver) => receiver == host,
                Leg::Out | Leg::In(_) | Leg::Cut(_) => false,
            };
            if on_its_link {
                flight.leg = Leg::Cut(host);
            }
        }
        self.cut_cross(host);
    }
}
