//! The room server beside hostile clients: good ones go on as if nothing happened.

mod signaling_support;

use std::time::Duration;

use futures::SinkExt;
use proptest::prelude::*;
use serde_json::json;
use signaling_support::*;
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use topologies::infra::signaling::{ErrorCode, Event, LeaveReason, ServerConfig, Signal};

#[tokio::test(start_paused = true)]
async fn bad_messages_end_their_connection_with_a_reason() {
    let (pipes, _server) = start(ServerConfig::default());
    let (mut alice, mut bob) = pair(&pipes).await;
    let offer = r#"{"type":"offer","to":"alice","session":1,"sdp":""}"#;
    let other_version = r#"{"type":"join","version":2}"#;
    let raw_frame =
        |data: &[u8], kind| Message::Frame(Frame::message(data.to_vec(), OpCode::Data(kind), true));
    let cases = [
        (Message::text("hello"), "malformed", CloseCode::Invalid),
        (Message::text("{}"), "malformed", CloseCode::Invalid),
        (
            Message::text(r#"{"type":"shout"}"#),
            "malformed",
            CloseCode::Invalid,
        ),
        (
            Message::text(r#"{"type":"leave","now":1}"#),
            "malformed",
            CloseCode::Invalid,
        ),
        (
            Message::text(other_version),
            "unsupported-version",
            CloseCode::Policy,
        ),
        (Message::text(offer), "not-joined", CloseCode::Policy),
        (Message::binary(offer), "malformed", CloseCode::Unsupported),
        (
            raw_frame(&[0xFF, 0xFE], Data::Text),
            "malformed",
            CloseCode::Unsupported,
        ),
        (
            Message::text("x".repeat(65_537)),
            "too-large",
            CloseCode::Size,
        ),
        (
            Message::text("[".repeat(65_536)),
            "malformed",
            CloseCode::Invalid,
        ),
    ];
    for (message, code, close) in cases {
        let mut socket = raw(&pipes).await;
        let shown = format!("{message:.60?}");
        socket.send(message).await.unwrap();
        assert_eq!(
            verdict(&mut socket).await,
            (Some(code.into()), close),
            "{shown}"
        );
    }
    works(&mut alice, &mut bob).await;
}

#[tokio::test(start_paused = true)]
async fn a_member_that_breaks_the_protocol_is_expelled() {
    let (pipes, _server) = start(ServerConfig::default());
    let (mut alice, mut bob) = pair(&pipes).await;
    let mut mallory = raw(&pipes).await;
    mallory.send(join("mallory")).await.unwrap();
    mallory.send(join("mallory")).await.unwrap();
    assert_eq!(
        verdict(&mut mallory).await,
        (Some("already-joined".into()), CloseCode::Policy)
    );
    for client in [&mut alice, &mut bob] {
        let mallory = participant("mallory", 9);
        assert_eq!(event(client).await, Event::PeerJoined(mallory.clone()));
        let reason = LeaveReason::Expelled;
        assert_eq!(
            event(client).await,
            Event::PeerLeft {
                participant: mallory,
                reason
            }
        );
    }
    works(&mut alice, &mut bob).await;
}

#[tokio::test(start_paused = true)]
async fn a_flood_is_stopped() {
    let (pipes, _server) = start(ServerConfig {
        message_burst: 20,
        ..Default::default()
    });
    let (mut alice, mut bob) = pair(&pipes).await;
    let mut mallory = raw(&pipes).await;
    mallory.send(join("mallory")).await.unwrap();
    let offer = json!({"type": "offer", "to": "alice", "session": 1, "sdp": "x"}).to_string();
    for _ in 0..40 {
        mallory.feed(Message::text(offer.clone())).await.unwrap();
    }
    mallory.flush().await.unwrap();
    let expected = (Some("rate-limited".into()), CloseCode::Policy);
    assert_eq!(verdict(&mut mallory).await, expected);
    // 20 messages at once, the join being the first, all in one instant of paused time.
    let mut offers = 0;
    loop {
        match event(&mut alice).await {
            Event::Signal { .. } => offers += 1,
            Event::PeerJoined(_) => {}
            Event::PeerLeft { reason, .. } => break assert_eq!(reason, LeaveReason::Expelled),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(offers, 19);
    assert!(matches!(event(&mut bob).await, Event::PeerJoined(_)));
    assert!(matches!(event(&mut bob).await, Event::PeerLeft { .. }));
    works(&mut alice, &mut bob).await;
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_stalls_nobody() {
    // The pipe holds 64 KiB and the queue 100 kB; of 40 offers of 8,000 bytes (320 kB) some do
    // not fit. Everything happens before the first ping: in the instant of sending.
    let (pipes, _server) = start(ServerConfig {
        max_queued_bytes: 100_000,
        ..Default::default()
    });
    let (mut alice, mut bob) = pair(&pipes).await;
    let mut slow = raw(&pipes).await;
    slow.send(join("slow")).await.unwrap();
    let before = Instant::now();
    let slow_one = participant("slow", 9);
    assert_eq!(event(&mut alice).await, Event::PeerJoined(slow_one.clone()));
    assert_eq!(event(&mut bob).await, Event::PeerJoined(slow_one.clone()));
    for _ in 0..40 {
        alice
            .sender()
            .send(&slow_one, Signal::Offer("x".repeat(8000)))
            .unwrap();
    }
    let reason = LeaveReason::Overloaded;
    let left = Event::PeerLeft {
        participant: slow_one,
        reason,
    };
    assert_eq!(event(&mut bob).await, left);
    assert_eq!(before.elapsed(), Duration::ZERO);
    // What was sent after that is answered as for anybody who is not there.
    assert_eq!(event(&mut alice).await, left);
    let mut unknown = 0;
    alice
        .sender()
        .send(&participant("bob", 2), Signal::Offer("end".into()))
        .unwrap();
    assert!(matches!(event(&mut bob).await, Event::Signal { .. }));
    alice
        .sender()
        .send(&participant("bob", 1), Signal::Offer("end".into()))
        .unwrap();
    loop {
        match event(&mut alice).await {
            Event::Error {
                code: ErrorCode::NoSuchParticipant,
                ..
            } => unknown += 1,
            Event::Error { code, .. } => break assert_eq!(code, ErrorCode::StaleSession),
            other => panic!("{other:?}"),
        }
    }
    assert!((1..40).contains(&unknown), "{unknown} of 40");
    works(&mut alice, &mut bob).await;
}

/// What a hostile client writes: into a fresh connection, or after a good handshake and join.
#[derive(Clone, Debug)]
struct Attack {
    handshake: bool,
    join: bool,
    bytes: Vec<u8>,
    cut: bool,
}

fn attack() -> impl Strategy<Value = Attack> {
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        // A header of any kind and length of RFC 6455, 5.2, and too few or too many bytes.
        (
            any::<u8>(),
            any::<u8>(),
            prop::collection::vec(any::<u8>(), 0..300)
        )
            .prop_map(|(first, second, rest)| [vec![first, second], rest].concat()),
    ];
    (any::<bool>(), any::<bool>(), bytes, any::<bool>()).prop_map(
        |(handshake, join, bytes, cut)| Attack {
            handshake,
            join,
            bytes,
            cut,
        },
    )
}

async fn strike(pipes: &Pipes, attack: Attack) -> DuplexStream {
    let mut stream = if attack.handshake {
        let mut socket = raw(pipes).await;
        if attack.join {
            socket.send(join("mallory")).await.unwrap();
        }
        socket.into_inner()
    } else {
        pipes.open()
    };
    // The server may have given up already.
    let _ = stream.write_all(&attack.bytes).await;
    if attack.cut {
        let _ = stream.shutdown().await;
    }
    stream
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_bytes_harm_nobody_else(attacks in prop::collection::vec(attack(), 1..6)) {
        let clock = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        clock.block_on(async {
            let (pipes, _server) = start(ServerConfig::default());
            let (mut alice, mut bob) = pair(&pipes).await;
            let mut open = Vec::new();
            for attack in attacks {
                open.push(strike(&pipes, attack).await);
            }
            // Every attacker is gone when all time-outs are over: the room is as before.
            tokio::time::sleep(Duration::from_secs(60)).await;
            let mut carol = client(&pipes, config("carol", 3));
            let Event::Joined { participants, .. } = event(&mut carol).await else { panic!() };
            assert_eq!(participants, [participant("alice", 1), participant("bob", 2)]);
            for client in [&mut alice, &mut bob] {
                while event(client).await != Event::PeerJoined(participant("carol", 3)) {}
            }
            works(&mut alice, &mut bob).await;
        });
    }
}
