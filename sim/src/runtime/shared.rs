//! What the tasks of a simulation share, and the view that one host has of it.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, SocketAddrV4, UdpSocket};
use std::pin::Pin;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use async_executor::Executor;
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime,
};

use super::aside::Asides;
use super::flush::{Flush, FlushGroup};
use super::meter::{Account, Meter};
use super::task::{self, HostTask};
use super::tcp::{SimTcpListener, SimTcpStream};
use super::tcp_driver::TcpDriver;
use super::timer::{Interval, Sleep, Timers};
use super::udp::SimUdpSocket;
use crate::kernel::{HostId, Network};
use crate::seed::Seed;
use crate::time::Time;

/// The state behind every handle of a simulation.
pub(crate) struct Core {
    pub(crate) network: Network,
    pub(crate) timers: Timers,
    pub(crate) tcp: TcpDriver,
    pub(crate) flush: Flush,
    pub(crate) meter: Meter,
    /// What a task panicked with: a broken invariant ends the simulation.
    pub(crate) panic: Option<Box<dyn Any + Send>>,
    pub(crate) asides: Asides,
}

/// One simulation, as its tasks share it. Only its own thread uses it; the lock is there because
/// the WebRTC stack wants `Send` and `Sync`, and it is never contended.
pub(crate) struct Shared {
    core: Mutex<Core>,
    /// What [`Runtime::now`] counts virtual time from.
    base: Instant,
    pub(crate) seed: Seed,
    pub(crate) executor: Weak<Executor<'static>>,
}

impl Shared {
    pub(crate) fn new(seed: Seed, executor: &Arc<Executor<'static>>) -> Arc<Self> {
        // The one real instant of a simulation: `Instant` has no other constructor, and only
        // differences to it are ever seen.
        #[allow(clippy::disallowed_methods)]
        let base = Instant::now();
        Arc::new(Shared {
            core: Mutex::new(Core {
                network: Network::new(seed),
                timers: Timers::default(),
                tcp: TcpDriver::default(),
                flush: Flush::default(),
                meter: Meter::new(),
                panic: None,
                asides: Asides::default(),
            }),
            base,
            seed,
            executor: Arc::downgrade(executor),
        })
    }

    /// Runs `f` on the core. Wakers must be woken and dropped outside: dropping the last one of a
    /// task drops the task, which locks the core again.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut Core) -> R) -> R {
        f(&mut self
            .core
            .lock()
            .expect("a panic in the core ends the simulation"))
    }

    pub(crate) fn instant(&self, at: Time) -> Instant {
        self.base + at.since_start()
    }

    pub(crate) fn time(&self, instant: Instant) -> Time {
        Time::ZERO + instant.saturating_duration_since(self.base)
    }
}

/// The simulation as the code of one host sees it.
#[derive(Clone)]
pub struct SimRuntime {
    pub(crate) shared: Arc<Shared>,
    pub(crate) host: HostId,
    pub(crate) flush: Option<FlushGroup>,
    /// Whether sockets keep repeated DTLS flights to themselves.
    pub(crate) steadies_handshakes: bool,
}

impl SimRuntime {
    pub(crate) fn new(shared: Arc<Shared>, host: HostId) -> Self {
        SimRuntime {
            shared,
            host,
            flush: None,
            steadies_handshakes: false,
        }
    }

    /// A runtime for one connection that uses TURN, which is woken until nothing is held back after
    /// each instant at which it ran: the stack's driver would otherwise keep packets for a relay
    /// until its next wake, up to 200 ms later.
    pub fn flushing_relays(&self) -> Self {
        SimRuntime {
            flush: Some(self.shared.with(|core| core.flush.group())),
            ..self.clone()
        }
    }

    /// Says whether the connection of a [flushing](SimRuntime::flushing_relays) runtime may use a
    /// relay for now: while it does not, it is not woken.
    pub fn use_relays(&self, may: bool) {
        if let Some(group) = self.flush {
            self.shared.with(|core| core.flush.rest(group, !may));
        }
    }

    /// A runtime for one connection whose socket drops datagrams that only repeat handshake messages
    /// of DTLS: the stack would stop its own retransmissions on them.
    pub fn steadying_handshakes(&self) -> Self {
        SimRuntime {
            steadies_handshakes: true,
            ..self.clone()
        }
    }

    /// The host that this is the view of.
    pub fn host(&self) -> HostId {
        self.host
    }

    /// The host's address in the network that it hangs from.
    pub fn address(&self) -> std::net::Ipv4Addr {
        self.shared.with(|core| core.network.address(self.host))
    }

    /// Virtual time.
    pub fn time(&self) -> Time {
        self.shared.with(|core| core.network.now())
    }

    /// The virtual time at an instant that [`Runtime::now`] gave.
    pub fn time_at(&self, instant: Instant) -> Time {
        self.shared.time(instant)
    }

