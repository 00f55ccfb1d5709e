//! No packet is created or lost without a reason, in any world.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::num::{NonZeroU16, NonZeroU32};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sim::kernel::SocketId;
use sim::trace::Stage;
use sim::trace::digest::Digest;
use sim::{
    Behavior, Change, CpuConfig, CrossFlow, CrossKind, DeliveryTrace, FilterScope, FlowId,
    Fragments, GatewayId, Hairpinning, HostConfig, HostId, JitterConfig, LinkConfig, LossConfig,
    NatConfig, PipeChange, PipeConfig, Pooling, PortAssignment, Queue, Refresh, Reorder, Roam,
    Seed, Simulation, Time, TimerScope, Way, WhenFull, nat, simulate,
};

use crate::fixture::{BEHAVIORS, Entry, Journal, endpoint};

const PORT: u16 = 5_000;
/// How many NATs may be between a host and the internet.
const MAX_DEPTH: usize = 3;
/// Long after the last send: no link of these worlds takes that long.
const REST: Duration = Duration::from_secs(60);

/// A world and its traffic, to be built.
#[derive(Clone, Debug)]
struct Plan {
    seed: u64,
    /// The NAT that it is behind, if any (as an index into those before it), and what it does.
    gateways: Vec<(usize, NatConfig)>,
    /// The NAT that it is behind, if any, its link and its CPU.
    hosts: Vec<(usize, LinkConfig, Option<CpuConfig>)>,
    shapes: Vec<Shape>,
    sends: Vec<Send>,
    icmp: bool,
}

/// What happens to a link, up and down, and who else uses it.
type Shape = ([Vec<PipeChange>; 2], Option<(Way, CrossFlow)>);

/// A datagram to send: how long after the one before, by which host, where to, how big.
#[derive(Clone, Debug)]
struct Send {
    gap: Duration,
    from: usize,
    to: Target,
    bytes: usize,
    /// What happens before it is sent.
    fault: Option<Fault>,
}

/// Where a datagram goes; numbers are taken modulo what there is.
#[derive(Clone, Copy, Debug)]
enum Target {
    /// A host by its own address, wherever it is.
    Host(usize, u16),
    /// An external port of a NAT, possibly one that the sender is behind.
    Gateway(usize, u16),
    /// Whoever sent to this host last.
    Reply,
    Itself,
    Nowhere,
}

fn pipe() -> impl Strategy<Value = PipeConfig> {
    let loss = prop_oneof![
        Just(LossConfig::None),
        (0.0..0.5).prop_map(|probability| LossConfig::Bernoulli { probability }),
    ];
    let reorder = prop_oneof![Just(Reorder::Preserve), Just(Reorder::Allow)];
    let rate = prop_oneof![
        Just(None),
        (16_000_u64..500_000).prop_map(Some),
        (500_000_u64..50_000_000).prop_map(Some),
    ];
    let buffer = (1_500_u64..6_000, prop_oneof![5 => Just(1), 1 => Just(10)]);
    let queue = prop_oneof![
        Just(Queue::DropTail),
        Just(Queue::Codel),
        Just(Queue::CodelEcn)
    ];
    let after = (0_u64..100, 0_u64..30, reorder, loss);
    (rate, buffer, queue, after).prop_map(
        |(rate_bps, buffer, queue, (delay, jitter, reorder, loss))| PipeConfig {
            rate_bps,
            buffer_bytes: rate_bps.map(|_| buffer.0 * buffer.1),
            queue,
            delay: Duration::from_millis(delay),
            jitter: JitterConfig {
                std: Duration::from_millis(jitter),
                reorder,
            },
            loss,
        },
    )
}

