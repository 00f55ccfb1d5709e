//! The room server over pipes in memory, in paused time: good clients beside hostile ones.

mod signaling_support;

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use proptest::prelude::*;
use serde_json::{Value, json};
use signaling_support::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::{WebSocketStream, client_async};
use topologies::infra::signaling::{
    ClientConfig, ErrorCode, Event, LeaveReason, Participant, SendError, ServerConfig, Signal,
    SignalingClient, SignalingError, SignalingServer,
};

/// Bytes that a pipe holds, about a TCP window.
const WINDOW: usize = 64 * 1024;

fn start(config: ServerConfig) -> (Pipes, SignalingServer) {
    let (pipes, listener) = Pipes::new(WINDOW);
    let server = SignalingServer::new(runtime(), config);
    let running = server.clone();
    tokio::spawn(async move { running.serve(listener).await });
    (pipes, server)
}

async fn joined(pipes: &Pipes, who: &str, session: u32) -> SignalingClient {
    let mut client = client(pipes, config(who, session));
    assert!(matches!(event(&mut client).await, Event::Joined { .. }));
    client
}

/// Two clients that know each other: alice, 1, and bob, 2.
async fn pair(pipes: &Pipes) -> (SignalingClient, SignalingClient) {
    let mut alice = joined(pipes, "alice", 1).await;
    let bob = joined(pipes, "bob", 2).await;
    assert_eq!(
        event(&mut alice).await,
        Event::PeerJoined(participant("bob", 2))
    );
    (alice, bob)
}

/// Both can still reach each other.
async fn works(alice: &mut SignalingClient, bob: &mut SignalingClient) {
    let names = [participant("alice", 1), participant("bob", 2)];
    reaches(alice, bob, &names[0], &names[1]).await;
    reaches(bob, alice, &names[1], &names[0]).await;
}

async fn reaches(
    sender: &SignalingClient,
    receiver: &mut SignalingClient,
    from: &Participant,
    to: &Participant,
) {
    let signal = Signal::Offer("hello".into());
    sender.sender().send(to, signal.clone()).unwrap();
    assert_eq!(
        event(receiver).await,
        Event::Signal {
            from: from.clone(),
            signal
        }
    );
}

/// A client that speaks WebSocket and nothing more.
async fn raw(pipes: &Pipes) -> WebSocketStream<DuplexStream> {
    client_async("ws://signaling/", pipes.open())
        .await
        .unwrap()
        .0
}

fn join(who: &str) -> Message {
    let join = json!({"type": "join", "version": 1, "room": "room", "name": who, "session": 9});
    Message::text(join.to_string())
}

/// The last error and the close code that a server sends.
async fn verdict(socket: &mut WebSocketStream<DuplexStream>) -> (Option<String>, CloseCode) {
    let mut code = None;
    while let Some(message) = socket.next().await {
        match message.unwrap() {
            Message::Text(text) => {
                let value: Value = serde_json::from_str(&text).unwrap();
                code = value["code"].as_str().map(str::to_owned).or(code);
            }
            Message::Close(frame) => return (code, frame.expect("a close code").code),
            _ => {}
        }
    }
    panic!("the server closed without a close frame")
}

#[tokio::test(start_paused = true)]
async fn clients_meet_talk_and_part() {
    let (pipes, server) = start(ServerConfig::default());
    let (mut alice, mut bob) = pair(&pipes).await;
    works(&mut alice, &mut bob).await;
    drop(bob);
    let left = Event::PeerLeft {
        participant: participant("bob", 2),
        reason: LeaveReason::Left,
    };
    assert_eq!(event(&mut alice).await, left);

    // What one side counts as sent, the other counts as received. Two joins, two offers, one
    // leave; two joined, one peer-joined, two offers, one peer-left.
    let traffic = server.traffic();
    assert_eq!((traffic.messages_in, traffic.messages_out), (5, 6));
    // Alice: joined, peer-joined, an offer and peer-left; her join and an offer.
    let own = alice.traffic();
    assert_eq!((own.messages_in, own.messages_out), (4, 2));
    let offer = r#"{"type":"offer","to":"bob","session":2,"sdp":"hello"}"#;
    let token = "x".repeat(32);
    let join = format!(
        r#"{{"type":"join","version":1,"room":"room","name":"alice","session":1,"token":"{token}"}}"#
    );
    assert_eq!(own.bytes_out, (offer.len() + join.len()) as u64);
}

