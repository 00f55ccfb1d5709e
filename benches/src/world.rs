//! Hosts of the kernel, and traffic between all pairs of them.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use sim::kernel::SocketId;
use sim::nat::presets::PORT_RESTRICTED;
use sim::packet::{IPV4_HEADER, UDP_HEADER};
use sim::{Ecn, GatewayId, HostConfig, LinkConfig, Network, PipeConfig, Seed};

/// Bytes of every packet on the wire, IPv4 and UDP headers included: a full packet of video.
pub const WIRE_BYTES: usize = 1_200;

/// Bytes of payload in a packet of [`WIRE_BYTES`].
pub const PAYLOAD_BYTES: usize = WIRE_BYTES - (IPV4_HEADER + UDP_HEADER) as usize;

/// The first address on the internet: 198.18.0.0/15 is for benchmarks (RFC 2544 appendix C.2.2).
const FIRST_PUBLIC: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
/// The address of every host that is behind a NAT of its own.
const PRIVATE: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 2);
/// The UDP port of every host, which a port-preserving NAT shows to the outside, too.
const PORT: u16 = 4_000;

/// A home line: 20 Mbit/s up, 270 Mbit/s down, 70 ms of buffer and no loss, as in the preset
/// `cable` without its jitter. Lines differ by up to 5 ms of delay, so that the packets that leave
/// at one instant arrive interleaved with those of other hosts and not in the order of sending.
pub fn home_line(host: usize) -> LinkConfig {
    // 7,919 is coprime to 5,000: neighbours differ, and no two of 5,000 hosts have one delay.
    let delay = Duration::from_micros(10_000 + (host as u64 * 7_919) % 5_000);
    let pipe = |rate_bps: u64| PipeConfig {
        rate_bps: Some(rate_bps),
        buffer_bytes: Some(rate_bps / 8 * 70 / 1_000),
        delay,
        ..PipeConfig::default()
    };
    LinkConfig {
        up: pipe(20_000_000),
        down: pipe(270_000_000),
    }
}

/// A host with one UDP socket.
struct Peer {
    socket: SocketId,
    /// Its endpoint, as all others see it.
    endpoint: SocketAddrV4,
}

/// A network whose hosts all send to one another.
///
/// Traffic comes in waves. In a wave each host sends one packet, all to the host that is the same
/// number of places further on; the network then runs until nothing is on the way, and every
/// receiver reads its socket. The distance grows by one from wave to wave, so that `n - 1` waves
/// carry one packet over every ordered pair of `n` hosts, and then begin again.
///
/// Sending copies the payload into the packet and reading copies it out, as the sockets of a
/// simulated WebRTC stack do.
pub struct World {
    network: Network,
    peers: Vec<Peer>,
    distance: usize,
    payload: [u8; PAYLOAD_BYTES],
}

impl World {
    /// `hosts` hosts, at least 2, each behind a port-restricted home NAT of its own and on a
    /// [`home_line`]: every packet crosses two links and two NATs. All pairs have exchanged
    /// packets already, so that every NAT lets every peer in.
    pub fn two_nats(hosts: usize) -> Self {
        let mut world = Self::build(hosts, |network, host| {
            let external = public_address(host);
            let gateway = network
                .add_gateway(PORT_RESTRICTED, external, None)
                .expect("every NAT has an address of its own");
            (PRIVATE, Some(gateway), home_line(host))
        });
        let pairs = hosts * (hosts - 1);
        world.send_and_read(pairs as u64);
        world.exchange(pairs as u64);
        world
    }

    /// Two hosts on the internet, the first on a [`home_line`] and the second on an ideal one:
    /// every packet crosses one real link, up or down.
    pub fn one_link() -> Self {
        Self::build(2, |_, host| {
            let link = match host {
                0 => home_line(host),
                _ => LinkConfig::default(),
            };
            (public_address(host), None, link)
        })
    }

