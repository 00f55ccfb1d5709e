//! NATs as real STUN sees them, from a prober that knows RFC 4787 and RFC 5780 alone.

use std::collections::BTreeSet;
use std::net::SocketAddrV4;
use std::num::NonZeroU16;
use std::time::Duration;

use sim::{
    Behavior, FilterScope, GatewayId, Hairpinning, LinkConfig, NatConfig, Pooling, PortAssignment,
    Refresh, Seed, SimRuntime, Simulation, Time, TimerScope, nat::presets, simulate,
};

use crate::fixture::{BEHAVIORS, delay, endpoint, host, host_on, nat, spawn};
use crate::stun::{Client, Dependence, Prober, serve};

/// From the server's hosts to the internet and back. Nothing else delays packets, so a round trip
/// is 20 ms, and a packet of the prober reaches its NATs when it is sent.
const DELAY: Duration = Duration::from_millis(10);
const ROUND_TRIP: Duration = Duration::from_millis(20);
const LIFETIME: Duration = Duration::from_secs(60);
const LONG: Time = Time::from_millis(100_000_000);

fn found(behavior: Behavior) -> Dependence {
    match behavior {
        Behavior::EndpointIndependent => Dependence::Nothing,
        Behavior::AddressDependent => Dependence::Address,
        Behavior::AddressAndPortDependent => Dependence::AddressAndPort,
    }
}

/// A server on the internet, and NATs in a row, the innermost first.
struct Lab {
    world: Simulation,
    server: SocketAddrV4,
    innermost: Option<GatewayId>,
}

impl Lab {
    fn new(mut world: Simulation, chain: &[NatConfig]) -> Self {
        let link = LinkConfig {
            up: delay(DELAY),
            down: delay(DELAY),
        };
        let servers = [1, 2].map(|last| {
            let name = format!("stun {last}");
            let id = world.add_host(host_on(&name, [198, 51, 100, last], link));
            world.runtime(id.unwrap())
        });
        let mut innermost = None;
        for (depth, config) in chain.iter().rev().enumerate() {
            let external = match depth {
                0 => [203, 0, 113, 1],
                depth => [100, 64, 0, depth as u8],
            };
            let gateway = world.add_gateway(*config, external.into(), innermost);
            innermost = Some(gateway.unwrap());
        }
        Lab {
            world,
            server: serve(servers),
            innermost,
        }
    }

    /// Another host behind all the NATs, at 10.0.0.`last`.
    fn inside(&mut self, last: u8) -> SimRuntime {
        let config = host(&format!("inside {last}"), [10, 0, 0, last], self.innermost);
        let id = self.world.add_host(config).unwrap();
        self.world.runtime(id)
    }
}

/// Runs a probe from behind these NATs to its end.
fn probe<T, F>(chain: &[NatConfig], test: impl FnOnce(Prober) -> F + Send) -> T
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    simulate(Seed(7), |world| {
        let mut lab = Lab::new(world, chain);
        let runtime = lab.inside(2);
        let server = lab.server;
        let result = spawn(&runtime.clone(), test(Prober { runtime, server }));
        lab.world.run_until(LONG);
        result.try_recv().expect("the probe ends in time")
    })
}

async fn classify(prober: Prober) -> Option<(Dependence, Dependence)> {
    Some((prober.mapping().await?, prober.filtering().await?))
}

fn all_nats() -> impl Iterator<Item = NatConfig> {
    BEHAVIORS
        .into_iter()
        .flat_map(|mapping| BEHAVIORS.map(|filtering| nat(mapping, filtering)))
}

#[test]
fn a_prober_finds_the_mapping_and_filtering_of_all_nine_nats() {
    // RFC 5780 sections 4.3 and 4.4, whatever the port assignment (RFC 4787 section 4.2).
    let assignments = [
        PortAssignment::Preserving,
        PortAssignment::Sequential,
        PortAssignment::Random,
    ];
    for config in all_nats() {
        let expected = (found(config.mapping), found(config.filtering));
        for ports in assignments {
            let config = NatConfig { ports, ..config };
            assert_eq!(probe(&[config], classify), Some(expected), "{config:?}");
        }
    }
}

