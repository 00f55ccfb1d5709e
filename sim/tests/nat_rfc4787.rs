//! The NAT against an independent model.
//!
//! The model is written from the text of RFC 4787 alone. It remembers everything that happened and
//! searches that history for every packet; it has no tables, no keys and no expiry, and shares no
//! code with the implementation. Both see the same random packets, for every configuration.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::RangeInclusive;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sim::{
    Behavior, FilterScope, Hairpinning, Nat, NatConfig, NatDrop, Outbound, PortAssignment,
    Protocol, Refresh, Seed, Time, TimerScope, nat,
};

const EXTERNAL: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// Short, so that a handful of steps crosses it; the requirement itself is tested elsewhere.
const LIFETIME: Duration = Duration::from_nanos(1000);

/// A mapping that was made at some time, and what happened to it since.
struct Past {
    protocol: Protocol,
    internal: SocketAddrV4,
    made_for: SocketAddrV4,
    /// Unknown if it was drawn at random and no packet has shown it yet.
    port: Option<u16>,
    /// Where to, and when: the last time that this opened the filter.
    sent_to: Vec<(SocketAddrV4, Time)>,
    refreshed: Time,
}

/// A packet that was let in through the mapping of that number.
struct Accepted {
    protocol: Protocol,
    internal: SocketAddrV4,
    from: SocketAddrV4,
    through: usize,
}

struct Model {
    config: NatConfig,
    mappings: Vec<Past>,
    accepted: Vec<Accepted>,
}

impl Model {
    fn new(config: NatConfig) -> Self {
        Model {
            config,
            mappings: Vec::new(),
            accepted: Vec::new(),
        }
    }

    /// What should become of a packet from the inside. `shown` is the external port that the
    /// implementation showed, the only source for ports drawn at random.
    fn outbound(
        &mut self,
        now: Time,
        protocol: Protocol,
        from: SocketAddrV4,
        to: SocketAddrV4,
        shown: Option<u16>,
    ) -> Outbound {
        let to_itself = to.ip() == &EXTERNAL;
        // Section 6: without hairpinning, there is no way back in.
        if to_itself && self.config.hairpinning == Hairpinning::None {
            return Outbound::Drop(NatDrop::NoHairpinning);
        }
        let used = match self.mapping_in_use(now, protocol, from, to) {
            Some(number) => number,
            None => self.make(now, protocol, from, to, shown),
        };
        let mapping = &mut self.mappings[used];
        mapping.sent_to.push((to, now));
        // Section 4.3, REQ-6: outbound packets refresh.
        mapping.refreshed = now;
        mapping.port = mapping.port.or(shown);
        let port = mapping.port.unwrap_or(0);
        let source = SocketAddrV4::new(EXTERNAL, port);
        if !to_itself {
            return Outbound::Forward { source };
        }
        // REQ-9a: the packet goes on with the external endpoint of its sender.
        match self.inbound(now, protocol, source, to.port()) {
            Ok(destination) => Outbound::Hairpin {
                source,
                destination,
            },
            Err(reason) => Outbound::Drop(reason),
        }
    }

    /// Where a packet from the outside should go.
    fn inbound(
        &mut self,
        now: Time,
        protocol: Protocol,
        from: SocketAddrV4,
        port: u16,
    ) -> Result<SocketAddrV4, NatDrop> {
        let through = (0..self.mappings.len())
            .find(|&number| {
                self.lives(now, number)
                    && self.mappings[number].protocol == protocol
                    && self.mappings[number].port == Some(port)
            })
            .ok_or(NatDrop::NoMapping)?;
        // Section 5, "X:x has sent packets to ...": through this mapping, or through any.
        let let_in = match self.config.filter_scope {
            FilterScope::Mapping => self.opened(now, through, from),
            FilterScope::InternalEndpoint => {
                let past = &self.mappings[through];
                (0..self.mappings.len()).any(|number| {
                    let other = &self.mappings[number];
                    (other.protocol, other.internal) == (past.protocol, past.internal)
                        && self.lives(now, number)
                        && self.opened(now, number, from)
                })
            }
        };
        if !let_in {
            return Err(NatDrop::Filtered);
        }
        let own = self.opened(now, through, from);
        let mapping = &mut self.mappings[through];
        // REQ-6a: inbound packets may refresh; idle TCP is idle both ways (RFC 5382 REQ-5).
        if self.config.refresh == Refresh::Both || protocol == Protocol::Tcp {
            mapping.refreshed = now;
            if own {
                mapping.sent_to.push((from, now));
            }
        }
        let internal = mapping.internal;
        self.accepted.push(Accepted {
            protocol,
            internal,
            from,
            through,
        });
        Ok(internal)
    }

