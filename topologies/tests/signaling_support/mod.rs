//! A runtime on tokio's paused clock, streams in memory, and clients good and raw.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::StreamExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::{WebSocketStream, client_async};
use topologies::infra::signaling::{
    ClientConfig, Connector, Event, Listener, Name, Participant, ServerConfig, Session, Signal,
    SignalingClient, SignalingServer, Stream,
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

/// The next event, within two minutes of paused time.
pub async fn event(client: &mut SignalingClient) -> Event {
    let next = tokio::time::timeout(Duration::from_secs(120), client.next());
    next.await
        .expect("no event in two minutes")
        .expect("no more events")
}

/// Bytes that a pipe holds, about a TCP window.
pub const WINDOW: usize = 64 * 1024;

pub fn start(config: ServerConfig) -> (Pipes, SignalingServer) {
    let (pipes, listener) = Pipes::new(WINDOW);
    let server = SignalingServer::new(runtime(), config);
    let running = server.clone();
    tokio::spawn(async move { running.serve(listener).await });
    (pipes, server)
}

pub async fn joined(pipes: &Pipes, who: &str, session: u32) -> SignalingClient {
    let mut client = client(pipes, config(who, session));
    assert!(matches!(event(&mut client).await, Event::Joined { .. }));
    client
}

/// Two clients that know each other: alice, 1, and bob, 2.
pub async fn pair(pipes: &Pipes) -> (SignalingClient, SignalingClient) {
    let mut alice = joined(pipes, "alice", 1).await;
    let bob = joined(pipes, "bob", 2).await;
    assert_eq!(
        event(&mut alice).await,
        Event::PeerJoined(participant("bob", 2))
    );
    (alice, bob)
}

/// Both can still reach each other.
pub async fn works(alice: &mut SignalingClient, bob: &mut SignalingClient) {
    let names = [participant("alice", 1), participant("bob", 2)];
    reaches(alice, bob, &names[0], &names[1]).await;
    reaches(bob, alice, &names[1], &names[0]).await;
}

pub async fn reaches(
    sender: &SignalingClient,
    receiver: &mut SignalingClient,
    from: &Participant,
    to: &Participant,
) {
    let signal = Signal::Offer("hello".into());
    sender.sender().send(to, signal.clone()).unwrap();
    assert_eq!(
        event(receiver).await,
        Event::Signal {
            from: from.clone(),
            signal
        }
    );
}

/// A client that speaks WebSocket and nothing more.
pub async fn raw(pipes: &Pipes) -> WebSocketStream<DuplexStream> {
    client_async("ws://signaling/", pipes.open())
        .await
        .unwrap()
        .0
}

pub fn join(who: &str) -> Message {
    let join = json!({"type": "join", "version": 1, "room": "room", "name": who, "session": 9});
    Message::text(join.to_string())
}

/// The last error and the close code that a server sends.
pub async fn verdict(socket: &mut WebSocketStream<DuplexStream>) -> (Option<String>, CloseCode) {
    let mut code = None;
    while let Some(message) = socket.next().await {
        match message.unwrap() {
            Message::Text(text) => {
                let value: Value = serde_json::from_str(&text).unwrap();
                code = value["code"].as_str().map(str::to_owned).or(code);
            }
            Message::Close(frame) => return (code, frame.expect("a close code").code),
            _ => {}
        }
    }
    panic!("the server closed without a close frame")
}