#[test]
fn two_nats_in_a_row_look_like_the_stricter_of_each_behaviour() {
    // An answer comes in only through both filters, so the finer filter shows. A mapping that is
    // the same for two remotes at both NATs is the same outside; one that differs at the inner
    // NAT comes to the outer one from different internal endpoints, and differs there too: the
    // finer mapping shows. 81 pairs.
    for inner in all_nats() {
        for outer in all_nats() {
            let expected = (
                found(inner.mapping).max(found(outer.mapping)),
                found(inner.filtering).max(found(outer.filtering)),
            );
            let seen = probe(&[inner, outer], classify);
            assert_eq!(seen, Some(expected), "{inner:?} behind {outer:?}");
        }
    }
}

#[test]
fn translation_happens_once_at_each_nat() {
    // The server sees the address of the outermost NAT; without a NAT it sees the host's own.
    let open = nat(Behavior::EndpointIndependent, Behavior::EndpointIndependent);
    for (depth, address) in [[10, 0, 0, 2], [203, 0, 113, 1], [203, 0, 113, 1]]
        .into_iter()
        .enumerate()
    {
        let chain = vec![open; depth];
        let (local, mapped) = probe(&chain, |prober| async move {
            let client = prober.client();
            let answer = client.ask(prober.server).await.unwrap();
            assert_eq!(answer.from, prober.server);
            (client.socket.endpoint(), answer.mapped)
        });
        assert_eq!(local, endpoint([10, 0, 0, 2], local.port()));
        assert_eq!(
            mapped,
            endpoint(address, local.port()),
            "ports are preserved"
        );
    }
}

#[test]
fn a_nat_that_blocks_udp_lets_nothing_through() {
    let open = nat(Behavior::EndpointIndependent, Behavior::EndpointIndependent);
    let blocked = NatConfig {
        block_udp: true,
        ..open
    };
    assert_eq!(probe(&[blocked], classify), None);
    assert_eq!(probe(&[open, blocked], classify), None);
}

#[test]
fn hairpinning_shows_the_external_source_or_nothing() {
    // RFC 4787 REQ-9a: the packet comes back with the sender's external endpoint as its source.
    // That is not its internal one, as the addresses differ.
    let open = nat(Behavior::EndpointIndependent, Behavior::EndpointIndependent);
    let (source, external) =
        probe(&[open], |prober| async move { prober.hairpin().await }).expect("the NAT hairpins");
    assert_eq!(source, external);
    assert_eq!(external.ip().octets(), [203, 0, 113, 1]);
    let without = NatConfig {
        hairpinning: Hairpinning::None,
        ..open
    };
    assert_eq!(
        probe(&[without], |prober| async move { prober.hairpin().await }),
        None
    );
}

#[test]
fn carrier_grade_hairpinning_happens_at_the_outer_nat() {
    // RFC 4787 section 6 with two NATs in a row: what is sent to the outer NAT's external address
    // turns round there, whether or not the inner NAT hairpins, and not if the outer does not.
    let open = nat(Behavior::EndpointIndependent, Behavior::EndpointIndependent);
    let closed = NatConfig {
        hairpinning: Hairpinning::None,
        ..open
    };
    for inner in [open, closed] {
        let chain = [inner, open];
        let seen = probe(&chain, |prober| async move { prober.hairpin().await });
        let (source, external) = seen.expect("the outer NAT hairpins");
        assert_eq!(source, external);
        assert_eq!(external.ip().octets(), [203, 0, 113, 1]);
        let chain = [inner, closed];
        assert_eq!(
            probe(&chain, |prober| async move { prober.hairpin().await }),
            None
        );
    }
}