/// What happens to a direction of a link in the first seconds.
fn changes() -> impl Strategy<Value = Vec<PipeChange>> {
    let trace = DeliveryTrace::parse("3\n5\n5\n90\n").unwrap();
    let rate = (
        proptest::option::of(16_000_u64..50_000_000),
        prop_oneof![Just(0), 0..1_000_u64],
    );
    let rate = rate.prop_map(|(to_bps, millis)| Change::Rate {
        to_bps,
        over: Duration::from_millis(millis),
    });
    let loss = (0.0..0.5).prop_map(|probability| LossConfig::Bernoulli { probability });
    let what = prop_oneof![
        3 => rate,
        1 => Just(Change::Trace(trace)),
        1 => (1_500..9_000_u64).prop_map(|bytes| Change::Buffer(Some(bytes))),
        1 => (0..100_u64).prop_map(|millis| Change::Delay(Duration::from_millis(millis))),
        1 => loss.prop_map(Change::Loss),
    ];
    let change = (0..3_000_u64, what).prop_map(|(millis, what)| {
        let at = Time::from_millis(millis);
        PipeChange { at, what }
    });
    prop_oneof![2 => Just(Vec::new()), 1 => vec(change, 1..6)]
}

/// A flow of the first instants beside the packets, up or down.
fn flow() -> impl Strategy<Value = Option<(Way, CrossFlow)>> {
    let millis = |most| (1..most).prop_map(Duration::from_millis);
    let rate = 100_000_u64..2_000_000;
    let constant = rate.clone();
    let kind = prop_oneof![
        constant.prop_map(|rate_bps| CrossKind::Constant { rate_bps }),
        (rate, millis(50_u64), millis(50)).prop_map(|(rate_bps, on, off)| CrossKind::OnOff {
            rate_bps,
            on,
            off
        }),
        (20..50_u64, any::<bool>()).prop_map(|(millis, ecn)| CrossKind::Tcp {
            round_trip: Duration::from_millis(millis),
            ecn,
        }),
    ];
    let way = prop_oneof![Just(Way::Up), Just(Way::Down)];
    let (from, to) = (Time::ZERO, Time::from_millis(300));
    let flow = (way, kind).prop_map(move |(way, kind)| (way, CrossFlow { from, to, kind }));
    prop_oneof![3 => Just(None), 1 => flow.prop_map(Some)]
}

fn link() -> impl Strategy<Value = LinkConfig> {
    prop_oneof![
        Just(LinkConfig::default()),
        (pipe(), pipe()).prop_map(|(up, down)| LinkConfig { up, down }),
    ]
}

/// CPUs that do 500 packets a second and more, and let them wait for 5 ms at the most: several
/// packets at once are too many for some of them.
fn cpu() -> impl Strategy<Value = Option<CpuConfig>> {
    let micros = |upto| (0..upto).prop_map(Duration::from_micros);
    let cpu = (
        1..4_u32,
        0.5..2.0,
        micros(5_000_u64),
        micros(1_000_u64),
        micros(1_000_u64),
    );
    let cpu = cpu.prop_map(
        |(cores, speed, backlog, packet_send, packet_receive)| CpuConfig {
            cores,
            speed,
            backlog,
            packet_send,
            packet_receive,
        },
    );
    proptest::option::of(cpu)
}

fn behavior() -> impl Strategy<Value = Behavior> {
    proptest::sample::select(BEHAVIORS.to_vec())
}

fn gateway() -> impl Strategy<Value = NatConfig> {
    let ports = prop_oneof![
        3 => Just(PortAssignment::Preserving),
        1 => Just(PortAssignment::Sequential),
        1 => Just(PortAssignment::Random),
        1 => Just(PortAssignment::Overloading),
    ];
    let refresh = prop_oneof![Just(Refresh::Outbound), Just(Refresh::Both)];
    let hairpinning = prop_oneof![
        Just(Hairpinning::None),
        Just(Hairpinning::ExternalSource),
        Just(Hairpinning::InternalSource),
    ];
    let lifetime = (50_u64..2_000).prop_map(Duration::from_millis);
    (
        (behavior(), behavior()),
        (ports, refresh, hairpinning),
        (lifetime, any::<bool>(), rarely()),
        rare_switches(),
    )
        .prop_map(|(behaviors, choices, others, rare)| NatConfig {
            mapping: behaviors.0,
            filtering: behaviors.1,
            ports: choices.0,
            refresh: choices.1,
            hairpinning: choices.2,
            udp_lifetime: others.0,
            reply_pinning: others.1,
            block_udp: others.2,
            ..rare
        })
}

