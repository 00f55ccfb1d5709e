//! The room server and its client over pipes in memory, in paused time.

mod signaling_support;

use std::time::Duration;

use futures::SinkExt;
use signaling_support::*;
use tokio::io::AsyncReadExt;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use topologies::infra::signaling::{
    ClientConfig, ErrorCode, Event, LeaveReason, SendError, ServerConfig, Signal, SignalingClient,
    SignalingError,
};

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
