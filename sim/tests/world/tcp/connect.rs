//! Set-up, refusal, silence, and the end.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use sim::host::tcp::{TcpListener, TcpStream};
use sim::trace::Stage;
use sim::{
    Behavior, DropReason, LinkConfig, LinkDrop, NatConfig, PipeConfig, PortAssignment, Seed, Time,
    simulate,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use webrtc::runtime::Runtime;

use super::{CADENCE, LONG, Lab, PORT, bulk, lab, lossy, sink, source, target};
use crate::fixture::{delay, endpoint, nat, spawn};

#[test]
fn connecting_costs_a_round_trip_on_the_cadence() {
    // SYN and SYN-ACK each wait for the next pass, 1 ms at most, and take the one-way delay of
    // 20 ms: between 40 and 42 ms. Exactly: passes are at whole milliseconds after the start, so
    // the SYN leaves at 1 ms and is there at 21 ms, before the pass of that instant, in which the
    // SYN-ACK leaves: 41 ms. A SYN that takes 20.5 ms is there at 21.5 ms, so that the SYN-ACK
    // waits for the pass of 22 ms: 42 ms.
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