/// `true` once in ten times.
fn rarely() -> impl Strategy<Value = bool> {
    prop_oneof![9 => Just(false), 1 => Just(true)]
}

/// A NAT of which only what other strategies do not set counts.
fn rare_switches() -> impl Strategy<Value = NatConfig> {
    use proptest::option::of;
    let scopes = (
        prop_oneof![
            Just(FilterScope::Mapping),
            Just(FilterScope::InternalEndpoint)
        ],
        prop_oneof![Just(TimerScope::Mapping), Just(TimerScope::Remote)],
        prop_oneof![Just(Pooling::Paired), Just(Pooling::Arbitrary)],
    );
    let ports = (any::<bool>(), of(1..10_u16), 0..500_u64);
    let limits = (
        of(1..6_u32),
        of(1..4_u32),
        prop_oneof![Just(WhenFull::Refuse), Just(WhenFull::Evict)],
    );
    let fragments = prop_oneof![
        Just(Fragments::OutOfOrder),
        Just(Fragments::InOrder),
        Just(Fragments::Drop),
    ];
    (scopes, ports, limits, fragments, rarely()).prop_map(
        |(scopes, ports, limits, fragments, only_tcp_443)| NatConfig {
            filter_scope: scopes.0,
            timer_scope: scopes.1,
            pooling: scopes.2,
            port_parity: ports.0,
            port_block: ports.1.and_then(NonZeroU16::new),
            port_rest: Duration::from_millis(ports.2),
            max_mappings: limits.0.and_then(NonZeroU32::new),
            max_mappings_per_host: limits.1.and_then(NonZeroU32::new),
            when_full: limits.2,
            fragments,
            only_tcp_443,
            ..nat::presets::FULL_CONE
        },
    )
}

/// Something that goes wrong; numbers are taken modulo what there is.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Reboot(usize),
    /// To a new address, counted up.
    Rebind(usize),
    RebindPorts(usize),
    Firewall(usize, bool, bool),
    /// A host to the network of a NAT, or to the internet, on a link of one delay in milliseconds.
    Roam(usize, usize, u64),
    Mtu(usize, u32),
    DontFragment(usize, bool),
    Outage(usize, bool),
}

fn fault() -> impl Strategy<Value = Fault> {
    let which = || 0..64_usize;
    prop_oneof![
        1 => which().prop_map(Fault::Reboot),
        1 => which().prop_map(Fault::Rebind),
        1 => which().prop_map(Fault::RebindPorts),
        1 => (which(), rarely(), rarely()).prop_map(|(nat, udp, all)| Fault::Firewall(nat, udp, all)),
        3 => (which(), which(), 0..50_u64).prop_map(|(host, to, delay)| Fault::Roam(host, to, delay)),
        3 => (which(), 68..1_501_u32).prop_map(|(host, mtu)| Fault::Mtu(host, mtu)),
        1 => (which(), any::<bool>()).prop_map(|(host, on)| Fault::DontFragment(host, on)),
        1 => (which(), any::<bool>()).prop_map(|(host, out)| Fault::Outage(host, out)),
    ]
}

fn target() -> impl Strategy<Value = Target> {
    let port = prop_oneof![4 => Just(PORT), 1 => PORT - 1..PORT + 3];
    prop_oneof![
        4 => (0..64_usize, port.clone()).prop_map(|(index, port)| Target::Host(index, port)),
        4 => (0..64_usize, port).prop_map(|(index, port)| Target::Gateway(index, port)),
        4 => Just(Target::Reply),
        1 => Just(Target::Itself),
        1 => Just(Target::Nowhere),
    ]
}