    /// Whether packets through a mapping have opened the filter for this remote, and not too long
    /// ago, where remotes have lifetimes of their own.
    fn opened(&self, now: Time, number: usize, from: SocketAddrV4) -> bool {
        let mapping = &self.mappings[number];
        let forgets =
            self.config.timer_scope == TimerScope::Remote && mapping.protocol == Protocol::Udp;
        mapping.sent_to.iter().any(|(to, at)| {
            let same = match self.config.filtering {
                Behavior::EndpointIndependent => true,
                Behavior::AddressDependent => to.ip() == from.ip(),
                Behavior::AddressAndPortDependent => to == &from,
            };
            same && !(forgets && now.saturating_since(*at) >= LIFETIME)
        })
    }

    /// Sections 4.1 and 4.3: the mapping that is reused, "while the mapping is still active".
    fn mapping_in_use(
        &self,
        now: Time,
        protocol: Protocol,
        from: SocketAddrV4,
        to: SocketAddrV4,
    ) -> Option<usize> {
        let last_reply = self.accepted.iter().rev().find(|packet| {
            packet.protocol == protocol && packet.internal == from && packet.from == to
        });
        if let Some(packet) = last_reply
            && self.config.reply_pinning
            && self.lives(now, packet.through)
        {
            return Some(packet.through);
        }
        (0..self.mappings.len()).find(|&number| {
            let mapping = &self.mappings[number];
            let same_remote = match self.config.mapping {
                Behavior::EndpointIndependent => true,
                Behavior::AddressDependent => mapping.made_for.ip() == to.ip(),
                Behavior::AddressAndPortDependent => mapping.made_for == to,
            };
            mapping.protocol == protocol
                && mapping.internal == from
                && same_remote
                && self.lives(now, number)
        })
    }

    fn make(
        &mut self,
        now: Time,
        protocol: Protocol,
        from: SocketAddrV4,
        to: SocketAddrV4,
        shown: Option<u16>,
    ) -> usize {
        let port = self.port_for(now, protocol, from.port(), shown);
        self.mappings.push(Past {
            protocol,
            internal: from,
            made_for: to,
            port,
            sent_to: Vec::new(),
            refreshed: now,
        });
        self.mappings.len() - 1
    }

    /// Section 4.2: a free port, and in the range of the internal one where ports are preserved
    /// (REQ-3a).
    fn port_for(
        &self,
        now: Time,
        protocol: Protocol,
        internal: u16,
        shown: Option<u16>,
    ) -> Option<u16> {
        let last = self
            .mappings
            .iter()
            .rev()
            .find(|past| past.protocol == protocol);
        match self.config.ports {
            PortAssignment::Preserving if internal < 1024 => {
                self.free_from(now, protocol, 1..=1023, internal)
            }
            PortAssignment::Preserving => self.free_from(now, protocol, 1024..=65_535, internal),
            PortAssignment::Sequential => {
                let after = last
                    .and_then(|past| past.port?.checked_add(1))
                    .unwrap_or(1024);
                self.free_from(now, protocol, 1024..=65_535, after)
            }
            PortAssignment::Overloading => Some(internal),
            PortAssignment::Random => {
                shown.filter(|&port| port >= 1024 && self.is_free(now, protocol, port))
            }
        }
    }

    fn free_from(
        &self,
        now: Time,
        protocol: Protocol,
        range: RangeInclusive<u16>,
        start: u16,
    ) -> Option<u16> {
        let above = range.clone().filter(|&port| port >= start);
        let below = range.filter(|&port| port < start);
        above
            .chain(below)
            .find(|&port| self.is_free(now, protocol, port))
    }

