//! A runtime on tokio's paused clock, and streams in memory.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use topologies::infra::signaling::{
    ClientConfig, Connector, Event, Listener, Name, Participant, Session, SignalingClient, Stream,
};
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime,
    TokioRuntime,
};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// `TokioRuntime` tells the wall clock, also when tokio's own clock is paused; this does not.
#[derive(Debug)]
pub struct PausedTokio;

impl Runtime for PausedTokio {
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn spawn(&self, future: Boxed<'static, ()>) -> Box<dyn JoinHandle> {
        TokioRuntime.spawn(future)
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        TokioRuntime.wrap_udp_socket(socket)
    }

    fn wrap_tcp_listener(&self, listener: TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        TokioRuntime.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        remote: SocketAddr,
    ) -> Boxed<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        Box::pin(async move { TokioRuntime.connect_tcp(remote).await })
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { TokioRuntime.resolve_host(host).await })
    }

    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        TokioRuntime.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        TokioRuntime.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        TokioRuntime.block_on(future);
    }
}

pub fn runtime() -> Arc<dyn Runtime> {
    Arc::new(PausedTokio)
}

pub fn seeded(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub fn participant(text: &str, session: u32) -> Participant {
    Participant {
        name: name(text),
        session: Session(session),
    }
}

/// A network in memory: connecting gives one end of a pipe, accepting the other.
#[derive(Clone)]
pub struct Pipes {
    connections: mpsc::UnboundedSender<DuplexStream>,
    capacity: usize,
}

pub struct PipeListener(mpsc::UnboundedReceiver<DuplexStream>);

impl Pipes {
    /// Pipes that hold `capacity` bytes in each direction, like a TCP window.
    pub fn new(capacity: usize) -> (Self, PipeListener) {
        let (connections, listener) = mpsc::unbounded_channel();
        (
            Pipes {
                connections,
                capacity,
            },
            PipeListener(listener),
        )
    }

    pub fn open(&self) -> DuplexStream {
        let (near, far) = tokio::io::duplex(self.capacity);
        self.connections.send(far).expect("the listener lives");
        near
    }
}

#[async_trait]
impl Connector for Pipes {
    async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        Ok(Box::new(self.open()))
    }
}

#[async_trait]
impl Listener for PipeListener {
    async fn accept(&mut self) -> io::Result<(Box<dyn Stream>, SocketAddr)> {
        match self.0.recv().await {
            Some(stream) => Ok((Box::new(stream), SocketAddr::from(([127, 0, 0, 1], 1)))),
            None => std::future::pending().await,
        }
    }
}

pub fn config(who: &str, session: u32) -> ClientConfig {
    ClientConfig::new(name("room"), name(who), Session(session))
}

pub fn client(connector: &Pipes, config: ClientConfig) -> SignalingClient {
    SignalingClient::connect(Arc::new(connector.clone()), runtime(), seeded(1), config)
}

/// The next event, within a minute of paused time.
pub async fn event(client: &mut SignalingClient) -> Event {
    let next = tokio::time::timeout(Duration::from_secs(120), client.next());
    next.await
        .expect("no event in two minutes")
        .expect("no more events")
}