fn traffic() -> impl Strategy<Value = Send> {
    let gap = prop_oneof![4 => Just(0_u64), 1 => 0..300_000_u64].prop_map(Duration::from_micros);
    let fault = prop_oneof![4 => Just(None), 1 => fault().prop_map(Some)];
    let what = (0..64_usize, target(), 0..1_473_usize);
    (gap, what, fault).prop_map(|(gap, (from, to, bytes), fault)| Send {
        gap,
        from,
        to,
        bytes,
        fault,
    })
}

fn plan() -> impl Strategy<Value = Plan> {
    let gateways = vec((0..64_usize, gateway()), 0..5);
    let hosts = vec((0..64_usize, link(), cpu()), 1..8);
    let sends = vec(traffic(), 1..120);
    let shapes = vec(([changes(), changes()], flow()), 8);
    (any::<u64>(), gateways, hosts, shapes, sends, any::<bool>()).prop_map(
        |(seed, gateways, hosts, shapes, sends, icmp)| Plan {
            seed,
            gateways,
            hosts,
            shapes,
            sends,
            icmp,
        },
    )
}

/// A plan that came to life.
struct World {
    simulation: Simulation,
    gateways: Vec<(GatewayId, SocketAddrV4)>,
    hosts: Vec<HostId>,
    sockets: Vec<SocketId>,
    flows: Vec<FlowId>,
    /// Whoever sent to each host last.
    peers: Vec<Option<SocketAddrV4>>,
    journal: Journal,
    digest: Arc<Mutex<Digest>>,
}

impl World {
    fn new(mut simulation: Simulation, plan: &Plan) -> Self {
        let gateways = add_gateways(&mut simulation, plan);
        let ids: Vec<GatewayId> = gateways.iter().map(|(id, _)| *id).collect();
        let (mut hosts, mut sockets) = (Vec::new(), Vec::new());
        for (index, (behind, link, cpu)) in plan.hosts.iter().enumerate() {
            let (network, behind) = pick(&ids, *behind);
            let config = HostConfig {
                name: format!("host {index}"),
                address: [10, network as u8, 0, index as u8 + 1].into(),
                behind,
                link: *link,
                cpu: *cpu,
            };
            let host = simulation.add_host(config).unwrap();
            hosts.push(host);
            sockets.push(simulation.network(|network| network.bind_udp(host, PORT).unwrap()));
        }
        let mut flows = Vec::new();
        for (host, (changes, flow)) in hosts.iter().zip(&plan.shapes) {
            simulation.network(|network| {
                for (way, changes) in [Way::Up, Way::Down].into_iter().zip(changes) {
                    network.follow(*host, way, changes).unwrap();
                }
                let flow = flow.map(|(way, flow)| network.add_cross_flow(*host, way, flow));
                flows.extend(flow);
            });
        }
        let journal = Journal::default();
        let digest = Arc::new(Mutex::new(Digest::default()));
        simulation.network(|network| {
            network.add_tap(Box::new(journal.clone()));
            network.add_tap(Box::new(Arc::clone(&digest)));
            network.set_icmp(plan.icmp);
        });
        World {
            simulation,
            gateways,
            hosts,
            peers: vec![None; sockets.len()],
            sockets,
            flows,
            journal,
            digest,
        }
    }

    fn send(&mut self, send: &Send) {
        self.simulation.run_until(self.simulation.now() + send.gap);
        self.check();
        if let Some(fault) = send.fault {
            self.strike(fault);
            self.check();
        }
        let from = send.from % self.sockets.len();
        let socket = self.sockets[from];
        let destination = self.destination(send.to, from);
        let data = Bytes::from(vec![from as u8; send.bytes]);
        self.simulation.network(|network| {
            while let Some(datagram) = network.receive_udp(socket) {
                self.peers[from] = Some(datagram.source);
            }
            network.send_udp(socket, destination, data);
        });
        self.check();
    }