    fn is_free(&self, now: Time, protocol: Protocol, port: u16) -> bool {
        !(0..self.mappings.len()).any(|number| {
            let mapping = &self.mappings[number];
            mapping.protocol == protocol && mapping.port == Some(port) && self.lives(now, number)
        })
    }

    /// REQ-5: a mapping lives for the lifetime from its last refresh. Dead mappings stay dead: no
    /// packet passes them any more.
    fn lives(&self, now: Time, number: usize) -> bool {
        let mapping = &self.mappings[number];
        let lifetime = match mapping.protocol {
            Protocol::Udp => self.config.udp_lifetime,
            Protocol::Tcp => Duration::from_secs(7440),
        };
        now.saturating_since(mapping.refreshed) < lifetime
    }
}

/// Something that happens to the NAT.
#[derive(Clone, Debug)]
enum Event {
    Advance(u64),
    Out {
        protocol: Protocol,
        from: SocketAddrV4,
        to: Remote,
    },
    In {
        protocol: Protocol,
        from: Remote,
        to: Port,
    },
    Reboot,
}

/// A remote endpoint.
#[derive(Clone, Debug)]
enum Remote {
    Outside(SocketAddrV4),
    /// An external endpoint of the NAT itself.
    Mapped(Port),
}

/// A port on the external address.
#[derive(Clone, Debug)]
enum Port {
    /// One that has been seen in use, if there is one.
    Seen(Index),
    Any(u16),
}

fn endpoint(address: [u8; 4], port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::from(address), port)
}

/// Few hosts with colliding ports, the lowest and highest port of each range among them.
fn internals() -> impl Strategy<Value = SocketAddrV4> {
    let ports = prop_oneof![4 => Just(5000), 2 => Just(5001), 1 => Just(80), 1 => Just(65_535)];
    (1..=2u8, ports).prop_map(|(host, port)| endpoint([10, 0, 0, host], port))
}

/// Two addresses with two ports each are enough to tell every behaviour from every other.
fn outsiders() -> impl Strategy<Value = SocketAddrV4> {
    (1..=2u8, 3478..=3479u16).prop_map(|(host, port)| endpoint([203, 0, 113, host], port))
}

fn ports() -> impl Strategy<Value = Port> {
    prop_oneof![
        12 => any::<Index>().prop_map(Port::Seen),
        1 => (5000..5004u16).prop_map(Port::Any),
    ]
}

fn remotes() -> impl Strategy<Value = Remote> {
    prop_oneof![
        4 => outsiders().prop_map(Remote::Outside),
        1 => ports().prop_map(Remote::Mapped),
    ]
}

fn protocols() -> impl Strategy<Value = Protocol> {
    prop_oneof![5 => Just(Protocol::Udp), 1 => Just(Protocol::Tcp)]
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    // Steps that add up to one lifetime exactly, and to one nanosecond less and more.
    let steps = prop::sample::select(vec![0, 1, 300, 499, 500, 999, 1000, 1001]);
    let event = prop_oneof![
        24 => (protocols(), internals(), remotes())
            .prop_map(|(protocol, from, to)| Event::Out { protocol, from, to }),
        24 => (protocols(), remotes(), ports())
            .prop_map(|(protocol, from, to)| Event::In { protocol, from, to }),
        12 => steps.prop_map(Event::Advance),
        1 => Just(Event::Reboot),
    ];
    prop::collection::vec(event, 1..100)
}

/// The implementation and the model, side by side.
struct Pair {
    nat: Nat,
    model: Model,
    now: Time,
    seen: Vec<u16>,
}

impl Pair {
    fn new(config: NatConfig) -> Self {
        let nat = Nat::new(config, EXTERNAL, Seed(7).stream("nat"));
        Pair {
            nat,
            model: Model::new(config),
            now: Time::ZERO,
            seen: Vec::new(),
        }
    }

