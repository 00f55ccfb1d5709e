//! TCP over links and NATs.

mod connect;
mod data;
mod packets;

use std::io;
use std::net::SocketAddrV4;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use sim::host::tcp::{TcpListener, TcpStream};
use sim::{
    LinkConfig, LossConfig, NatConfig, PipeConfig, Seed, SimRuntime, Simulation, Time, simulate,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::fixture::{Journal, delay, endpoint, host, host_on, spawn};

const PORT: u16 = 8_080;
const SERVER: [u8; 4] = [198, 51, 100, 1];
/// Between two passes of the TCP stacks.
const CADENCE: Duration = Duration::from_millis(1);
const LONG: Time = Time::from_millis(10_000_000);

/// A server and a client, one of whose links is special.
struct Lab {
    world: Simulation,
    server: SimRuntime,
    client: SimRuntime,
    journal: Journal,
}

impl Lab {
    fn new(mut world: Simulation, link: LinkConfig, chain: &[NatConfig]) -> Self {
        let server = world.add_host(host("server", SERVER, None)).unwrap();
        let mut behind = None;
        for (depth, config) in chain.iter().enumerate() {
            let external = [203, 0, 113, depth as u8 + 1];
            behind = Some(world.add_gateway(*config, external.into(), behind).unwrap());
        }
        let mut config = host_on("client", [10, 0, 0, 2], link);
        config.behind = behind;
        let client = world.add_host(config).unwrap();
        let journal = Journal::default();
        world.network(|network| network.add_tap(Box::new(journal.clone())));
        Lab {
            server: world.runtime(server),
            client: world.runtime(client),
            world,
            journal,
        }
    }
}

fn lab<R: Send>(seed: u64, link: LinkConfig, test: impl FnOnce(Lab) -> R + Send) -> R {
    simulate(Seed(seed), |world| test(Lab::new(world, link, &[])))
}

fn target() -> SocketAddrV4 {
    endpoint(SERVER, PORT)
}

fn lossy(probability: f64) -> PipeConfig {
    PipeConfig {
        loss: LossConfig::Bernoulli { probability },
        ..delay(Duration::from_millis(20))
    }
}

/// `length` bytes that do not repeat with any short period.
fn bulk(length: usize) -> Vec<u8> {
    (0..length as u64)
        .map(|index| (index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8)
        .collect()
}

/// Accepts one connection and reads it to its end.
fn sink(server: &SimRuntime) -> Receiver<io::Result<Vec<u8>>> {
    let view = server.clone();
    spawn(server, async move {
        let listener = TcpListener::bind(&view, PORT).await?;
        let (mut stream, _) = listener.accept().await?;
        let mut data = Vec::new();
        stream.read_to_end(&mut data).await?;
        Ok(data)
    })
}

/// Connects, sends everything, closes, and waits for the other side to close.
fn source(client: &SimRuntime, data: Vec<u8>) -> Receiver<io::Result<()>> {
    let view = client.clone();
    spawn(client, async move {
        let mut stream = TcpStream::connect(&view, target()).await?;
        stream.write_all(&data).await?;
        stream.shutdown().await?;
        assert_eq!(
            stream.read(&mut [0; 1]).await?,
            0,
            "the other side sends nothing"
        );
        Ok(())
    })
}