    fn destination(&self, target: Target, from: usize) -> SocketAddrV4 {
        let nowhere = endpoint([192, 0, 2, 1], PORT);
        let local = |socket| self.simulation.network(|network| network.local(socket));
        match target {
            Target::Host(index, port) => {
                let host = local(self.sockets[index % self.sockets.len()]);
                SocketAddrV4::new(*host.ip(), port)
            }
            Target::Gateway(index, port) if !self.gateways.is_empty() => {
                let (_, gateway) = self.gateways[index % self.gateways.len()];
                SocketAddrV4::new(*gateway.ip(), port)
            }
            Target::Reply => self.peers[from].unwrap_or(nowhere),
            Target::Itself => local(self.sockets[from]),
            Target::Gateway(..) | Target::Nowhere => nowhere,
        }
    }

    fn strike(&mut self, fault: Fault) {
        let host = |number: usize| self.hosts[number % self.hosts.len()];
        let place = |number: usize| number % self.gateways.len().max(1);
        let nat = |number: usize| self.gateways.get(place(number)).map(|(id, _)| *id);
        let moved = self.simulation.network(|network| match fault {
            Fault::Reboot(number) => {
                nat(number)
                    .into_iter()
                    .for_each(|id| network.reboot_gateway(id));
                None
            }
            Fault::Rebind(number) => {
                let (id, old) = *self.gateways.get(place(number))?;
                let next = Ipv4Addr::from_bits(old.ip().to_bits() + 100);
                let taken = network.rebind_gateway(id, next).is_err();
                (!taken).then_some((place(number), SocketAddrV4::new(next, 0)))
            }
            Fault::RebindPorts(number) => {
                nat(number)
                    .into_iter()
                    .for_each(|id| network.rebind_gateway_ports(id));
                None
            }
            Fault::Firewall(number, udp, all) => {
                nat(number)
                    .into_iter()
                    .for_each(|id| network.set_firewall(id, udp, all));
                None
            }
            Fault::Roam(number, to, delay) => {
                let delay = crate::fixture::delay(Duration::from_millis(delay));
                let roam = Roam {
                    address: network.address(host(number)),
                    behind: nat(to),
                    link: LinkConfig::symmetric(delay),
                };
                network.roam(host(number), roam).unwrap();
                None
            }
            Fault::Mtu(number, mtu) => {
                network.set_mtu(host(number), mtu);
                None
            }
            Fault::DontFragment(number, on) => {
                network.set_dont_fragment(host(number), on);
                None
            }
            Fault::Outage(number, out) => {
                network.set_outage(host(number), out);
                None
            }
        });
        if let Some((place, address)) = moved {
            self.gateways[place].1 = address;
        }
    }

    /// sent = delivered + dropped by reason + in flight, by the counters and by the journal.
    fn check(&self) {
        let entries = self.journal.entries();
        let ends = entries.iter().filter(|entry| entry.stage != Stage::Sent);
        let resting = ends.count() as u64;
        self.simulation.network(|network| {
            let counters = network.counters();
            assert_eq!(counters.unaccounted(), network.in_flight());
            let dropped: u64 = counters.dropped.values().sum();
            assert_eq!(counters.delivered + dropped, resting);
            let sent = entries.len() as u64 - resting;
            assert_eq!(counters.sent, sent);
            assert_eq!(sent, counters.delivered + dropped + network.in_flight());
        });
    }
}

/// The NAT of a number, or the internet, and the number of its network.
fn pick(gateways: &[GatewayId], number: usize) -> (usize, Option<GatewayId>) {
    let network = number % (gateways.len() + 1);
    (network, network.checked_sub(1).map(|index| gateways[index]))
}