#[test]
fn a_hairpinned_packet_passes_the_filter_of_its_destination() {
    // With a filter that depends on the remote endpoint, nothing comes back to a socket that has
    // not sent to the sender's external endpoint; once it has, it does.
    let strict = nat(
        Behavior::EndpointIndependent,
        Behavior::AddressAndPortDependent,
    );
    let heard = probe(&[strict], |prober| async move {
        let (left, right) = (prober.client(), prober.client());
        let left_external = left.ask(prober.server).await.unwrap().mapped;
        let right_external = right.ask(prober.server).await.unwrap().mapped;
        // Each asks the other: a request is a STUN message like any other to hear.
        right.ask_for_port(left_external, 9).await;
        let closed = left.hear().await;
        left.ask_for_port(right_external, 9).await;
        let opened = right.hear().await;
        right.ask_for_port(left_external, 9).await;
        let both = left.hear().await;
        assert_eq!(opened, Some(left_external));
        (closed, both == Some(right_external))
    });
    assert_eq!(heard, (None, true));
}

#[test]
fn a_prober_finds_the_lifetime_to_the_nanosecond() {
    // RFC 4787 section 4.3. A mapping dies at the instant at which it has been idle for its
    // lifetime: bisection in milliseconds finds the lifetime itself as the shortest fatal idle
    // time, and one nanosecond less is not fatal. Where inbound packets refresh too, the answer
    // to the first request does, one round trip later.
    for seconds in [30, 120, 300] {
        for (refresh, late) in [
            (Refresh::Outbound, Duration::ZERO),
            (Refresh::Both, ROUND_TRIP),
        ] {
            let config = NatConfig {
                udp_lifetime: Duration::from_secs(seconds),
                refresh,
                ..nat(Behavior::EndpointIndependent, Behavior::EndpointIndependent)
            };
            let fatal = Duration::from_secs(seconds) + late;
            let seen = probe(&[config], move |prober| async move {
                (
                    prober.lifetime(1_000, 1_000_000).await,
                    prober.lives(fatal - Duration::from_nanos(1)).await,
                    prober.lives(fatal).await,
                )
            });
            assert_eq!(seen, (fatal, true, false));
        }
    }
}

#[test]
fn outbound_packets_keep_a_mapping_alive() {
    // RFC 4787 REQ-6. Five requests 3/4 of a lifetime apart: the mapping made by the first one is
    // still in use after 3 lifetimes. Then silence for 5/4 of a lifetime: a sequential NAT gives
    // the next port to the next mapping.
    let config = NatConfig {
        ports: PortAssignment::Sequential,
        udp_lifetime: LIFETIME,
        ..nat(Behavior::EndpointIndependent, Behavior::EndpointIndependent)
    };
    let ports = probe(&[config], |prober| async move {
        let client = prober.client();
        let mut ports = Vec::new();
        for request in [0, 3, 6, 9, 12, 17] {
            prober
                .sleep_until(Time::ZERO + LIFETIME * request / 4)
                .await;
            ports.push(client.ask(prober.server).await.unwrap().mapped.port());
        }
        ports
    });
    let first = ports[0];
    assert_eq!(ports, [first, first, first, first, first, first + 1]);
}

#[test]
fn inbound_packets_keep_a_mapping_alive_only_where_they_refresh() {
    // RFC 4787 REQ-6: inbound refresh is optional. The server sends to the mapping after 1/2 and
    // again after 5/4 of its lifetime; the second one gets in only if the first one refreshed.
    for (refresh, survives) in [(Refresh::Outbound, false), (Refresh::Both, true)] {
        let config = NatConfig {
            udp_lifetime: LIFETIME,
            refresh,
            ..nat(Behavior::EndpointIndependent, Behavior::EndpointIndependent)
        };
        let heard = probe(&[config], |prober| async move {
            let (subject, helper) = (prober.client(), prober.client());
            let port = subject.ask(prober.server).await.unwrap().mapped.port();
            prober.sleep_until(Time::ZERO + LIFETIME / 2).await;
            helper.ask_for_port(prober.server, port).await;
            let first = subject.hear().await;
            prober.sleep_until(Time::ZERO + LIFETIME * 5 / 4).await;
            helper.ask_for_port(prober.server, port).await;
            (first == Some(prober.server), subject.hear().await.is_some())
        });
        assert_eq!(heard, (true, survives), "{refresh:?}");
    }
}

