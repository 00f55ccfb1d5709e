use futures::FutureExt;

use super::*;

const LIMIT: usize = 4096;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn join(text: &str, session: u32, token: Option<&str>) -> ClientMessage {
    ClientMessage::Join {
        version: VERSION,
        room: name("room"),
        name: name(text),
        session: Session(session),
        token: token.map(|token| token.parse().unwrap()),
    }
}

fn offer(to: &str, session: u32, sdp: &str) -> ClientMessage {
    ClientMessage::Offer {
        to: name(to),
        session: Session(session),
        sdp: sdp.into(),
    }
}

fn connect(hub: &mut Hub) -> (ConnectionId, Outbox) {
    let outbox = Outbox::new(LIMIT);
    (hub.connect(outbox.clone()).unwrap(), outbox)
}

fn joined(hub: &mut Hub, text: &str, session: u32) -> (ConnectionId, Outbox) {
    let (id, outbox) = connect(hub);
    hub.handle(id, join(text, session, Some(text))).unwrap();
    (id, outbox)
}

fn received(outbox: &Outbox) -> Vec<ServerMessage> {
    let next = || outbox.next().now_or_never()?.ok();
    std::iter::from_fn(next)
        .map(|text| ServerMessage::parse(&text).unwrap())
        .collect()
}

fn left(text: &str, session: u32, reason: LeaveReason) -> ServerMessage {
    ServerMessage::PeerLeft {
        name: name(text),
        session: Session(session),
        reason,
    }
}

fn peer_joined(text: &str, session: u32) -> ServerMessage {
    ServerMessage::PeerJoined {
        name: name(text),
        session: Session(session),
    }
}