fn add_gateways(simulation: &mut Simulation, plan: &Plan) -> Vec<(GatewayId, SocketAddrV4)> {
    let mut added: Vec<(GatewayId, SocketAddrV4)> = Vec::new();
    let mut shallow: Vec<GatewayId> = Vec::new();
    let mut depths: BTreeMap<GatewayId, usize> = BTreeMap::new();
    for (index, (behind, config)) in plan.gateways.iter().enumerate() {
        let (network, behind) = pick(&shallow, *behind);
        let external = endpoint([100, 64, network as u8, index as u8 + 1], 0);
        let second = Ipv4Addr::from_bits(external.ip().to_bits() + 50);
        let pool = [*external.ip(), second];
        // Every other one has two addresses.
        let id = simulation.network(|network| {
            let pool = &pool[..1 + index % 2];
            network
                .add_gateway_with_pool(*config, pool, behind)
                .unwrap()
        });
        let depth = 1 + behind.map_or(0, |behind| depths[&behind]);
        depths.insert(id, depth);
        if depth < MAX_DEPTH {
            shallow.push(id);
        }
        added.push((id, external));
    }
    added
}

/// What a run of a plan left behind.
#[derive(Clone, Debug, PartialEq)]
struct Outcome {
    entries: Vec<Entry>,
    digest: String,
}

fn run(plan: &Plan) -> Outcome {
    simulate(Seed(plan.seed), |simulation| {
        let mut world = World::new(simulation, plan);
        plan.sends.iter().for_each(|send| world.send(send));
        world.simulation.run_until(world.simulation.now() + REST);
        world.check();
        world.simulation.network(|network| {
            assert_eq!(network.in_flight(), 0);
            // Nothing stays in a CPU, either: what was handed over was sent, and beyond that only
            // errors are.
            let (sent, handed) = (network.counters().sent, plan.sends.len() as u64);
            assert!(sent == handed || plan.icmp && sent > handed);
            // And none of the parcels of cross traffic.
            for flow in &world.flows {
                let counters = network.cross_counters(*flow);
                assert!(counters.sent > 0);
                assert_eq!(counters.sent, counters.delivered + counters.dropped);
            }
        });
        let digest = world.digest.lock().unwrap().hex();
        Outcome {
            entries: world.journal.entries(),
            digest,
        }
    })
}

/// Every packet is sent once and then comes to rest once, not before.
fn check_lives(entries: &[Entry]) {
    let mut flying = BTreeMap::new();
    for entry in entries {
        match entry.stage {
            Stage::Sent => assert!(flying.insert(entry.id, entry.at).is_none()),
            _ => assert!(
                flying
                    .remove(&entry.id)
                    .is_some_and(|sent| sent <= entry.at)
            ),
        }
    }
    assert!(
        flying.is_empty(),
        "{flying:?} neither arrived nor were dropped"
    );
}

/// What can happen to a packet in these worlds, by name; a reason is missing only if the worlds
/// are too tame to test it.
const FATES: [&str; 22] = [
    "cpu-overload",
    "delivered",
    "downlink-buffer-full",
    "downlink-loss",
    "downlink-outage",
    "downlink-too-big",
    "link-left",
    "nat-filtered",
    "nat-fragmented",
    "nat-host-limit",
    "nat-no-hairpinning",
    "nat-no-mapping",
    "nat-ports-exhausted",
    "nat-table-full",
    "nat-udp-blocked",
    "no-route",
    "port-unreachable",
    "translated",
    "uplink-buffer-full",
    "uplink-loss",
    "uplink-outage",
    "uplink-too-big",
];

