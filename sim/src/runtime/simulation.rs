//! The loop: one event, every task that it woke, and again.

use std::net::Ipv4Addr;
use std::net::{IpAddr, SocketAddrV4};
use std::panic::resume_unwind;
use std::sync::Arc;
use std::task::Waker;
use std::thread;

use async_executor::Executor;
use turmoil_net::{EnterGuard, Net, Transport};

use super::logs;
use super::meter::{Account, Meter};
use super::shared::{Shared, SimRuntime};
use super::tcp_driver;
use crate::entropy::os;
use crate::host::cpu::CpuUsage;
use crate::kernel::{GatewayId, HostConfig, HostId, Network, NetworkError, Step};
use crate::nat::NatConfig;
use crate::packet::{Packet, Payload};
use crate::seed::Seed;
use crate::time::Time;
use crate::trace::counters::Counters;

/// Stack of a simulation's thread: futures of the WebRTC stack are deep in unoptimised builds.
const STACK_BYTES: usize = 32 << 20;

/// Runs `f` as one simulation on a fresh thread, with everything random in it from `seed`.
///
/// The thread is fresh because `std` and others seed thread-locals once: it is what makes a run
/// the same whatever ran before it or runs beside it.
///
/// # Panics
///
/// If `f` panics, with its panic.
pub fn simulate<R: Send>(seed: Seed, f: impl FnOnce(Simulation) -> R + Send) -> R {
    thread::scope(|scope| {
        let run = || {
            let _guard = os::enter(seed);
            logs::start();
            f(Simulation::new(seed))
        };
        let thread = thread::Builder::new()
            .name("simulation".into())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, run)
            .expect("the system has room for one more thread");
        match thread.join() {
            Ok(result) => result,
            Err(panic) => resume_unwind(panic),
        }
    })
}

/// The TCP stacks: hosts are added to a `Net`, which then becomes the thread's.
enum Tcp {
    Building(Box<Net>),
    Running(EnterGuard),
    /// Between the two.
    Starting,
}

/// A world with tasks, in virtual time. First add hosts, then run.
pub struct Simulation {
    // Dropped first: tasks own sockets, which need the stacks below.
    executor: Option<Arc<Executor<'static>>>,
    shared: Arc<Shared>,
    tcp: Tcp,
    egress: Vec<turmoil_net::Packet>,
}

/// What is left of a simulation when it is over.
#[derive(Clone, Debug)]
pub struct Finished {
    /// What became of every packet.
    pub counters: Counters,
    /// Packets that were still on a link.
    pub in_flight: u64,
    /// What each host's CPU did, by the host's place in the order of creation; `None` where CPUs
    /// are free.
    pub cpus: Vec<Option<CpuUsage>>,
    /// CPU time by host, as this machine spent it.
    pub meter: Meter,
    /// What the stack warned of, each line with its virtual time.
    pub warnings: Vec<String>,
}

impl Simulation {
    fn new(seed: Seed) -> Self {
        let executor = Arc::new(Executor::new());
        Simulation {
            shared: Shared::new(seed, &executor),
            executor: Some(executor),
            tcp: Tcp::Building(Box::new(Net::with_config(tcp_driver::kernel_config()))),
            egress: Vec::new(),
        }
    }

    /// Adds a host.
    ///
    /// # Errors
    ///
    /// [`NetworkError::AddressTaken`] if any host of the world has that address: TCP stacks are
    /// told apart by address, also behind different NATs.
    ///
    /// # Panics
    ///
    /// If the simulation has run: TCP stacks cannot be added to a running world.
    pub fn add_host(&mut self, config: HostConfig) -> Result<HostId, NetworkError> {
        let Tcp::Building(net) = &mut self.tcp else {
            panic!("hosts are added before the simulation runs");
        };
        let address = config.address;
        self.shared.with(|core| {
            if core.tcp.owner(address).is_some() {
                return Err(NetworkError::AddressTaken(address));
            }
            let host = core.network.add_host(config)?;
            let stack = net.add_host(IpAddr::V4(address));
            core.tcp.add(address, host, stack);
            Ok(host)
        })
    }

    /// Adds a NAT with an empty network behind it.
    ///
    /// # Errors
    ///
    /// [`NetworkError::AddressTaken`] if its network has that external address already.
    pub fn add_gateway(
        &mut self,
        config: NatConfig,
        external: Ipv4Addr,
        behind: Option<GatewayId>,
    ) -> Result<GatewayId, NetworkError> {
        self.network(|network| network.add_gateway(config, external, behind))
    }

    /// The view of one host.
    pub fn runtime(&self, host: HostId) -> SimRuntime {
        SimRuntime::new(Arc::clone(&self.shared), host)
    }

    /// Runs `f` on the network.
    pub fn network<R>(&self, f: impl FnOnce(&mut Network) -> R) -> R {
        self.shared.with(|core| f(&mut core.network))
    }

    /// Virtual time.
    pub fn now(&self) -> Time {
        self.network(|network| network.now())
    }