fn refusal(result: Result<(), Stop>) -> ErrorCode {
    match result {
        Err(Stop::Refused(code, _)) => code,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn members_learn_of_each_other() {
    let mut hub = Hub::new(10, 10);
    let (_, alice) = joined(&mut hub, "alice", 1);
    let (id, bob) = joined(&mut hub, "bob", 2);
    let participant = |text, session| Participant {
        name: name(text),
        session: Session(session),
    };
    let welcome = |you, participants| ServerMessage::Joined {
        turn: None,
        version: 1,
        you,
        participants,
    };
    assert_eq!(
        received(&alice),
        [
            welcome(participant("alice", 1), vec![]),
            peer_joined("bob", 2)
        ]
    );
    let expected = welcome(participant("bob", 2), vec![participant("alice", 1)]);
    assert_eq!(received(&bob), [expected]);
    hub.disconnect(id, LeaveReason::Left);
    hub.disconnect(id, LeaveReason::Timeout);
    assert_eq!(received(&alice), [left("bob", 2, LeaveReason::Left)]);
}

#[test]
fn rooms_are_apart_and_vanish_with_their_last_member() {
    let mut hub = Hub::new(10, 10);
    let (alice, _) = joined(&mut hub, "alice", 1);
    let (id, outbox) = connect(&mut hub);
    let mut other = join("bob", 2, None);
    if let ClientMessage::Join { room, .. } = &mut other {
        *room = name("elsewhere");
    }
    hub.handle(id, other).unwrap();
    hub.handle(id, offer("alice", 1, "sdp")).unwrap();
    let messages = received(&outbox);
    assert!(matches!(
        messages[1],
        ServerMessage::Error {
            code: ErrorCode::NoSuchParticipant,
            ..
        }
    ));
    assert_eq!(hub.rooms.len(), 2);
    hub.disconnect(id, LeaveReason::Left);
    hub.disconnect(alice, LeaveReason::Left);
    assert!(hub.rooms.is_empty() && hub.connections.is_empty());
}

#[test]
fn signals_reach_the_named_incarnation_only() {
    let mut hub = Hub::new(10, 10);
    let (id, alice) = joined(&mut hub, "alice", 1);
    let (_, bob) = joined(&mut hub, "bob", 2);
    received(&alice);
    received(&bob);
    hub.handle(id, offer("bob", 2, "sdp")).unwrap();
    let expected = ServerMessage::Offer {
        from: name("alice"),
        session: Session(1),
        sdp: "sdp".into(),
    };
    assert_eq!(received(&bob), [expected]);
    hub.handle(id, offer("bob", 1, "old")).unwrap();
    assert_eq!(received(&bob), []);
    let [ServerMessage::Error { code, .. }] = &received(&alice)[..] else {
        panic!()
    };
    assert_eq!(*code, ErrorCode::StaleSession);
}

#[test]
fn the_same_token_replaces_and_another_does_not() {
    let mut hub = Hub::new(10, 10);
    let (old, first) = joined(&mut hub, "alice", 1);
    let (_, bob) = joined(&mut hub, "bob", 2);
    received(&bob);
    let (thief, _) = connect(&mut hub);
    for token in [None, Some("guess")] {
        assert_eq!(
            refusal(hub.handle(thief, join("alice", 9, token))),
            ErrorCode::NameTaken
        );
    }
    assert_eq!(received(&bob), []);

    let (_, second) = joined(&mut hub, "alice", 3);
    assert_eq!(
        received(&bob),
        [
            left("alice", 1, LeaveReason::Replaced),
            peer_joined("alice", 3)
        ]
    );
    received(&first);
    let closed = first.next().now_or_never().unwrap();
    assert_eq!(closed, Err(Closed::Dismissed(ErrorCode::Replaced)));
    // The old connection is still being closed; what it says or does is of no effect.
    hub.handle(old, offer("bob", 2, "late")).unwrap();
    hub.disconnect(old, LeaveReason::Disconnected);
    assert_eq!(received(&bob), []);
    assert_eq!(received(&second).len(), 1);
}

#[test]
fn without_tokens_a_name_cannot_be_taken_over() {
    let mut hub = Hub::new(10, 10);
    let (id, _) = connect(&mut hub);
    hub.handle(id, join("alice", 1, None)).unwrap();
    let (id, _) = connect(&mut hub);
    assert_eq!(
        refusal(hub.handle(id, join("alice", 2, None))),
        ErrorCode::NameTaken
    );
}

#[test]
fn order_and_places_are_enforced() {
    let mut hub = Hub::new(3, 1);
    let (id, _) = connect(&mut hub);
    assert_eq!(
        refusal(hub.handle(id, offer("bob", 1, ""))),
        ErrorCode::NotJoined
    );
    hub.handle(id, join("alice", 1, None)).unwrap();
    assert_eq!(
        refusal(hub.handle(id, join("alice", 1, None))),
        ErrorCode::AlreadyJoined
    );
    let (second, _) = connect(&mut hub);
    assert_eq!(
        refusal(hub.handle(second, join("bob", 1, None))),
        ErrorCode::RoomFull
    );
    assert!(!hub.is_settled(second) && hub.is_settled(id));
    connect(&mut hub);
    assert_eq!(hub.connect(Outbox::new(LIMIT)), None);
    assert_eq!(hub.handle(id, ClientMessage::Leave {}), Err(Stop::Left));
}

#[test]
fn who_does_not_read_is_cut_off_and_the_others_go_on() {
    // 4,096 bytes hold three offers of 1,000 bytes and their framing, and not four.
    let mut hub = Hub::new(10, 10);
    let (id, alice) = joined(&mut hub, "alice", 1);
    let (_, slow) = joined(&mut hub, "slow", 2);
    let (_, bob) = joined(&mut hub, "bob", 3);
    for _ in 0..3 {
        hub.handle(id, offer("slow", 2, &"x".repeat(1000))).unwrap();
    }
    assert_eq!(hub.connections.len(), 3);
    hub.handle(id, offer("slow", 2, &"x".repeat(1000))).unwrap();
    assert_eq!(
        slow.next().now_or_never().unwrap(),
        Err(Closed::Cut(ErrorCode::Overloaded))
    );
    let gone = left("slow", 2, LeaveReason::Overloaded);
    assert_eq!(received(&alice).last(), Some(&gone));
    assert_eq!(received(&bob).last(), Some(&gone));
    hub.handle(id, offer("bob", 3, "still")).unwrap();
    assert_eq!(received(&bob).len(), 1);
}
