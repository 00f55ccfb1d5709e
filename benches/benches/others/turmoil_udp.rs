//! UDP in `turmoil`: the traffic of `kernel/two_nats`, without links and NATs, which it lacks.

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use benches::world::PAYLOAD_BYTES;
use turmoil::net::UdpSocket;
use turmoil::{Builder, Sim};

const PORT: u16 = 4_000;
/// The time step, and the latency of every packet: the least that is not zero, which keeps the
/// number of steps for a packet as small as it can be.
const TICK: Duration = Duration::from_millis(1);

/// Hosts that all send to one another, one packet each in a tick, to a peer that is one place
/// further on from tick to tick.
pub struct Turmoil {
    sim: Sim<'static>,
    received: Rc<Cell<u64>>,
}

impl Turmoil {
    /// `hosts` hosts, at least 2, between which packets are flowing already.
    pub fn new(hosts: usize) -> Self {
        let mut sim = Builder::new()
            .tick_duration(TICK)
            .min_message_latency(TICK)
            .max_message_latency(TICK)
            .rng_seed(1)
            .build();
        let received = Rc::new(Cell::new(0));
        for host in 0..hosts {
            let received = Rc::clone(&received);
            sim.host(address(host), move || {
                let received = Rc::clone(&received);
                async move { Ok(talk(host, hosts, &received).await?) }
            });
        }
        let mut world = Turmoil { sim, received };
        world.exchange(hosts as u64);
        world
    }

    /// Steps until `packets` more packets have been read. The last step reads what arrives in it,
    /// so up to one packet a host is read beyond.
    pub fn exchange(&mut self, packets: u64) {
        let enough = self.received.get() + packets;
        while self.received.get() < enough {
            self.sim.step().expect("no host fails");
        }
    }
}

async fn talk(host: usize, hosts: usize, received: &Cell<u64>) -> std::io::Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
    let mut payload = [0; PAYLOAD_BYTES];
    for distance in (1..hosts).cycle() {
        let peer = SocketAddr::from((address((host + distance) % hosts), PORT));
        socket.send_to(&payload, peer).await?;
        tokio::time::sleep(TICK).await;
        while socket.try_recv_from(&mut payload).is_ok() {
            received.set(received.get() + 1);
        }
    }
    unreachable!("a cycle has no end")
}

fn address(host: usize) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(198, 18, 0, 1).to_bits() + host as u32)
}