#[test]
fn hosts_behind_one_nat_talk_by_private_address_without_it() {
    // The NAT blocks UDP, so whatever arrives did not cross it, and shows the private source.
    let wall = NatConfig {
        block_udp: true,
        ..nat(Behavior::EndpointIndependent, Behavior::EndpointIndependent)
    };
    simulate(Seed(1), |world| {
        let mut lab = Lab::new(world, &[wall]);
        let (left, right) = (lab.inside(2), lab.inside(3));
        let listener = Client::new(&right);
        let target = listener.socket.endpoint();
        let sender = Client::new(&left);
        let source = sender.socket.endpoint();
        assert_eq!(source.ip().octets(), [10, 0, 0, 2]);
        let heard = spawn(&right, async move { listener.hear().await });
        spawn(&left, async move { sender.ask_for_port(target, 9).await });
        lab.world.run_until(LONG);
        assert_eq!(heard.try_recv(), Ok(Some(source)));
        let counters = lab.world.network(|network| network.counters().clone());
        assert_eq!((counters.sent, counters.delivered), (1, 1));
    });
}

#[test]
fn hosts_behind_one_nat_have_mappings_of_their_own() {
    // Both use the same port, so the second one's external port is the next (RFC 4787 REQ-3: a
    // NAT must not overload ports), and each is answered through its own.
    let open = nat(Behavior::EndpointIndependent, Behavior::EndpointIndependent);
    simulate(Seed(1), |world| {
        let mut lab = Lab::new(world, &[open]);
        let server = lab.server;
        let answers = [2, 3].map(|last| {
            let runtime = lab.inside(last);
            let client = Client::new(&runtime);
            spawn(&runtime, async move {
                let answer = client.ask(server).await.unwrap();
                (client.socket.endpoint(), answer.mapped)
            })
        });
        lab.world.run_until(LONG);
        let [left, right] = answers.map(|answer| answer.try_recv().unwrap());
        assert_eq!(left.0.port(), right.0.port());
        assert_eq!(left.1, endpoint([203, 0, 113, 1], left.0.port()));
        assert_eq!(right.1, endpoint([203, 0, 113, 1], left.0.port() + 1));
    });
}

#[test]
fn nats_of_one_address_behind_different_nats_draw_ports_of_their_own() {
    // Two homes have the address 100.64.0.9, each behind a carrier's NAT of its own that keeps
    // ports. Their random ports are independent: of 64,512 ports both draw the same by chance in
    // 1 of 64,512 cases, and three times in a row in 1 of 2.7e14.
    let open = nat(Behavior::EndpointIndependent, Behavior::EndpointIndependent);
    let random = NatConfig {
        ports: PortAssignment::Random,
        ..nat(
            Behavior::AddressAndPortDependent,
            Behavior::EndpointIndependent,
        )
    };
    simulate(Seed(1), |world| {
        let mut lab = Lab::new(world, &[]);
        let server = lab.server;
        let ports = [1, 2].map(|home| {
            let external = [203, 0, 113, home].into();
            let carrier = lab.world.add_gateway(open, external, None).unwrap();
            let own = [100, 64, 0, 9].into();
            lab.innermost = Some(lab.world.add_gateway(random, own, Some(carrier)).unwrap());
            let runtime = lab.inside(home);
            spawn(&runtime.clone(), async move {
                let mut ports = Vec::new();
                for _ in 0..3 {
                    let answer = Client::new(&runtime).ask(server).await.unwrap();
                    ports.push(answer.mapped.port());
                }
                ports
            })
        });
        lab.world.run_until(LONG);
        let [one, two] = ports.map(|ports| ports.try_recv().unwrap());
        assert_ne!(one, two);
    });
}