fn fates(entries: &[Entry]) -> BTreeSet<String> {
    let sources: BTreeMap<u64, SocketAddrV4> = entries
        .iter()
        .filter(|entry| entry.stage == Stage::Sent)
        .map(|entry| (entry.id, entry.source))
        .collect();
    let fate = |entry: &Entry| match entry.stage {
        Stage::Sent => None,
        Stage::Delivered(_) if sources[&entry.id] != entry.source => Some("translated".into()),
        Stage::Delivered(_) => Some("delivered".into()),
        Stage::Dropped(reason, _) => Some(reason.name()),
    };
    entries.iter().filter_map(fate).collect()
}

/// Checks worlds that this runner makes, and says what came of packets in them.
fn fates_in(mut runner: TestRunner) -> BTreeSet<String> {
    let seen = Mutex::new(BTreeSet::new());
    let result = runner.run(&plan(), |plan| {
        let outcome = run(&plan);
        check_lives(&outcome.entries);
        seen.lock().unwrap().extend(fates(&outcome.entries));
        prop_assert_eq!(run(&plan), outcome);
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
    seen.into_inner().unwrap()
}

/// In worlds that differ from run to run of the test, and in some that do not: those have all fates.
#[test]
fn sent_is_delivered_dropped_or_in_flight_in_any_world_and_a_seed_repeats_it() {
    let config = Config {
        cases: 200,
        failure_persistence: None,
        ..Config::default()
    };
    fates_in(TestRunner::new(config.clone()));
    let same = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let seen = fates_in(TestRunner::new_with_rng(config, same));
    let missing: Vec<_> = FATES.iter().filter(|fate| !seen.contains(**fate)).collect();
    assert!(missing.is_empty(), "no packet was ever {missing:?}");
}

/// A hundred packets each way between two hosts on this pipe.
fn exchange(seed: u64, pipe: PipeConfig) -> Plan {
    let link = LinkConfig {
        up: pipe,
        down: PipeConfig::default(),
    };
    let send = |index: usize| Send {
        gap: Duration::from_millis(1),
        from: index % 2,
        to: Target::Host(index % 2 + 1, PORT),
        bytes: 100,
        fault: None,
    };
    Plan {
        seed,
        gateways: Vec::new(),
        hosts: vec![(0, link, None); 2],
        shapes: Vec::new(),
        sends: (0..200).map(send).collect(),
        icmp: false,
    }
}

#[test]
fn another_seed_differs_exactly_where_there_is_randomness() {
    // 200 packets lost with probability 1/2: two seeds agree by chance in 1 of 2^200 cases.
    // Jitter of 5 ms in nanoseconds: less likely still. Without either, seeds make no difference.
    let lossy = PipeConfig {
        loss: LossConfig::Bernoulli { probability: 0.5 },
        ..PipeConfig::default()
    };
    let jittery = PipeConfig {
        jitter: JitterConfig {
            std: Duration::from_millis(5),
            reorder: Reorder::Allow,
        },
        ..PipeConfig::default()
    };
    let digest = |seed, pipe| run(&exchange(seed, pipe)).digest;
    for pipe in [lossy, jittery] {
        assert_eq!(digest(1, pipe), digest(1, pipe));
        assert_ne!(digest(1, pipe), digest(2, pipe));
    }
    let tame = PipeConfig::default();
    assert_eq!(digest(1, tame), digest(2, tame));
}

#[test]
fn a_digest_sees_times_fates_endpoints_and_contents() {
    // Four runs that differ in one thing each from the first: when, what, to whom, which bytes.
    let base = exchange(1, PipeConfig::default());
    let changed = |change: fn(&mut Send)| {
        let mut plan = base.clone();
        change(&mut plan.sends[7]);
        run(&plan).digest
    };
    let digests: BTreeSet<String> = [
        changed(|_| ()),
        changed(|send| send.gap += Duration::from_nanos(1)),
        changed(|send| send.to = Target::Nowhere),
        changed(|send| send.to = Target::Itself),
        changed(|send| send.bytes += 1),
    ]
    .into();
    assert_eq!(digests.len(), 5);
}
