//! The NAT itself.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;

use super::config::{Hairpinning, NatConfig, Refresh};
use super::table::Table;
use super::verdict::{NatDrop, Outbound};
use crate::packet::Protocol;
use crate::time::Time;

/// How long an idle TCP mapping lives: the least that RFC 5382 REQ-5 allows for an established
/// connection, 2 hours 4 minutes. Packets of either direction end its idleness.
///
/// Connections are not tracked: a mapping lives this long from its last packet also after a FIN or
/// RST, and a SYN is let in or not by the filter that holds for every packet.
pub const TCP_LIFETIME: Duration = Duration::from_secs(2 * 3600 + 4 * 60);

/// A NAT with one external address. UDP and TCP have a table and a port space each.
#[derive(Debug)]
pub struct Nat {
    config: NatConfig,
    external: Ipv4Addr,
    tables: Tables,
    /// Boxed: it is large, and needed for new mappings alone.
    rng: Box<ChaCha8Rng>,
}

impl Nat {
    /// A NAT without mappings, whose external address is `external`. Random ports come from `rng`.
    pub fn new(config: NatConfig, external: Ipv4Addr, rng: ChaCha8Rng) -> Self {
        Nat {
            config,
            external,
            tables: Tables::new(&config),
            rng: Box::new(rng),
        }
    }

    /// What it does.
    pub fn config(&self) -> &NatConfig {
        &self.config
    }

    /// Its external address.
    pub fn external(&self) -> Ipv4Addr {
        self.external
    }

    /// Translates a packet from the inside. `now` must not run backwards from call to call.
    ///
    /// A packet to the NAT's own external address is hairpinned: its source is translated as on
    /// any way out, which makes or refreshes the sender's mapping and opens its filter for the
    /// destination, and then it has to pass the destination's filter like a packet from outside
    /// (RFC 4787 section 6, REQ-9). Two hosts behind one NAT can so punch holes towards each
    /// other. A NAT that does not hairpin drops it before it leaves any trace.
    pub fn outbound(
        &mut self,
        now: Time,
        protocol: Protocol,
        source: SocketAddrV4,
        destination: SocketAddrV4,
    ) -> Outbound {
        self.try_outbound(now, protocol, source, destination)
            .unwrap_or_else(Outbound::Drop)
    }

    /// The internal destination of a packet that came in from the outside. `now` must not run
    /// backwards from call to call.
    ///
    /// # Errors
    ///
    /// Why it is dropped: UDP is blocked, there is no live mapping with this external endpoint, or
    /// its filter does not let `source` in.
    pub fn inbound(
        &mut self,
        now: Time,
        protocol: Protocol,
        source: SocketAddrV4,
        destination: SocketAddrV4,
    ) -> Result<SocketAddrV4, NatDrop> {
        self.admit(protocol)?;
        if *destination.ip() != self.external {
            return Err(NatDrop::NoMapping);
        }
        self.tables
            .of(protocol)
            .inbound(now, source, destination.port())
    }

    /// Loses every mapping, as in a power cut.
    pub fn reboot(&mut self) {
        self.tables = Tables::new(&self.config);
    }

    /// Takes a new external address. Every mapping is lost, because its external endpoint no
    /// longer exists; the Linux masquerade forgets its connections in the same way when its
    /// interface goes down (iptables-extensions(8), MASQUERADE).
    pub fn rebind(&mut self, external: Ipv4Addr) {
        self.external = external;
        self.reboot();
    }

    fn try_outbound(
        &mut self,
        now: Time,
        protocol: Protocol,
        source: SocketAddrV4,
        destination: SocketAddrV4,
    ) -> Result<Outbound, NatDrop> {
        self.admit(protocol)?;
        let hairpin = *destination.ip() == self.external;
        if hairpin && self.config.hairpinning == Hairpinning::None {
            return Err(NatDrop::NoHairpinning);
        }
        let table = self.tables.of(protocol);
        let port = table.outbound(now, source, destination, &mut self.rng)?;
        let source = SocketAddrV4::new(self.external, port);
        if !hairpin {
            return Ok(Outbound::Forward { source });
        }
        let destination = table.inbound(now, source, destination.port())?;
        Ok(Outbound::Hairpin {
            source,
            destination,
        })
    }

    /// Refuses UDP where it is blocked.
    fn admit(&self, protocol: Protocol) -> Result<(), NatDrop> {
        if self.config.block_udp && protocol == Protocol::Udp {
            return Err(NatDrop::UdpBlocked);
        }
        Ok(())
    }
}