#[test]
fn a_rebooted_nat_has_forgotten_its_mappings() {
    // Endpoint-independent mapping: one external port for all, until the power goes. The port
    // drawn next is another one of 64,512 (or the same by chance, which this seed does not show),
    // what is sent to it comes in (endpoint-independent filtering), and the old one leads nowhere.
    let config = NatConfig {
        ports: PortAssignment::Random,
        ..nat(Behavior::EndpointIndependent, Behavior::EndpointIndependent)
    };
    simulate(Seed(1), |world| {
        let mut lab = Lab::new(world, &[config]);
        let (server, gateway) = (lab.server, lab.innermost.unwrap());
        let runtime = lab.inside(2);
        let reboot_at = Time::from_millis(1_000);
        let result = spawn(&runtime.clone(), async move {
            let client = Client::new(&runtime);
            let prober = Prober { runtime, server };
            let port = async || client.ask(server).await.unwrap().mapped.port();
            let before = [port().await, port().await];
            prober.sleep_until(reboot_at).await;
            let after = port().await;
            client.ask_for_port(server, after).await;
            let through_new = client.hear().await.is_some();
            client.ask_for_port(server, before[0]).await;
            let through_old = client.hear().await.is_some();
            (before, after, through_new, through_old)
        });
        lab.world.run_until(Time::from_millis(999));
        lab.world.network(|network| network.reboot_gateway(gateway));
        lab.world.run_until(LONG);
        let (before, after, through_new, through_old) = result.try_recv().unwrap();
        assert_eq!(before[0], before[1]);
        assert_ne!(before[0], after);
        assert!(through_new && !through_old);
    });
}

/// What a prober is to find behind a preset.
struct Expected {
    preset: &'static str,
    behavior: Option<(Dependence, Dependence)>,
    hairpins: bool,
    /// After how many seconds without a packet a mapping is gone; and a round trip later if inbound
    /// packets refresh, as the answer to the first request does.
    lifetime: Option<(u64, Duration)>,
}

#[test]
fn a_prober_finds_what_every_preset_promises() {
    use Dependence::{Address, AddressAndPort, Nothing};
    // From the definitions of RFC 3489 section 5 and the documentation of the presets.
    let expected = [
        ("none", Some((Nothing, Nothing)), true, None),
        (
            "full-cone",
            Some((Nothing, Nothing)),
            true,
            Some((300, Duration::ZERO)),
        ),
        (
            "address-restricted",
            Some((Nothing, Address)),
            true,
            Some((300, Duration::ZERO)),
        ),
        (
            "port-restricted",
            Some((Nothing, AddressAndPort)),
            false,
            Some((120, ROUND_TRIP)),
        ),
        (
            "symmetric",
            Some((AddressAndPort, AddressAndPort)),
            false,
            Some((120, Duration::ZERO)),
        ),
        // The home's NAT is the stricter one and forgets sooner; the carrier's hairpins.
        (
            "carrier-grade",
            Some((Nothing, AddressAndPort)),
            true,
            Some((120, ROUND_TRIP)),
        ),
        ("udp-blocked", None, false, None),
        ("only-tcp-443", None, false, None),
    ];
    assert_eq!(expected.map(|(preset, ..)| preset), presets::PRESETS);
    for (preset, behavior, hairpins, lifetime) in expected {
        let expected = Expected {
            preset,
            behavior,
            hairpins,
            lifetime,
        };
        check_preset(&expected);
    }
}

fn check_preset(expected: &Expected) {
    let name = expected.preset;
    let chain = presets::preset(name).unwrap();
    assert_eq!(probe(&chain, classify), expected.behavior, "{name}");
    let hairpin = probe(
        &chain,
        |prober| async move { prober.hairpin_punched().await },
    );
    assert_eq!(hairpin.is_some(), expected.hairpins, "{name}");
    assert!(
        hairpin.is_none_or(|(source, external)| source == external),
        "{name}"
    );
    if let Some((seconds, late)) = expected.lifetime {
        let found = probe(&chain, |prober| async move {
            prober.lifetime(1_000, 1_000_000).await
        });
        assert_eq!(found, Duration::from_secs(seconds) + late, "{name}");
    }
}