    /// Does work that only measuring needs, off the host's CPU account.
    pub fn aside<R>(&self, work: impl FnOnce() -> R) -> R {
        self.on_account(Account::Observer, work)
    }

    /// Does work that is booked on another account than the current one.
    pub(crate) fn on_account<R>(&self, account: Account, work: impl FnOnce() -> R) -> R {
        let switch = |account| {
            self.shared.with(|core| {
                let before = core.meter.current();
                core.meter.switch(account);
                before
            })
        };
        let before = switch(account);
        let result = work();
        switch(before);
        result
    }

    /// The seed of the simulation.
    pub fn seed(&self) -> Seed {
        self.shared.seed
    }

    /// Binds a UDP socket; port 0 takes the next free ephemeral port.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AddrInUse`] if the port is taken or no ephemeral port is free.
    pub fn bind_udp(&self, port: u16) -> io::Result<SimUdpSocket> {
        SimUdpSocket::bind(self, port)
    }

    /// A port that no UDP socket of the host has now and that no later call returns soon.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AddrInUse`] if no ephemeral port is free.
    pub fn ephemeral_port(&self) -> io::Result<u16> {
        self.bind_udp(0).map(|socket| socket.endpoint().port())
    }

    fn adopt_udp(&self, socket: &UdpSocket) -> io::Result<SimUdpSocket> {
        let endpoint = virtual_endpoint(socket)?;
        self.check_own(endpoint)?;
        self.bind_udp(endpoint.port())
    }

    fn check_own(&self, endpoint: SocketAddrV4) -> io::Result<()> {
        if *endpoint.ip() == self.address() || endpoint.ip().is_unspecified() {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::AddrNotAvailable,
            format!("{endpoint} is not an address of this host"),
        ))
    }
}

#[cfg(target_os = "linux")]
fn virtual_endpoint(socket: &impl std::os::fd::AsRawFd) -> io::Result<SocketAddrV4> {
    crate::entropy::os::take_bound(socket.as_raw_fd()).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "the socket was not bound on the simulation's thread",
        )
    })
}

#[cfg(not(target_os = "linux"))]
fn virtual_endpoint(socket: &impl LocalAddr) -> io::Result<SocketAddrV4> {
    match socket.local_addr()? {
        SocketAddr::V4(endpoint) => Ok(endpoint),
        SocketAddr::V6(_) => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// A socket of the machine that knows where it is bound.
#[cfg(not(target_os = "linux"))]
trait LocalAddr {
    fn local_addr(&self) -> io::Result<SocketAddr>;
}

#[cfg(not(target_os = "linux"))]
impl LocalAddr for UdpSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        UdpSocket::local_addr(self)
    }
}

#[cfg(not(target_os = "linux"))]
impl LocalAddr for std::net::TcpListener {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        std::net::TcpListener::local_addr(self)
    }
}

impl fmt::Debug for SimRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimRuntime")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl Runtime for SimRuntime {
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) -> Box<dyn JoinHandle> {
        task::spawn(&self.shared, HostTask::new(self, future))
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        Ok(Arc::new(self.adopt_udp(&socket)?))
    }

    fn wrap_tcp_listener(
        &self,
        listener: std::net::TcpListener,
    ) -> io::Result<Arc<dyn AsyncTcpListener>> {
        let endpoint = virtual_endpoint(&listener)?;
        self.check_own(endpoint)?;
        Ok(Arc::new(SimTcpListener::bind(self, endpoint.port())?))
    }

    fn connect_tcp<'a>(
        &'a self,
        remote: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = io::Result<Arc<dyn AsyncTcpStream>>> + Send + 'a>> {
        Box::pin(async move {
            let SocketAddr::V4(remote) = remote else {
                return Err(io::ErrorKind::NetworkUnreachable.into());
            };
            let stream = SimTcpStream::connect(self, remote).await?;
            Ok(Arc::new(stream) as Arc<dyn AsyncTcpStream>)
        })
    }

    /// Resolves literal endpoints; the world has no name server.
    fn resolve_host<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'a>> {
        let resolved = host.parse::<SocketAddr>().map(|endpoint| vec![endpoint]);
        let error = |_| io::Error::new(io::ErrorKind::NotFound, format!("no address for {host}"));
        Box::pin(std::future::ready(resolved.map_err(error)))
    }

    fn now(&self) -> Instant {
        self.shared.instant(self.time())
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> {
        let deadline = self.time() + duration;
        Box::pin(Sleep::new(&self.shared, deadline))
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        Box::new(Interval::new(&self.shared, period))
    }

    /// # Panics
    ///
    /// Always: a simulation is driven by its own loop.
    fn block_on(&self, _future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        panic!("a task of a simulation cannot block its thread");
    }

    fn name(&self) -> &'static str {
        "simulation"
    }
}