/// A table for each protocol.
#[derive(Debug)]
struct Tables {
    udp: Table,
    tcp: Table,
}

impl Tables {
    /// Empty tables.
    fn new(config: &NatConfig) -> Self {
        Tables {
            udp: Table::new(config, config.udp_lifetime, config.refresh),
            tcp: Table::new(config, TCP_LIFETIME, Refresh::Both),
        }
    }

    fn of(&mut self, protocol: Protocol) -> &mut Table {
        match protocol {
            Protocol::Udp => &mut self.udp,
            Protocol::Tcp => &mut self.tcp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nat::{Behavior, PortAssignment, presets};
    use crate::seed::Seed;

    const EXTERNAL: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
    const INTERNAL: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 5000);

    fn nat(mapping: Behavior, ports: PortAssignment, seed: u64) -> Nat {
        let config = NatConfig {
            mapping,
            ports,
            ..presets::FULL_CONE
        };
        Nat::new(config, EXTERNAL, Seed(seed).stream("nat"))
    }

    fn remote(port: u16) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 1), port)
    }

    fn send(nat: &mut Nat, now: Time, to: u16) -> Result<SocketAddrV4, NatDrop> {
        match nat.outbound(now, Protocol::Udp, INTERNAL, remote(to)) {
            Outbound::Forward { source } => Ok(source),
            Outbound::Drop(reason) => Err(reason),
            Outbound::Hairpin { .. } => panic!("{to} is outside"),
        }
    }

    fn receive(nat: &mut Nat, to: SocketAddrV4) -> Result<SocketAddrV4, NatDrop> {
        nat.inbound(Time::ZERO, Protocol::Udp, remote(1), to)
    }

    #[test]
    fn ports_run_out_and_come_back() {
        // Every remote port needs a mapping, and 65535 - 1024 + 1 = 64512 external ports exist.
        let mut nat = nat(
            Behavior::AddressAndPortDependent,
            PortAssignment::Sequential,
            1,
        );
        let first = SocketAddrV4::new(EXTERNAL, 1024);
        let results: Vec<_> = (0..=u16::MAX)
            .map(|to| send(&mut nat, Time::ZERO, to))
            .collect();
        assert!(results[..64_512].iter().all(Result::is_ok));
        assert!(
            results[64_512..]
                .iter()
                .all(|result| *result == Err(NatDrop::PortsExhausted))
        );
        // Mappings that exist go on working; at their expiry every port is free again.
        assert_eq!(send(&mut nat, Time::ZERO, 0), Ok(first));
        let expiry = Time::ZERO + nat.config().udp_lifetime;
        assert_eq!(send(&mut nat, expiry, 65_000), Ok(first));
    }

    #[test]
    fn a_reboot_loses_every_mapping_and_every_taken_port() {
        let mut nat = nat(Behavior::EndpointIndependent, PortAssignment::Sequential, 1);
        let first = send(&mut nat, Time::ZERO, 1).unwrap();
        assert_eq!(receive(&mut nat, first), Ok(INTERNAL));
        nat.reboot();
        assert_eq!(receive(&mut nat, first), Err(NatDrop::NoMapping));
        assert_eq!(send(&mut nat, Time::ZERO, 1), Ok(first));
    }

    #[test]
    fn a_rebind_moves_to_the_new_address_and_loses_every_mapping() {
        let mut nat = nat(Behavior::EndpointIndependent, PortAssignment::Preserving, 1);
        let old = SocketAddrV4::new(EXTERNAL, 5000);
        let new = SocketAddrV4::new(Ipv4Addr::new(198, 51, 100, 9), 5000);
        assert_eq!(send(&mut nat, Time::ZERO, 1), Ok(old));
        nat.rebind(*new.ip());
        assert_eq!(nat.external(), *new.ip());
        assert_eq!(
            [old, new].map(|to| receive(&mut nat, to)),
            [Err(NatDrop::NoMapping); 2]
        );
        // The next mapping lives at the new address alone.
        assert_eq!(send(&mut nat, Time::ZERO, 1), Ok(new));
        let results = [old, new].map(|to| receive(&mut nat, to));
        assert_eq!(results, [Err(NatDrop::NoMapping), Ok(INTERNAL)]);
    }

    #[test]
    fn random_ports_follow_from_the_seed() {
        let ports = |seed| {
            let mut nat = nat(
                Behavior::AddressAndPortDependent,
                PortAssignment::Random,
                seed,
            );
            [1, 2, 3].map(|to| send(&mut nat, Time::ZERO, to))
        };
        assert_eq!(ports(1), ports(1));
        assert_ne!(ports(1), ports(2));
    }
}