    /// Exchanges `packets` packets.
    ///
    /// # Panics
    ///
    /// If any packet is lost: the measurement would be that of a drop.
    pub fn exchange(&mut self, packets: u64) {
        let read = self.send_and_read(packets);
        assert_eq!(read, packets, "dropped: {:?}", self.network.counters());
    }

    /// Sends `packets` packets in waves, the last of which may be partial, and counts those that
    /// were read.
    fn send_and_read(&mut self, packets: u64) -> u64 {
        let (mut left, mut read) = (packets, 0);
        while left > 0 {
            let senders = left.min(self.peers.len() as u64) as usize;
            self.send_wave(senders);
            while self.network.step().is_some() {}
            read += self.read_wave(senders);
            self.distance = self.distance % (self.peers.len() - 1) + 1;
            left -= senders as u64;
        }
        read
    }

    fn send_wave(&mut self, senders: usize) {
        for host in 0..senders {
            let destination = self.peers[self.receiver(host)].endpoint;
            self.network.send_udp_copy(
                self.peers[host].socket,
                destination,
                &self.payload,
                Ecn::NotEct,
            );
        }
    }

    fn read_wave(&mut self, senders: usize) -> u64 {
        let mut read = 0;
        for host in 0..senders {
            let socket = self.peers[self.receiver(host)].socket;
            while let Some(datagram) = self.network.receive_udp(socket) {
                self.payload.copy_from_slice(&datagram.data);
                read += 1;
            }
        }
        read
    }

    fn receiver(&self, sender: usize) -> usize {
        (sender + self.distance) % self.peers.len()
    }

    /// A world whose host number `i` has the address, NAT and link that `place` gives it.
    fn build(
        hosts: usize,
        mut place: impl FnMut(&mut Network, usize) -> (Ipv4Addr, Option<GatewayId>, LinkConfig),
    ) -> Self {
        assert!(hosts >= 2, "a packet goes from one host to another");
        let mut network = Network::new(Seed(1));
        let peers = (0..hosts)
            .map(|host| {
                let (address, behind, link) = place(&mut network, host);
                let id = network
                    .add_host(HostConfig {
                        name: format!("host-{host}"),
                        address,
                        behind,
                        link,
                        cpu: None,
                    })
                    .expect("addresses are unique and the link is valid");
                Peer {
                    socket: network.bind_udp(id, PORT).expect("its only socket"),
                    endpoint: SocketAddrV4::new(public_address(host), PORT),
                }
            })
            .collect();
        World {
            network,
            peers,
            distance: 1,
            payload: [0; PAYLOAD_BYTES],
        }
    }
}

/// The address of a host, or of its NAT, on the internet.
fn public_address(host: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(FIRST_PUBLIC.to_bits() + host as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packet_arrives_also_those_of_a_partial_wave() {
        // 3 hosts: 6 ordered pairs. The first wave finds all three filters closed, and the second
        // goes the other way over the same pairs, each of which was opened by the first: 3 of 6
        // are dropped. Then `two_nats` exchanges 6, and 7 more are two waves and a third of one.
        let mut world = World::two_nats(3);
        world.exchange(7);
        let counters = world.network.counters();
        assert_eq!((counters.sent, counters.delivered), (19, 16));
        assert_eq!(world.network.in_flight(), 0);
    }

    #[test]
    fn a_packet_crosses_both_links_of_its_path() {
        // Host 0 to host 1, one packet each way in a wave: 1,200 bytes take 480 us at 20 Mbit/s
        // and 35,556 ns at 270 Mbit/s (9,600 bits / 0.27 bits per ns = 35,555.6), rounded up; the
        // propagation is 10 ms and 10 + 2.919 ms. Both packets arrive together.
        let mut world = World::two_nats(2);
        let start = world.network.now();
        world.exchange(2);
        let took = world.network.now() - start;
        assert_eq!(took, Duration::from_nanos(480_000 + 35_556 + 22_919_000));
    }
}
