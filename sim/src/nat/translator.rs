//! The NAT itself.

use std::net::{Ipv4Addr, SocketAddrV4};

use rand_chacha::ChaCha8Rng;

use super::config::{Fragments, Hairpinning, NatConfig};
use super::mapping::External;
use super::pool::Pool;
use super::table::Table;
use super::tcp::{Segment, Transport};
use super::verdict::{NatDrop, Outbound};
use crate::packet::Protocol;
use crate::time::Time;

/// A NAT with one external address or several. UDP and TCP have a table and a port space each.
#[derive(Debug)]
pub struct Nat {
    config: NatConfig,
    /// The first address of the pool: for nearly every NAT it is the only one.
    external: Ipv4Addr,
    several: bool,
    guarded: bool,
    tables: Tables,
    /// Boxed: it is large, and needed for new mappings alone.
    pool: Box<Pool>,
}

impl Nat {
    /// A NAT without mappings, whose external address is `external`. Random ports come from `rng`.
    pub fn new(config: NatConfig, external: Ipv4Addr, rng: ChaCha8Rng) -> Self {
        Nat::with_pool(config, vec![external], rng)
    }

    /// A NAT without mappings that has these external addresses.
    ///
    /// # Panics
    ///
    /// If there is none, or more than 65,536.
    pub fn with_pool(config: NatConfig, addresses: Vec<Ipv4Addr>, rng: ChaCha8Rng) -> Self {
        assert!(addresses.len() <= 1 << 16, "too many external addresses");
        let pool = Pool::new(addresses, config.pooling, rng);
        Nat {
            external: pool.address(0),
            several: pool.addresses().len() > 1,
            guarded: config.block_udp || config.only_tcp_443,
            tables: Tables::new(&config, pool.addresses().len()),
            config,
            pool: Box::new(pool),
        }
    }

    /// What it does.
    pub fn config(&self) -> &NatConfig {
        &self.config
    }

    /// Its external address, the first one of several.
    pub fn external(&self) -> Ipv4Addr {
        self.external
    }

    /// All its external addresses.
    pub fn externals(&self) -> &[Ipv4Addr] {
        self.pool.addresses()
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
        transport: impl Into<Transport>,
        source: SocketAddrV4,
        destination: SocketAddrV4,
    ) -> Outbound {
        self.try_outbound(now, transport.into(), source, destination)
            .unwrap_or_else(Outbound::Drop)
    }

    /// The internal destination of a packet that came in from the outside. `now` must not run
    /// backwards from call to call.
    ///
    /// # Errors
    ///
    /// Why it is dropped: the firewall does not let it pass, there is no live mapping with this
    /// external endpoint, or its filter does not let `source` in.
    pub fn inbound(
        &mut self,
        now: Time,
        transport: impl Into<Transport>,
        source: SocketAddrV4,
        destination: SocketAddrV4,
    ) -> Result<SocketAddrV4, NatDrop> {
        let transport = transport.into();
        self.admit(transport, source.port())?;
        let external = self.own(destination).ok_or(NatDrop::NoMapping)?;
        let (table, segment) = self.tables.of(transport);
        table.inbound(now, source, external, segment)
    }

    /// Whether a datagram in fragments may pass, either way; the first one came before the others,
    /// or not.
    ///
    /// # Errors
    ///
    /// [`NatDrop::Fragmented`] and [`NatDrop::FragmentsOutOfOrder`], as it is configured.
    pub fn admit_fragments(&self, in_order: bool) -> Result<(), NatDrop> {
        match self.config.fragments {
            Fragments::OutOfOrder => Ok(()),
            Fragments::InOrder if in_order => Ok(()),
            Fragments::InOrder => Err(NatDrop::FragmentsOutOfOrder),
            Fragments::Drop => Err(NatDrop::Fragmented),
        }
    }

    /// The external endpoint of the flow from `source`, inside, to `destination`. What an ICMP
    /// error says about that flow is translated with it, which neither makes nor ends nor
    /// refreshes a mapping (RFC 4787 REQ-12).
    pub fn external_of(
        &self,
        now: Time,
        protocol: Protocol,
        source: SocketAddrV4,
        destination: SocketAddrV4,
    ) -> Option<SocketAddrV4> {
        let table = self.tables.get(protocol);
        let external = table.external_of(now, source, destination)?;
        Some(self.endpoint(external))
    }

    /// The internal endpoint of the flow between `external` and `remote`, for ICMP errors about
    /// it. They pass no filter (REQ-12a).
    pub fn internal_of(
        &self,
        now: Time,
        protocol: Protocol,
        external: SocketAddrV4,
        remote: SocketAddrV4,
    ) -> Option<SocketAddrV4> {
        let external = self.own(external)?;
        let table = self.tables.get(protocol);
        table.internal_of(now, external, remote)
    }