    fn step(&mut self, event: &Event) -> Result<(), TestCaseError> {
        match event {
            Event::Advance(nanos) => self.now += Duration::from_nanos(*nanos),
            Event::Reboot => {
                self.nat.reboot();
                self.model = Model::new(self.model.config);
            }
            Event::Out { protocol, from, to } => {
                let to = self.remote(to);
                let actual = self.nat.outbound(self.now, *protocol, *from, to);
                let shown = match actual {
                    Outbound::Forward { source } | Outbound::Hairpin { source, .. } => {
                        Some(source.port())
                    }
                    Outbound::Drop(_) => None,
                };
                self.seen.extend(shown);
                let expected = self.model.outbound(self.now, *protocol, *from, to, shown);
                prop_assert_eq!(actual, expected, "{} -> {} at {}", from, to, self.now);
            }
            Event::In { protocol, from, to } => {
                let from = self.remote(from);
                let port = self.port(to);
                let to = SocketAddrV4::new(EXTERNAL, port);
                let actual = self.nat.inbound(self.now, *protocol, from, to);
                let expected = self.model.inbound(self.now, *protocol, from, port);
                prop_assert_eq!(actual, expected, "{} -> {} at {}", from, to, self.now);
            }
        }
        Ok(())
    }

    fn remote(&self, remote: &Remote) -> SocketAddrV4 {
        match remote {
            Remote::Outside(endpoint) => *endpoint,
            Remote::Mapped(port) => SocketAddrV4::new(EXTERNAL, self.port(port)),
        }
    }

    fn port(&self, port: &Port) -> u16 {
        match port {
            Port::Seen(index) if !self.seen.is_empty() => *index.get(&self.seen),
            Port::Seen(_) => 5000,
            Port::Any(port) => *port,
        }
    }
}

/// Every combination of mapping, filtering, port assignment (overloading apart), refresh,
/// hairpinning and reply pinning, 9 x 3 x 2 x 2 x 2 = 216, with every scope of filters and timers,
/// 216 x 2 x 2 = 864.
fn configurations() -> Vec<NatConfig> {
    use Behavior::{AddressAndPortDependent, AddressDependent, EndpointIndependent};
    let behaviors = [
        EndpointIndependent,
        AddressDependent,
        AddressAndPortDependent,
    ];
    let ports = [
        PortAssignment::Preserving,
        PortAssignment::Sequential,
        PortAssignment::Random,
    ];
    let mut all = Vec::new();
    for (mapping, filtering) in behaviors.iter().flat_map(|m| behaviors.map(|f| (*m, f))) {
        for (ports, refresh) in ports
            .iter()
            .flat_map(|p| [Refresh::Outbound, Refresh::Both].map(|r| (*p, r)))
        {
            for (hairpinning, reply_pinning) in [Hairpinning::None, Hairpinning::ExternalSource]
                .iter()
                .flat_map(|h| [false, true].map(|pinning| (*h, pinning)))
            {
                let scopes = [
                    (FilterScope::Mapping, TimerScope::Mapping),
                    (FilterScope::Mapping, TimerScope::Remote),
                    (FilterScope::InternalEndpoint, TimerScope::Mapping),
                    (FilterScope::InternalEndpoint, TimerScope::Remote),
                ];
                all.extend(scopes.map(|(filter_scope, timer_scope)| NatConfig {
                    filter_scope,
                    timer_scope,
                    mapping,
                    filtering,
                    ports,
                    udp_lifetime: LIFETIME,
                    refresh,
                    hairpinning,
                    reply_pinning,
                    ..nat::presets::FULL_CONE
                }));
            }
        }
    }
    all
}

#[test]
fn agrees_with_the_text_of_rfc_4787() {
    let configurations = configurations();
    assert_eq!(configurations.len(), 864);
    for (number, config) in configurations.into_iter().enumerate() {
        // A fixed seed for each configuration: a failure is one for everybody.
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
        let cases = Config {
            cases: 24,
            failure_persistence: None,
            ..Config::default()
        };
        TestRunner::new_with_rng(cases, rng)
            .run(&events(), |events| {
                let mut pair = Pair::new(config);
                events.iter().try_for_each(|event| pair.step(event))
            })
            .unwrap_or_else(|failure| panic!("{config:#?}\n{failure}"));
    }
}