#[tokio::test(start_paused = true)]
async fn a_signal_to_an_earlier_incarnation_is_refused() {
    let (pipes, _server) = start(ServerConfig::default());
    let (mut alice, mut bob) = pair(&pipes).await;
    alice
        .sender()
        .send(&participant("bob", 1), Signal::Offer("old".into()))
        .unwrap();
    let Event::Error { code, .. } = event(&mut alice).await else {
        panic!("no error")
    };
    assert_eq!(code, ErrorCode::StaleSession);
    works(&mut alice, &mut bob).await;
}

#[tokio::test(start_paused = true)]
async fn a_crashed_client_takes_its_place_again_with_its_token() {
    let (pipes, _server) = start(ServerConfig::default());
    let token = Some("secret".parse().unwrap());
    let mut alice = joined(&pipes, "alice", 1).await;
    let first = ClientConfig {
        token: token.clone(),
        ..config("bob", 2)
    };
    let mut bob = client(&pipes, first);
    assert!(matches!(event(&mut bob).await, Event::Joined { .. }));
    assert_eq!(
        event(&mut alice).await,
        Event::PeerJoined(participant("bob", 2))
    );

    let mut again = client(
        &pipes,
        ClientConfig {
            token,
            ..config("bob", 3)
        },
    );
    let Event::Joined { participants, .. } = event(&mut again).await else {
        panic!()
    };
    assert_eq!(participants, [participant("alice", 1)]);
    let reason = LeaveReason::Replaced;
    let left = Event::PeerLeft {
        participant: participant("bob", 2),
        reason,
    };
    assert_eq!(event(&mut alice).await, left);
    assert_eq!(
        event(&mut alice).await,
        Event::PeerJoined(participant("bob", 3))
    );
    let Event::Failed(SignalingError::Refused { code, .. }) = event(&mut bob).await else {
        panic!("the earlier one goes on")
    };
    assert_eq!(code, ErrorCode::Replaced);
    assert_eq!(bob.next().await, None);
    let late = bob
        .sender()
        .send(&participant("alice", 1), Signal::Offer(String::new()));
    assert_eq!(late, Err(SendError::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_taken_name_and_a_full_room_are_clear_errors() {
    let (pipes, _server) = start(ServerConfig {
        max_participants: 2,
        ..Default::default()
    });
    let (_alice, _bob) = pair(&pipes).await;
    for (who, expected) in [
        ("bob", ErrorCode::NameTaken),
        ("carol", ErrorCode::RoomFull),
    ] {
        // Another seed draws another token.
        let connector = std::sync::Arc::new(pipes.clone());
        let mut other = SignalingClient::connect(connector, runtime(), seeded(2), config(who, 3));
        let Event::Failed(SignalingError::Refused { code, .. }) = event(&mut other).await else {
            panic!("{who} was let in")
        };
        assert_eq!(code, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_fits_or_is_refused_before_it_is_sent() {
    // 64 KiB is 65,536 bytes of JSON; the frame around the SDP is the same for any length.
    let (pipes, _server) = start(ServerConfig::default());
    let (mut alice, mut bob) = pair(&pipes).await;
    let frame = r#"{"type":"offer","to":"bob","session":2,"sdp":""}"#.len();
    let sdp = "x".repeat(65_536 - frame);
    let receiver = participant("bob", 2);
    let too_long = alice
        .sender()
        .send(&receiver, Signal::Offer(format!("{sdp}x")));
    assert_eq!(too_long, Err(SendError::TooLarge(65_537)));
    alice
        .sender()
        .send(&receiver, Signal::Offer(sdp.clone()))
        .unwrap();
    let from = participant("alice", 1);
    assert_eq!(
        event(&mut bob).await,
        Event::Signal {
            from,
            signal: Signal::Offer(sdp)
        }
    );
    works(&mut alice, &mut bob).await;
}

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

#[tokio::test(start_paused = true)]
async fn the_idle_and_the_silent_are_given_up_in_time() {
    // 10 s for the handshake, 10 s from there to the join; silent for 15 s after it.
    let (pipes, _server) = start(ServerConfig::default());
    let (mut alice, mut bob) = pair(&pipes).await;
    let start = Instant::now();
    let mut mute = pipes.open();
    let mut unjoined = raw(&pipes).await;
    let mut silent = raw(&pipes).await;
    silent.send(join("silent")).await.unwrap();

    let mut rest = Vec::new();
    mute.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty());
    assert_eq!(start.elapsed(), Duration::from_secs(10));
    let expected = (Some("join-timeout".into()), CloseCode::Again);
    assert_eq!(verdict(&mut unjoined).await, expected);
    assert_eq!(start.elapsed(), Duration::from_secs(10));
    for client in [&mut alice, &mut bob] {
        assert!(matches!(event(client).await, Event::PeerJoined(_)));
        let Event::PeerLeft { reason, .. } = event(client).await else {
            panic!()
        };
        assert_eq!(reason, LeaveReason::Timeout);
    }
    assert_eq!(start.elapsed(), Duration::from_secs(15));
    // Those who answer pings stay, however quiet.
    tokio::time::sleep(Duration::from_secs(300)).await;
    works(&mut alice, &mut bob).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_server_says_so_and_the_client_tries_again() {
    let (pipes, _server) = start(ServerConfig {
        max_connections: 2,
        ..Default::default()
    });
    let (alice, mut bob) = pair(&pipes).await;
    let mut carol = client(&pipes, config("carol", 3));
    tokio::time::sleep(Duration::from_secs(5)).await;
    drop(alice);
    assert!(matches!(event(&mut bob).await, Event::PeerLeft { .. }));
    let Event::Joined { participants, .. } = event(&mut carol).await else {
        panic!()
    };
    assert_eq!(participants, [participant("bob", 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_client_without_a_server_fails_in_bounded_time() {
    // Accepted, but never answered: attempts of 5 s. None starts later than 60 s after the start,
    // so the end is between there, less the longest pause of 4 s and an attempt, and 65 s.
    let (pipes, listener) = Pipes::new(WINDOW);
    let start = Instant::now();
    let mut alice = client(&pipes, config("alice", 1));
    let Event::Failed(error) = event(&mut alice).await else {
        panic!("joined nobody")
    };
    let SignalingError::Unreachable { attempts, cause } = error else {
        panic!("{error}")
    };
    assert_eq!(cause, "no answer in 5s");
    let elapsed = start.elapsed();
    let bounds = Duration::from_secs(51)..=Duration::from_secs(65);
    assert!(bounds.contains(&elapsed), "{elapsed:?}");
    // Attempts of 5 s, with pauses of at most 0.25, 0.5, 1, 2, 4, 4, .. s and at least half: the
    // 8th ends at 46 s at the latest, and the 12th at 76 s at the earliest.
    assert!((8..=11).contains(&attempts), "{attempts}");
    drop(listener);
}

#[tokio::test(start_paused = true)]
async fn leaving_while_there_is_no_server_ends_at_once() {
    let (pipes, _listener) = Pipes::new(WINDOW);
    let mut alice = client(&pipes, config("alice", 1));
    let start = Instant::now();
    tokio::task::yield_now().await;
    alice.sender().leave();
    assert_eq!(alice.next().await, None);
    assert_eq!(start.elapsed(), Duration::ZERO);
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
