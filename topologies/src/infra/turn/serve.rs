//! A TURN server on a runtime's sockets: one task for all of them.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use webrtc::runtime::{AsyncUdpSocket, EcnCodepoint, JoinHandle, RecvMeta, Runtime, Transmit};

use super::core::{Datagram, TurnCore, TurnIo};
use super::counters::TurnCounters;
use super::ready::{Ready, SocketWaker};
use super::sockets::RelaySockets;
use super::{RelayPorts, TurnConfig, TurnConfigError};

/// Bytes of the receive buffer: any UDP datagram, and any batch that a kernel coalesces.
const BUFFER: usize = 65_536;

/// How often one socket is read before the others have their turn.
const READS_PER_TURN: usize = 64;

/// A running TURN server. It stops when this is dropped.
pub struct TurnServer {
    core: Arc<Mutex<TurnCore>>,
    address: SocketAddr,
    task: Box<dyn JoinHandle>,
}

/// Why a TURN server did not start.
#[derive(Debug, thiserror::Error)]
pub enum TurnServeError {
    /// The configuration was refused.
    #[error(transparent)]
    Config(#[from] TurnConfigError),
    /// The control socket has no address.
    #[error("the control socket has no address")]
    Address(#[source] io::Error),
    /// Relayed addresses have the control socket's IP address, so it must be a real one.
    #[error("the control socket is bound to {0}; bind it to the address that peers reach")]
    Unspecified(SocketAddr),
}

impl TurnServer {
    /// Serves clients of `control`, relaying through sockets of `relays` on the same IP address.
    pub fn serve(
        runtime: Arc<dyn Runtime>,
        control: Arc<dyn AsyncUdpSocket>,
        relays: Arc<dyn RelaySockets>,
        config: &TurnConfig,
        ports: RelayPorts,
    ) -> Result<Self, TurnServeError> {
        let address = control.local_addr().map_err(TurnServeError::Address)?;
        if address.ip().is_unspecified() || address.port() == 0 {
            return Err(TurnServeError::Unspecified(address));
        }
        let core = Arc::new(Mutex::new(TurnCore::new(address, config, ports)?));
        let mut driver = Driver::new(runtime.clone(), core.clone(), address, control, relays);
        let task = runtime.spawn(Box::pin(poll_fn(move |cx| driver.poll(cx))));
        Ok(TurnServer {
            core,
            address,
            task,
        })
    }

    /// The address that clients use.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was counted so far.
    pub fn counters(&self) -> TurnCounters {
        lock(&self.core).counters().clone()
    }

    /// Stops the server and closes its sockets. Counters stay.
    pub fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for TurnServer {
    fn drop(&mut self) {
        self.stop();
    }
}

struct Driver {
    runtime: Arc<dyn Runtime>,
    start: Instant,
    core: Arc<Mutex<TurnCore>>,
    sockets: Sockets,
    timer: Option<Timer>,
    buffer: Box<[u8]>,
    batch: Vec<u16>,
}

struct Timer {
    at: Duration,
    sleep: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// The open sockets by port: the control socket and the relays, all on one IP address.
struct Sockets {
    open: BTreeMap<u16, Socket>,
    relays: Arc<dyn RelaySockets>,
    ready: Arc<Ready>,
    /// The ECN field of the datagram that is handled: what is relayed of it has the same, the
    /// preferred behaviour of RFC 8656 section 14.
    ecn: Option<EcnCodepoint>,
}

#[derive(Clone)]
struct Socket {
    io: Arc<dyn AsyncUdpSocket>,
    address: SocketAddr,
    noted: Arc<SocketWaker>,
    waker: Waker,
}

/// What reading a socket came to.
enum Read {
    Datagrams(RecvMeta),
    Nothing,
    Failed(io::Error),
}

impl Driver {
    fn new(
        runtime: Arc<dyn Runtime>,
        core: Arc<Mutex<TurnCore>>,
        address: SocketAddr,
        control: Arc<dyn AsyncUdpSocket>,
        relays: Arc<dyn RelaySockets>,
    ) -> Self {
        let mut sockets = Sockets {
            open: BTreeMap::new(),
            relays,
            ready: Arc::default(),
            ecn: None,
        };
        sockets.insert(address, control);
        Driver {
            start: runtime.now(),
            runtime,
            core,
            sockets,
            timer: None,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            batch: Vec::new(),
        }
    }

    /// Reads what is ready now. What becomes ready meanwhile wakes the task again.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.sockets.ready.register(cx.waker());
        let mut batch = std::mem::take(&mut self.batch);
        self.sockets.ready.take(&mut batch);
        for port in batch.drain(..) {
            self.read(port);
        }
        self.batch = batch;
        self.poll_timer(cx);
        Poll::Pending
    }

    fn read(&mut self, port: u16) {
        // A relay may have closed since it became ready.
        let Some(socket) = self.sockets.open.get(&port).cloned() else {
            return;
        };
        socket.noted.reset();
        let now = self.runtime.now().saturating_duration_since(self.start);
        let mut core = lock(&self.core);
        for _ in 0..READS_PER_TURN {
            match socket.read(&mut self.buffer) {
                Read::Datagrams(meta) => {
                    self.sockets.ecn = meta.ecn;
                    for data in datagrams(&self.buffer, &meta) {
                        let datagram = Datagram {
                            from: meta.addr,
                            to: socket.address,
                            data,
                        };
                        core.receive(now, datagram, &mut self.sockets);
                    }
                }
                Read::Nothing => return,
                Read::Failed(error) if is_transient(&error) => {}
                Read::Failed(error) => {
                    log::error!("TURN socket {} failed: {error}", socket.address);
                    return;
                }
            }
        }
        socket.waker.wake_by_ref();
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) {
        loop {
            let wanted = lock(&self.core).wait_until();
            if self.timer.as_ref().map(|timer| timer.at) != wanted {
                self.timer = wanted.map(|at| self.timer_at(at));
            }
            let Some(timer) = &mut self.timer else { return };
            if timer.sleep.as_mut().poll(cx).is_pending() {
                return;
            }
            // At least the time that was slept for, however the runtime rounds its clock.
            let now = self
                .runtime
                .now()
                .saturating_duration_since(self.start)
                .max(timer.at);
            self.timer = None;
            self.sockets.ecn = None;
            lock(&self.core).poll(now, &mut self.sockets);
        }
    }

    fn timer_at(&self, at: Duration) -> Timer {
        let now = self.runtime.now().saturating_duration_since(self.start);
        Timer {
            at,
            sleep: self.runtime.sleep(at.saturating_sub(now)),
        }
    }
}

impl Sockets {
    fn insert(&mut self, address: SocketAddr, io: Arc<dyn AsyncUdpSocket>) {
        let noted = SocketWaker::new(address.port(), self.ready.clone());
        let waker = Waker::from(noted.clone());
        self.open.insert(
            address.port(),
            Socket {
                io,
                address,
                noted,
                waker,
            },
        );
    }
}

impl TurnIo for Sockets {
    fn open(&mut self, relayed: SocketAddr) -> io::Result<()> {
        let socket = self.relays.open(relayed.port())?;
        self.insert(relayed, socket);
        Ok(())
    }

    fn close(&mut self, relayed: SocketAddr) {
        self.open.remove(&relayed.port());
    }

    /// Never waits: when the socket has no room, the datagram is lost, as in any router.
    fn send(&mut self, from: SocketAddr, to: SocketAddr, data: &[u8]) -> io::Result<()> {
        let socket = self
            .open
            .get(&from.port())
            .ok_or(io::ErrorKind::NotConnected)?;
        let transmit = Transmit {
            destination: to,
            ecn: self.ecn,
            contents: data,
            segment_size: None,
            src_ip: None,
        };
        match socket
            .io
            .poll_send(&mut Context::from_waker(Waker::noop()), &transmit)
        {
            Poll::Ready(result) => result.map(drop),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Socket {
    fn read(&self, buffer: &mut [u8]) -> Read {
        let mut meta = [RecvMeta::default()];
        let mut cx = Context::from_waker(&self.waker);
        match self
            .io
            .poll_recv(&mut cx, &mut [IoSliceMut::new(buffer)], &mut meta)
        {
            Poll::Ready(Ok(_)) => Read::Datagrams(meta[0]),
            Poll::Ready(Err(error)) => Read::Failed(error),
            Poll::Pending => Read::Nothing,
        }
    }
}

/// The datagrams of one read: a kernel may coalesce several of one flow (GRO).
fn datagrams<'a>(buffer: &'a [u8], meta: &RecvMeta) -> impl Iterator<Item = &'a [u8]> {
    let empty = (meta.len == 0).then_some(&buffer[..0]);
    empty
        .into_iter()
        .chain(buffer[..meta.len].chunks(meta.stride.max(1)))
}

/// Errors that concern one peer, reported by ICMP through the socket, and not the socket itself.
fn is_transient(error: &io::Error) -> bool {
    use io::ErrorKind::*;
    matches!(
        error.kind(),
        ConnectionRefused
            | ConnectionReset
            | HostUnreachable
            | NetworkUnreachable
            | Interrupted
            | WouldBlock
            | TimedOut
    )
}

fn lock(core: &Mutex<TurnCore>) -> MutexGuard<'_, TurnCore> {
    core.lock().unwrap_or_else(PoisonError::into_inner)
}