#[test]
fn a_prober_finds_hairpinning_and_lifetime_of_all_nine_nats() {
    // Both have nothing to do with mapping and filtering. With dependent mapping, an external
    // endpoint that the server was told is not the one that a neighbour is answered from, so that
    // only an open filter lets the neighbour in: RFC 4787 section 6 leaves that to the filter.
    for (number, config) in all_nats().enumerate() {
        let seconds = 30 + number as u64;
        let config = NatConfig {
            udp_lifetime: Duration::from_secs(seconds),
            ..config
        };
        let punched = config.mapping == Behavior::EndpointIndependent
            || config.filtering == Behavior::EndpointIndependent;
        let hairpin = probe(
            &[config],
            |prober| async move { prober.hairpin_punched().await },
        );
        assert_eq!(hairpin.is_some(), punched, "{config:?}");
        let found = probe(&[config], |prober| async move {
            prober.lifetime(1_000, 100_000).await
        });
        assert_eq!(found, Duration::from_secs(seconds), "{config:?}");
    }
}

#[test]
fn a_prober_finds_hairpinning_with_the_internal_source() {
    // RFC 4787 REQ-9a names it as what must not be.
    let config = NatConfig {
        hairpinning: Hairpinning::InternalSource,
        ..nat(Behavior::EndpointIndependent, Behavior::EndpointIndependent)
    };
    let (source, external) =
        probe(&[config], |prober| async move { prober.hairpin().await }).expect("it hairpins");
    assert_eq!(source.ip().octets(), [10, 0, 0, 2]);
    assert_eq!(external.ip().octets(), [203, 0, 113, 1]);
}

#[test]
fn a_prober_finds_what_the_filter_goes_by() {
    // RFC 4787 section 5, with a mapping for each remote: the socket has sent to the other address,
    // through another mapping than the one that the answer comes to.
    let strict = nat(
        Behavior::AddressAndPortDependent,
        Behavior::AddressAndPortDependent,
    );
    for (filter_scope, known) in [
        (FilterScope::Mapping, false),
        (FilterScope::InternalEndpoint, true),
    ] {
        let config = NatConfig {
            filter_scope,
            ..strict
        };
        let found = probe(&[config], |prober| async move {
            prober.filter_knows_the_endpoint().await
        });
        assert_eq!(found, known, "{filter_scope:?}");
    }
}

#[test]
fn a_prober_finds_whether_remotes_have_lifetimes_of_their_own() {
    // A filter that goes by address, and a socket that keeps its mapping alive by asking the
    // other address every half lifetime: is the first one still let in after two lifetimes?
    for (timer_scope, open) in [(TimerScope::Mapping, true), (TimerScope::Remote, false)] {
        let config = NatConfig {
            timer_scope,
            ..nat(Behavior::EndpointIndependent, Behavior::AddressDependent)
        };
        let heard = probe(&[config], |prober| async move {
            let (subject, helper) = (prober.client(), prober.client());
            let first = subject.ask(prober.server).await.unwrap();
            for half in 1..=4 {
                prober.sleep_until(Time::ZERO + LIFETIME * half / 2).await;
                let again = subject.ask(first.other).await.unwrap();
                assert_eq!(again.mapped, first.mapped);
            }
            helper
                .ask_for_port(prober.server, first.mapped.port())
                .await;
            subject.hear().await.is_some()
        });
        assert_eq!(heard, open, "{timer_scope:?}");
    }
}

