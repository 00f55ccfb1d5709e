//! TCP over links and NATs: set-up, bulk data, loss, refusal, silence and the end.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, SocketAddrV4};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use sha2::{Digest, Sha256};
use sim::host::tcp::{TcpListener, TcpStream};
use sim::trace::Stage;
use sim::{
    Behavior, DropReason, LinkConfig, LinkDrop, LossConfig, NatConfig, PipeConfig, PortAssignment,
    Seed, SimRuntime, Simulation, Time, simulate,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use webrtc::runtime::Runtime;

use crate::fixture::{Journal, delay, endpoint, host, host_on, nat, spawn};

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

fn hash(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
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

#[test]
fn connecting_costs_a_round_trip_on_the_cadence() {
    // SYN and SYN-ACK each wait for the next pass, 1 ms at most, and take the one-way delay of
    // 20 ms: between 40 and 42 ms. Exactly: passes are at whole milliseconds after the start, so
    // the SYN leaves at 1 ms and is there at 21 ms, before the pass of that instant, in which the
    // SYN-ACK leaves: 41 ms. Half a millisecond later on the way there, the SYN-ACK waits for the
    // pass of 22 ms and the whole takes 42.5 ms, less the 0.5 ms by which it began earlier.
    let took = |up: Duration| {
        let link = LinkConfig {
            up: delay(up),
            down: delay(Duration::from_millis(20)),
        };
        lab(1, link, move |mut lab| {
            let _server = sink(&lab.server);
            let view = lab.client.clone();
            let took = spawn(&lab.client, async move {
                let start = view.time();
                TcpStream::connect(&view, target()).await.unwrap();
                view.time() - start
            });
            lab.world.run_until(Time::from_millis(100));
            let took = took.try_recv().unwrap();
            let round_trip = up + Duration::from_millis(20);
            assert!((round_trip..=round_trip + 2 * CADENCE).contains(&took));
            took
        })
    };
    assert_eq!(took(Duration::from_millis(20)), Duration::from_millis(41));
    assert_eq!(
        took(Duration::from_micros(20_500)),
        Duration::from_millis(42)
    );
}

#[test]
fn bulk_data_arrives_intact_and_the_end_is_seen() {
    // 1 MiB in segments of at most 1,460 bytes: at least 719 of them, each of which is counted,
    // and every one delivered, as the links lose nothing.
    lab(1, LinkConfig::default(), |mut lab| {
        let data = bulk(1 << 20);
        let expected = hash(&data);
        let received = sink(&lab.server);
        let sent = source(&lab.client, data);
        lab.world.run_until(LONG);
        sent.try_recv().unwrap().unwrap();
        let received = received.try_recv().unwrap().unwrap();
        assert_eq!((received.len(), hash(&received)), (1 << 20, expected));
        let counters = lab.world.network(|network| network.counters().clone());
        assert!(counters.sent >= 719, "{counters:?}");
        assert_eq!(counters.delivered, counters.sent);
    });
}

#[test]
fn serialisation_bounds_the_throughput() {
    // 100,000 bytes in 1,460s are 69 segments: 100,000 + 69 * 40 bytes of headers at 1 Mbit/s are
    // 822.08 ms at the least, plus the SYN and the ACK before (2 * 0.32 ms). The whole is 65,535
    // bytes of window and then acknowledgements, so that the link never idles for long: the round
    // trip is 40 ms and three passes wait up to 1 ms each, beyond the segments' own time.
    let slow = PipeConfig {
        rate_bps: Some(1_000_000),
        ..delay(Duration::from_millis(20))
    };
    let link = LinkConfig {
        up: slow,
        down: delay(Duration::from_millis(20)),
    };
    lab(1, link, |mut lab| {
        let (view, reader) = (lab.server.clone(), lab.server.clone());
        let done = spawn(&lab.server, async move {
            let listener = TcpListener::bind(&view, PORT).await.unwrap();
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut data = vec![0; 100_000];
            stream.read_exact(&mut data).await.unwrap();
            reader.time().since_start()
        });
        let _sent = source(&lab.client, bulk(100_000));
        lab.world.run_until(LONG);
        let took = done.try_recv().unwrap();
        // SYN, SYN-ACK, data: one and a half round trips of propagation.
        let least = Duration::from_micros(60_000 + 822_080 + 320);
        let most = least + 4 * CADENCE + Duration::from_millis(40);
        assert!((least..=most).contains(&took), "{took:?}");
    });
}

#[test]
fn lost_segments_are_sent_again() {
    // Of some 700 segments and as many acknowledgements, a tenth is lost each way; the data still
    // arrives intact, for any seed, and so does the end. With a tenth lost, no loss at all in 300
    // packets has probability 0.9^300 < 1e-13.
    let link = LinkConfig::symmetric(lossy(0.1));
    for seed in 0..20 {
        lab(seed, link, |mut lab| {
            let data = bulk(200_000);
            let expected = hash(&data);
            let received = sink(&lab.server);
            let sent = source(&lab.client, data);
            lab.world.run_until(LONG);
            let received = received.try_recv().unwrap();
            let received = received.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            assert_eq!(hash(&received), expected, "seed {seed}");
            let sent = sent.try_recv().unwrap();
            sent.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            let counters = lab.world.network(|network| network.counters().clone());
            for reason in [DropReason::Uplink, DropReason::Downlink] {
                assert!(counters.dropped[&reason(LinkDrop::Loss)] > 0);
            }
        });
    }
}

#[test]
fn a_conversation_of_single_messages_survives_loss() {
    // Each message is one segment, and nothing follows it until it is answered, so a lost
    // acknowledgement is not made up for by a later one: the receiver has to acknowledge the
    // repetition (RFC 9293 section 3.10.7.4). 40 questions and answers a few seconds apart.
    let link = LinkConfig::symmetric(lossy(0.2));
    for seed in 0..10 {
        lab(seed, link, |mut lab| {
            let (view, client) = (lab.server.clone(), lab.client.clone());
            spawn(&lab.server, async move {
                let listener = TcpListener::bind(&view, PORT).await.unwrap();
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut question = [0; 100];
                while stream.read_exact(&mut question).await.is_ok() {
                    view.sleep(Duration::from_secs(20)).await;
                    stream.write_all(&question).await.unwrap();
                }
            });
            let rounds = spawn(&lab.client, async move {
                let mut stream = TcpStream::connect(&client, target()).await?;
                for round in 0..40 {
                    stream.write_all(&[round; 100]).await?;
                    let mut answer = [0; 100];
                    stream.read_exact(&mut answer).await?;
                    assert_eq!(answer, [round; 100]);
                    client.sleep(Duration::from_secs(20)).await;
                }
                io::Result::Ok(40)
            });
            lab.world.run_until(LONG);
            let rounds = rounds.try_recv().expect("the conversation ends");
            let rounds = rounds.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            assert_eq!(rounds, 40);
        });
    }
}

#[test]
fn a_slow_reader_stops_the_sender_and_loses_nothing() {
    // 1 MiB for a reader that takes 1,000 bytes every 10 ms: it reads for 10.5 s. Of what it has
    // not read, the receive window (65,535 bytes; RFC 9293 without window scaling) bounds what
    // may be on the way, and each side may keep as much again of its own.
    const LENGTH: usize = 1 << 20;
    lab(1, LinkConfig::default(), |mut lab| {
        let data = bulk(LENGTH);
        let expected = hash(&data);
        let (view, client) = (lab.server.clone(), lab.client.clone());
        let received = spawn(&lab.server, async move {
            let listener = TcpListener::bind(&view, PORT).await.unwrap();
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut data, mut buffer) = (Vec::new(), [0; 1_000]);
            loop {
                match stream.read(&mut buffer).await.unwrap() {
                    0 => return (data, view.time()),
                    length => data.extend_from_slice(&buffer[..length]),
                }
                view.sleep(Duration::from_millis(10)).await;
            }
        });
        let written = spawn(&lab.client, async move {
            let mut stream = TcpStream::connect(&client, target()).await.unwrap();
            stream.write_all(&data).await.unwrap();
            let written = client.time();
            stream.shutdown().await.unwrap();
            written
        });
        lab.world.run_until(LONG);
        let (received, read) = received.try_recv().expect("the reader sees the end");
        assert_eq!((received.len(), hash(&received)), (LENGTH, expected));
        assert!(read >= Time::from_millis(10_480), "{read}");
        // The writer is done only when all but four windows have been read, at 100 bytes a
        // millisecond.
        let written = written.try_recv().unwrap();
        let least = (LENGTH - 4 * 65_535) as u64 / 100;
        assert!(written >= Time::from_millis(least), "{written}");
    });
}

#[test]
fn connections_cross_nats_both_ways() {
    // The server sees the outermost NAT's address; what it sends comes back through both NATs,
    // which change the ports as well (RFC 5382 REQ-1 is not met by such NATs; clients still work).
    let strict = NatConfig {
        ports: PortAssignment::Random,
        ..nat(
            Behavior::AddressAndPortDependent,
            Behavior::AddressAndPortDependent,
        )
    };
    simulate(Seed(1), |world| {
        let mut lab = Lab::new(world, LinkConfig::default(), &[strict; 2]);
        let (view, client) = (lab.server.clone(), lab.client.clone());
        let peer = spawn(&lab.server, async move {
            let listener = TcpListener::bind(&view, PORT).await.unwrap();
            let (mut stream, peer) = listener.accept().await.unwrap();
            stream.write_all(b"from outside").await.unwrap();
            peer
        });
        let heard = spawn(&lab.client, async move {
            let mut stream = TcpStream::connect(&client, target()).await.unwrap();
            let mut heard = String::new();
            stream.read_to_string(&mut heard).await.unwrap();
            heard
        });
        lab.world.run_until(LONG);
        assert_eq!(heard.try_recv().unwrap(), "from outside");
        let SocketAddr::V4(peer) = peer.try_recv().unwrap() else {
            panic!("a world of IPv4");
        };
        assert_eq!(peer.ip().octets(), [203, 0, 113, 1]);
    });
}

#[test]
fn a_host_behind_a_nat_cannot_be_connected_to_unasked() {
    // The SYN finds no mapping and nobody tells the sender, so it is as if nothing were there.
    let open = nat(Behavior::EndpointIndependent, Behavior::EndpointIndependent);
    simulate(Seed(1), |world| {
        let mut lab = Lab::new(world, LinkConfig::default(), &[open]);
        let view = lab.server.clone();
        let outcome = spawn(&lab.server, async move {
            let target = endpoint([203, 0, 113, 1], PORT);
            TcpStream::connect(&view, target).await.map(drop)
        });
        lab.world.run_until(LONG);
        let error = outcome.try_recv().unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let counters = lab.world.network(|network| network.counters().clone());
        let names: Vec<_> = counters.dropped.keys().map(|why| why.name()).collect();
        assert_eq!(names, ["nat-no-mapping"]);
    });
}

#[test]
fn a_connection_is_refused_where_nobody_listens() {
    // The RST comes back after a round trip: 41 ms, as for the SYN-ACK.
    let link = LinkConfig::symmetric(delay(Duration::from_millis(20)));
    lab(1, link, |mut lab| {
        let view = lab.client.clone();
        let outcome = spawn(&lab.client, async move {
            let outcome = TcpStream::connect(&view, target()).await;
            (outcome.map(drop), view.time())
        });
        lab.world.run_until(LONG);
        let (outcome, at) = outcome.try_recv().unwrap();
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        assert_eq!(at, Time::from_millis(41));
    });
}

#[test]
fn a_connection_into_silence_times_out() {
    // The SYN and 15 repetitions (tcp_retries2 of Linux) leave, one a second, and all are lost.
    // The connection fails when the last one has been unanswered for a second: 16 s.
    let silent = LinkConfig {
        up: lossy(1.0),
        down: PipeConfig::default(),
    };
    lab(1, silent, |mut lab| {
        let _server = sink(&lab.server);
        let view = lab.client.clone();
        let outcome = spawn(&lab.client, async move {
            let outcome = TcpStream::connect(&view, target()).await;
            (outcome.map(drop), view.time())
        });
        lab.world.run_until(LONG);
        let (outcome, at) = outcome.try_recv().unwrap();
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(at, Time::from_millis(16_000));
        let counters = lab.world.network(|network| network.counters().clone());
        assert_eq!(counters.sent, 16);
        assert_eq!(counters.dropped[&DropReason::Uplink(LinkDrop::Loss)], 16);
    });
}

#[test]
fn an_idle_world_has_no_tcp_events() {
    // The stacks run for as long as they have something to do and then rest: after the last
    // segment of a connection that stays open, nothing happens for an hour but two sleeps.
    lab(1, LinkConfig::default(), |mut lab| {
        let (view, client) = (lab.server.clone(), lab.client.clone());
        spawn(&lab.server, async move {
            let listener = TcpListener::bind(&view, PORT).await.unwrap();
            let _stream = listener.accept().await.unwrap();
            view.sleep(Duration::from_secs(3_600)).await;
        });
        spawn(&lab.client, async move {
            let _stream = TcpStream::connect(&client, target()).await.unwrap();
            client.sleep(Duration::from_secs(3_600)).await;
        });
        lab.world.run_until(Time::from_millis(10_000));
        let next = lab.world.network(|network| network.next_at()).unwrap();
        assert!(next >= Time::from_millis(3_600_000), "{next}");
    });
}

#[test]
fn several_streams_at_once_do_not_mix() {
    // Three pairs of hosts, each with 50,000 bytes of its own.
    simulate(Seed(1), |mut world| {
        let transfers: Vec<_> = (1..=3_u8)
            .map(|pair| {
                let mut runtime = |name: String, address| {
                    let id = world.add_host(host(&name, address, None)).unwrap();
                    world.runtime(id)
                };
                let server = runtime(format!("server {pair}"), [198, 51, 100, pair]);
                let client = runtime(format!("client {pair}"), [203, 0, 113, pair]);
                let data = bulk(50_000 + usize::from(pair));
                let expected = hash(&data);
                let received = sink(&server);
                let to = endpoint([198, 51, 100, pair], PORT);
                spawn(&client.clone(), async move {
                    let mut stream = TcpStream::connect(&client, to).await.unwrap();
                    stream.write_all(&data).await.unwrap();
                    stream.shutdown().await.unwrap();
                });
                (received, expected)
            })
            .collect();
        world.run_until(LONG);
        for (received, expected) in transfers {
            assert_eq!(hash(&received.try_recv().unwrap().unwrap()), expected);
        }
    });
}

#[test]
fn a_dropped_stream_is_an_end_for_its_peer_and_unread_data_a_reset() {
    // RFC 9293 section 3.10.4: a clean close sends FIN; RFC 2525 section 2.17: closing with
    // unread data sends RST.
    let outcome = |unread: &'static [u8]| {
        lab(1, LinkConfig::default(), move |mut lab| {
            let (view, client) = (lab.server.clone(), lab.client.clone());
            spawn(&lab.server, async move {
                let listener = TcpListener::bind(&view, PORT).await.unwrap();
                let (stream, _) = listener.accept().await.unwrap();
                view.sleep(Duration::from_secs(1)).await;
                drop(stream);
                view.sleep(Duration::from_secs(1)).await;
            });
            let outcome = spawn(&lab.client, async move {
                let mut stream = TcpStream::connect(&client, target()).await?;
                stream.write_all(unread).await?;
                stream.read(&mut [0; 1]).await
            });
            lab.world.run_until(LONG);
            outcome.try_recv().unwrap()
        })
    };
    assert_eq!(outcome(b"").unwrap(), 0);
    assert_eq!(
        outcome(b"unread").unwrap_err().kind(),
        ErrorKind::ConnectionReset
    );
}

#[test]
fn a_simulation_ends_with_open_streams() {
    // In every state: connecting, waiting to accept, reading, and with data in flight; by
    // `finish` and by dropping the simulation.
    for finish in [true, false] {
        let link = LinkConfig::symmetric(delay(Duration::from_millis(20)));
        lab(1, link, |mut lab| {
            let _received = sink(&lab.server);
            let _sent = source(&lab.client, bulk(1 << 20));
            let view = lab.client.clone();
            let _connecting = spawn(&lab.client, async move {
                let nobody = endpoint([192, 0, 2, 1], PORT);
                TcpStream::connect(&view, nobody).await.map(drop)
            });
            lab.world.run_until(Time::from_millis(70));
            let entries = lab.journal.entries();
            let data = |stage: fn(&Stage) -> bool| {
                entries.iter().filter(|entry| stage(&entry.stage)).count()
            };
            let sent = data(|stage| *stage == Stage::Sent);
            assert!(
                sent > data(|stage| *stage != Stage::Sent),
                "data is in flight"
            );
            if finish {
                let finished = lab.world.finish();
                assert_eq!(finished.counters.unaccounted(), finished.in_flight);
                assert!(finished.in_flight > 0);
            }
        });
    }
}
