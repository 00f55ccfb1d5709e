//! The messages, against the page that documents them and against anything else.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};
use topologies::infra::signaling::protocol::{
    Candidate, ClientMessage, ErrorCode, LeaveReason, ParseError, ServerMessage,
};

const PAGE: &str = include_str!("../../docs/signaling.md");

/// The fenced blocks of the page that are marked with `mark`.
fn examples(mark: &str) -> Vec<&'static str> {
    let fence = format!("```json {mark}\n");
    let blocks = PAGE.split(fence.as_str()).skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap().trim())
        .collect()
}

/// Parsed, an example is the same JSON again: nothing is ignored, renamed or made up.
fn same(example: &str, message: &impl Serialize) -> String {
    let written: Value = serde_json::from_str(example).unwrap();
    assert_eq!(serde_json::to_value(message).unwrap(), written);
    written["type"].as_str().unwrap().to_owned()
}

#[test]
fn every_example_of_the_page_is_a_message_and_every_message_has_one() {
    let client: BTreeSet<_> = examples("client")
        .into_iter()
        .map(|example| same(example, &ClientMessage::parse(example).unwrap()))
        .collect();
    assert_eq!(
        client,
        ["answer", "candidate", "join", "leave", "offer", "renew"]
            .map(Into::into)
            .into()
    );
    let server: BTreeSet<_> = examples("server")
        .into_iter()
        .map(|example| same(example, &ServerMessage::parse(example).unwrap()))
        .collect();
    let all = [
        "answer",
        "candidate",
        "error",
        "joined",
        "offer",
        "peer-joined",
        "peer-left",
        "renewed",
    ];
    assert_eq!(server, all.map(Into::into).into());
}

#[test]
fn every_code_and_reason_is_on_the_page() {
    use ErrorCode::*;
    let codes = [
        Malformed,
        UnsupportedVersion,
        TooLarge,
        NotJoined,
        AlreadyJoined,
        JoinTimeout,
        NameTaken,
        RoomFull,
        ServerFull,
        NoSuchParticipant,
        StaleSession,
        RateLimited,
        Overloaded,
        Replaced,
    ];
    for code in codes {
        let word = serde_json::to_value(code).unwrap();
        let stays = if code.is_fatal() { "no" } else { "yes" };
        let again = if code.is_transient() { "yes" } else { "no" };
        let row = format!("| `{}` | {stays} | {again} |", word.as_str().unwrap());
        assert!(PAGE.contains(&row), "{row}");
    }
    use LeaveReason::{Disconnected, Expelled, Left, Timeout};
    let reasons = [
        Left,
        Disconnected,
        Timeout,
        LeaveReason::Replaced,
        Expelled,
        LeaveReason::Overloaded,
    ];
    for reason in reasons {
        let word = serde_json::to_value(reason).unwrap();
        assert!(
            PAGE.contains(&format!("| `{}` |", word.as_str().unwrap())),
            "{word}"
        );
    }
}

fn with(example: &str, change: impl FnOnce(&mut Value)) -> Result<ClientMessage, ParseError> {
    let mut value = serde_json::from_str(example).unwrap();
    change(&mut value);
    ClientMessage::parse(&value.to_string())
}

#[test]
fn unknown_fields_and_types_are_refused() {
    for example in examples("client") {
        let extra = with(example, |value| value["extra"] = json!(1));
        assert!(matches!(extra, Err(ParseError::Malformed(_))), "{example}");
        let other = with(example, |value| value["type"] = json!("unknown"));
        assert!(matches!(other, Err(ParseError::Malformed(_))), "{example}");
        if example.contains("\"candidate\": {") {
            let nested = with(example, |value| value["candidate"]["extra"] = json!(1));
            assert!(matches!(nested, Err(ParseError::Malformed(_))));
        }
    }
}

#[test]
fn every_field_but_the_optional_ones_is_needed() {
    let optional = BTreeSet::from(["token"]);
    for example in examples("client") {
        let value: Value = serde_json::from_str(example).unwrap();
        for field in value.as_object().unwrap().keys() {
            let without = with(example, |value| {
                value.as_object_mut().unwrap().remove(field);
            });
            assert_eq!(
                without.is_ok(),
                optional.contains(field.as_str()),
                "{example}: {field}"
            );
        }
    }
}

#[test]
fn another_version_is_named_even_if_its_join_looks_different() {
    let join = examples("client")[0];
    let newer = with(join, |value| value["version"] = json!(2));
    assert_eq!(newer, Err(ParseError::UnsupportedVersion(2)));
    let different = ClientMessage::parse(r#"{"type": "join", "version": 7, "who": "me"}"#);
    assert_eq!(different, Err(ParseError::UnsupportedVersion(7)));
    let same = ClientMessage::parse(r#"{"type": "join", "version": 1, "who": "me"}"#);
    assert!(matches!(same, Err(ParseError::Malformed(_))));
}

#[test]
fn what_is_wrong_is_told_briefly() {
    // An unknown field is quoted in the description, which is bounded by 200 bytes.
    let field = "ö".repeat(10_000);
    let Err(error) = ClientMessage::parse(&format!(r#"{{"type":"leave","{field}":1}}"#)) else {
        panic!("an unknown field was accepted")
    };
    assert!((1..=200).contains(&error.to_string().len()));
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z0-9.-]{0,12}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z]{1,9}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Objects with the right keys and anything as values.
fn near_message() -> impl Strategy<Value = String> {
    let kind = prop::sample::select(vec![
        "join",
        "offer",
        "answer",
        "candidate",
        "renew",
        "leave",
        "bye",
    ]);
    let keys = vec![
        "version",
        "room",
        "name",
        "session",
        "token",
        "to",
        "sdp",
        "candidate",
        "from",
    ];
    let fields = prop::collection::btree_map(prop::sample::select(keys), json_value(), 0..6);
    (kind, fields).prop_map(|(kind, fields)| {
        let mut message = json!({ "type": kind });
        for (key, value) in fields {
            message[key] = value;
        }
        message.to_string()
    })
}

proptest! {
    #[test]
    fn any_text_is_a_message_or_an_error(text in prop_oneof![any::<String>(), near_message()]) {
        // What is accepted is written and read as the same message.
        if let Ok(message) = ClientMessage::parse(&text) {
            prop_assert_eq!(ClientMessage::parse(&message.to_text()), Ok(message));
        }
        if let Ok(message) = ServerMessage::parse(&text) {
            prop_assert_eq!(ServerMessage::parse(&message.to_text()), Ok(message));
        }
    }

    #[test]
    fn a_truncated_message_is_an_error(index in any::<prop::sample::Index>()) {
        for example in examples("client") {
            let end = example.floor_char_boundary(index.index(example.len()));
            prop_assert!(ClientMessage::parse(&example[..end]).is_err());
        }
    }

    #[test]
    fn candidates_survive_the_way(
        candidate in any::<String>(),
        sdp_mid in any::<Option<String>>(),
        sdp_mline_index in any::<Option<u16>>(),
        username_fragment in any::<Option<String>>(),
    ) {
        let candidate = Candidate { candidate, sdp_mid, sdp_mline_index, username_fragment };
        let text = serde_json::to_string(&candidate).unwrap();
        prop_assert_eq!(serde_json::from_str::<Candidate>(&text).unwrap(), candidate);
    }
}