/// The external endpoints of eight sockets each of two hosts behind a NAT with two addresses. Their
/// local ports are the same in the same places.
fn mapped(config: NatConfig) -> [Vec<SocketAddrV4>; 2] {
    simulate(Seed(1), |world| {
        let mut lab = Lab::new(world, &[]);
        let pool = [1, 2].map(|last| [203, 0, 113, last].into());
        lab.innermost = lab.world.network(|network| {
            let gateway = network.add_gateway_with_pool(config, &pool, None);
            Some(gateway.unwrap())
        });
        let server = lab.server;
        let seen = [2, 3].map(|last| {
            let runtime = lab.inside(last);
            spawn(&runtime.clone(), async move {
                let mut seen = Vec::new();
                for _ in 0..8 {
                    let client = Client::new(&runtime);
                    let mapped = client.ask(server).await.unwrap().mapped;
                    seen.push(mapped);
                }
                seen
            })
        });
        lab.world.run_until(LONG);
        seen.map(|seen| seen.try_recv().unwrap())
    })
}

#[test]
fn a_prober_finds_how_addresses_and_ports_are_chosen() {
    // RFC 4787 sections 4.1 and 4.2. Ephemeral ports of a host begin at 49152 and count up.
    let base = nat(Behavior::EndpointIndependent, Behavior::EndpointIndependent);
    let addresses = |seen: &[SocketAddrV4]| {
        let all: BTreeSet<_> = seen.iter().map(|at| *at.ip()).collect();
        all.len()
    };
    // Paired: one address for each host, the second one for the second. Nothing collides.
    let [left, right] = mapped(base);
    assert_eq!([addresses(&left), addresses(&right)], [1, 1]);
    assert_ne!(left[0].ip(), right[0].ip());
    let local: Vec<u16> = (49_152..49_160).collect();
    let ports =
        |seen: &[SocketAddrV4]| -> Vec<u16> { seen.iter().map(SocketAddrV4::port).collect() };
    assert_eq!(
        [ports(&left), ports(&right)],
        [local.clone(), local.clone()]
    );
    // Arbitrary: eight draws of two show one of them alone in 1 of 128 cases; this seed does not.
    let arbitrary = NatConfig {
        pooling: Pooling::Arbitrary,
        ..base
    };
    let [left, right] = mapped(arbitrary);
    assert_eq!([addresses(&left), addresses(&right)], [2, 2]);
    // Overloading: the same ports on the same address, where preserving makes one of them move.
    let overloading = NatConfig {
        ports: PortAssignment::Overloading,
        ..base
    };
    let [left, right] = mapped(overloading);
    assert_eq!([ports(&left), ports(&right)], [local.clone(), local]);
    // Blocks of ten: 1024 to 1033 on either address, whatever the internal port.
    let blocks = NatConfig {
        port_block: NonZeroU16::new(10),
        ..base
    };
    let [left, right] = mapped(blocks);
    let range = 1024..=1033;
    assert!(
        left.iter()
            .chain(&right)
            .all(|at| range.contains(&at.port()))
    );
}

#[test]
fn req_7_a_nat_may_have_the_address_of_a_host_behind_it() {
    // RFC 4787 section 4.4, REQ-7: internal and external addresses may conflict. The inner NAT has
    // the address of its host, 10.0.0.2, in the network of the outer NAT; the host reaches the
    // internet through both.
    let open = nat(Behavior::EndpointIndependent, Behavior::EndpointIndependent);
    simulate(Seed(1), |world| {
        let mut lab = Lab::new(world, &[open]);
        let server = lab.server;
        let carrier = lab.innermost;
        let inner = lab.world.add_gateway(open, [10, 0, 0, 2].into(), carrier);
        lab.innermost = Some(inner.unwrap());
        let runtime = lab.inside(2);
        let seen = spawn(&runtime.clone(), async move {
            Client::new(&runtime)
                .ask(server)
                .await
                .map(|answer| *answer.mapped.ip())
        });
        lab.world.run_until(LONG);
        assert_eq!(seen.try_recv(), Ok(Some([203, 0, 113, 1].into())));
    });
}