    /// Loses every mapping, as in a power cut.
    pub fn reboot(&mut self) {
        self.pool.forget();
        self.tables = Tables::new(&self.config, self.pool.addresses().len());
    }

    /// Takes a new external address, instead of all that it had. Every mapping is lost, because
    /// its external endpoint no longer exists; the Linux masquerade forgets its connections in the
    /// same way when its interface goes down (iptables-extensions(8), MASQUERADE).
    pub fn rebind(&mut self, external: Ipv4Addr) {
        self.pool.replace(vec![external]);
        self.external = external;
        self.several = false;
        self.reboot();
    }

    /// Loses every mapping, and gives none of the ports that were taken or at rest to a new one
    /// until it reboots: the same flows go on from other ports. Overloaded ports stay as they are.
    pub fn rebind_ports(&mut self) {
        let fresh = Tables::new(&self.config, 0);
        let old = std::mem::replace(&mut self.tables, fresh);
        self.tables = old.without_taken_ports(&self.config);
    }

    /// Closes its firewall, or opens it: from now on it drops UDP, or everything but TCP to port
    /// 443. Mappings stay.
    pub fn set_firewall(&mut self, block_udp: bool, only_tcp_443: bool) {
        self.config.block_udp = block_udp;
        self.config.only_tcp_443 = only_tcp_443;
        self.guarded = block_udp || only_tcp_443;
    }

    #[inline]
    fn try_outbound(
        &mut self,
        now: Time,
        transport: Transport,
        source: SocketAddrV4,
        destination: SocketAddrV4,
    ) -> Result<Outbound, NatDrop> {
        self.admit(transport, destination.port())?;
        let turns_back = self.own(destination);
        if turns_back.is_some() && self.config.hairpinning == Hairpinning::None {
            return Err(NatDrop::NoHairpinning);
        }
        let (table, segment) = self.tables.of(transport);
        let external = table.outbound(now, source, destination, segment, &mut self.pool)?;
        let shown = match external.place() {
            0 => SocketAddrV4::new(self.external, external.port()),
            place => SocketAddrV4::new(self.pool.address(place), external.port()),
        };
        let Some(target) = turns_back else {
            return Ok(Outbound::Forward { source: shown });
        };
        Ok(Outbound::Hairpin {
            destination: table.inbound(now, shown, target, segment)?,
            source: match self.config.hairpinning {
                Hairpinning::InternalSource => source,
                _ => shown,
            },
        })
    }

    /// An endpoint of this NAT, if it is one.
    #[inline]
    fn own(&self, endpoint: SocketAddrV4) -> Option<External> {
        let place = match *endpoint.ip() == self.external {
            true => 0,
            false if self.several => self.pool.place(*endpoint.ip())?,
            false => return None,
        };
        Some(External::new(place, endpoint.port()))
    }

    fn endpoint(&self, external: External) -> SocketAddrV4 {
        SocketAddrV4::new(self.pool.address(external.place()), external.port())
    }

    /// Refuses what the firewall does not let pass; `remote` is the port outside.
    fn admit(&self, transport: Transport, remote: u16) -> Result<(), NatDrop> {
        if !self.guarded {
            return Ok(());
        }
        match transport {
            Transport::Udp => Err(NatDrop::UdpBlocked),
            Transport::Tcp(_) if self.config.only_tcp_443 && remote != HTTPS => {
                Err(NatDrop::TcpBlocked)
            }
            Transport::Tcp(_) => Ok(()),
        }
    }
}

/// The port that firewalls leave open (RFC 9110 section 4.2.2).
const HTTPS: u16 = 443;

/// A table for each protocol.
#[derive(Debug)]
struct Tables {
    udp: Table,
    tcp: Table,
}

impl Tables {
    /// Empty tables.
    fn new(config: &NatConfig, addresses: usize) -> Self {
        Tables {
            udp: Table::new(config, Protocol::Udp, addresses),
            tcp: Table::new(config, Protocol::Tcp, addresses),
        }
    }

    /// Empty tables without the ports that these have taken.
    fn without_taken_ports(self, config: &NatConfig) -> Self {
        Tables {
            udp: self.udp.without_taken_ports(config, Protocol::Udp),
            tcp: self.tcp.without_taken_ports(config, Protocol::Tcp),
        }
    }

    fn get(&self, protocol: Protocol) -> &Table {
        match protocol {
            Protocol::Udp => &self.udp,
            Protocol::Tcp => &self.tcp,
        }
    }

    /// The table of a packet, and what TCP has to say about it.
    fn of(&mut self, transport: Transport) -> (&mut Table, Option<Segment>) {
        match transport {
            Transport::Udp => (&mut self.udp, None),
            Transport::Tcp(segment) => (&mut self.tcp, Some(segment)),
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
