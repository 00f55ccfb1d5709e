//! Data: intact, at the rate of the link, under loss, and no faster than it is read.

use std::io;
use std::time::Duration;

use sha2::{Digest, Sha256};
use sim::host::tcp::{TcpListener, TcpStream};
use sim::{DropReason, LinkConfig, LinkDrop, PipeConfig, Seed, Time, simulate};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use webrtc::runtime::Runtime;

use super::{CADENCE, LONG, PORT, bulk, lab, lossy, sink, source, target};
use crate::fixture::{delay, endpoint, host, spawn};

fn hash(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
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
    // 822.08 ms, after a SYN and an ACK of 0.32 ms each and one and a half round trips of 40 ms
    // for SYN, SYN-ACK and data. SYN, SYN-ACK and data wait for a pass, 1 ms at most each. The
    // window of 65,535 bytes is 13 times what a round trip takes, so the link never idles; its end
    // cuts one segment in two, for one more header (0.32 ms).
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
        let least = Duration::from_micros(60_000 + 822_080 + 2 * 320);
        let most = least + 3 * CADENCE + Duration::from_micros(320);
        assert!((least..=most).contains(&took), "{took:?}");
    });
}

#[test]
fn lost_segments_are_sent_again() {
    // 200,000 bytes are 137 segments and as many acknowledgements, and a tenth of them is lost each
    // way; the data still arrives intact, for any seed, and so does the end. No loss at all one way
    // has a probability of 0.9^137 = 5e-7.
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