    /// Runs until virtual time `end`; events at `end` itself still happen.
    pub fn run_until(&mut self, end: Time) {
        self.start();
        loop {
            self.run_tasks();
            let next = self.network(|network| network.next_at());
            let instant_over = next.is_none_or(|next| next > self.now());
            if instant_over && self.nudge() {
                continue;
            }
            match next {
                Some(next) if next <= end => self.step(),
                _ => break,
            }
        }
        self.network(|network| network.idle_until(end));
        self.tell_time();
    }

    /// Ends the simulation: drops every task, waits for what observers left for later, and drops
    /// everything else.
    pub fn finish(mut self) -> Finished {
        self.executor = None;
        self.shared.with(|core| {
            core.meter.switch(Account::Workaround);
            let aside = core.asides.finish();
            core.meter.book(Account::Observer, aside);
            Finished {
                counters: core.network.counters().clone(),
                in_flight: core.network.in_flight(),
                cpus: core.network.cpu_usages(),
                meter: core.meter.clone(),
                warnings: logs::finish(),
            }
        })
    }

    fn start(&mut self) {
        if matches!(self.tcp, Tcp::Building(_))
            && let Tcp::Building(net) = std::mem::replace(&mut self.tcp, Tcp::Starting)
        {
            self.tcp = Tcp::Running(net.enter());
        }
    }

    /// Runs tasks, in the order in which they were woken, until none is ready.
    fn run_tasks(&mut self) {
        let executor = self.executor.as_ref().expect("taken by finish alone");
        let mut ran = false;
        while executor.try_tick() {
            ran = true;
        }
        if !ran {
            return;
        }
        let panic = self.shared.with(|core| {
            core.meter.switch(Account::Kernel);
            core.panic.take()
        });
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    /// Wakes one connection that may hold a relayed packet back; `false` if there is none.
    fn nudge(&mut self) -> bool {
        let Some(readers) = self.shared.with(|core| {
            let sockets = core.flush.next()?.into_iter();
            let nudge = |socket| core.network.nudge(socket);
            Some(sockets.filter_map(nudge).collect::<Vec<_>>())
        }) else {
            return false;
        };
        readers.into_iter().for_each(Waker::wake);
        self.run_tasks();
        self.shared.with(|core| core.flush.done());
        true
    }

    fn step(&mut self) {
        let step = self.network(|network| network.step());
        self.tell_time();
        let waker = match step {
            None => None,
            Some(Step::Packet(reader)) => reader,
            Some(Step::Timer(slot)) => self.shared.with(|core| core.timers.fire(slot)),
            Some(Step::Segment(packet)) => {
                self.deliver_segment(packet);
                None
            }
            Some(Step::Tcp) => {
                self.tcp_pass();
                None
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn tell_time(&self) {
        let now = self.now();
        os::set_now(now);
        logs::set_now(now.as_nanos());
    }

    fn stacks(&self) -> &EnterGuard {
        match &self.tcp {
            Tcp::Running(guard) => guard,
            _ => unreachable!("events happen only in a running simulation"),
        }
    }

    fn deliver_segment(&self, packet: Packet) {
        let Payload::Tcp(mut segment) = packet.payload else {
            unreachable!("only TCP arrives as segments");
        };
        segment.src_port = packet.source.port();
        segment.dst_port = packet.destination.port();
        self.shared.with(|core| {
            core.tcp.touch(&mut core.network);
            let (at, peer) = (packet.destination, packet.source);
            let again = core.tcp.acks.repeat(at, peer, &segment);
            if let Some((again, host)) = again.zip(core.tcp.owner(*at.ip())) {
                let answer = Packet::new(at, peer, Payload::Tcp(again));
                core.network.send(host, answer);
            }
        });
        self.stacks().deliver(turmoil_net::Packet {
            src: IpAddr::V4(*packet.source.ip()),
            dst: IpAddr::V4(*packet.destination.ip()),
            ttl: u8::MAX,
            payload: Transport::Tcp(segment),
        });
    }

    /// Every host's TCP stack runs once; what it sends goes on the host's link.
    fn tcp_pass(&mut self) {
        let mut egress = std::mem::take(&mut self.egress);
        self.stacks().egress_all(&mut egress);
        self.shared.with(|core| {
            for packet in egress.drain(..) {
                let (IpAddr::V4(source), IpAddr::V4(destination)) = (packet.src, packet.dst) else {
                    continue;
                };
                let Transport::Tcp(segment) = packet.payload else {
                    continue;
                };
                let Some(origin) = core.tcp.owner(source) else {
                    continue;
                };
                let source = SocketAddrV4::new(source, segment.src_port);
                let destination = SocketAddrV4::new(destination, segment.dst_port);
                core.tcp.acks.sent(source, destination, &segment);
                let packet = Packet::new(source, destination, Payload::Tcp(segment));
                core.network.send(origin, packet);
                core.tcp.touch(&mut core.network);
            }
            core.tcp.passed(&mut core.network);
        });
        self.egress = egress;
    }
}
