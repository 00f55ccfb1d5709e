//! The messages: one JSON object per WebSocket text frame (RFC 6455).
//!
//! `docs/signaling.md` describes them with examples; a test parses every example.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::name::{Name, Token};

/// The version of the protocol that this module speaks.
pub const VERSION: u32 = 1;

/// The longest message of a client, in bytes of JSON.
pub const MAX_CLIENT_MESSAGE: usize = 64 * 1024;

/// The longest message of a server: a forwarded one, whose `from` may be longer than its `to` was.
pub const MAX_SERVER_MESSAGE: usize = MAX_CLIENT_MESSAGE + 1024;

/// The most bytes of a description of what is wrong: it may quote hostile input.
const MAX_DETAIL: usize = 200;

/// Tells one incarnation of a participant from the next.
///
/// A participant draws one when it starts and keeps it as long as its peer connections live, over
/// any number of signalling connections. Whoever crashed and came back has another one, so what
/// was meant for the earlier incarnation can be told apart and is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Session(pub u32);

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Participant {
    /// Unique in the room.
    pub name: Name,
    /// The incarnation.
    pub session: Session,
}

/// What a participant authenticates to TURN servers with for a while, as in the answer of a REST
/// service (draft-uberti-behave-turn-rest-00, section 2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TurnCredentials {
    /// The user name.
    pub username: String,
    /// Its password.
    pub password: String,
    /// For how long they are good, s.
    pub ttl: u32,
}

/// An ICE candidate, as `RTCIceCandidateInit` of the W3C has it. An empty `candidate` says that
/// there are no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The candidate-attribute of RFC 8839, 5.1.
    pub candidate: String,
    /// The media section's identification tag.
    #[serde(rename = "sdpMid", default, skip_serializing_if = "Option::is_none")]
    pub sdp_mid: Option<String>,
    /// The media section's index, from 0.
    #[serde(
        rename = "sdpMLineIndex",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub sdp_mline_index: Option<u16>,
    /// The ICE user name fragment.
    #[serde(
        rename = "usernameFragment",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub username_fragment: Option<String>,
}

/// What participants tell each other, whatever the direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// An SDP offer.
    Offer(String),
    /// An SDP answer.
    Answer(String),
    /// A trickled candidate.
    Candidate(Candidate),
}

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ClientMessage {
    /// Enters a room; the first message of every connection.
    Join {
        /// [`VERSION`].
        version: u32,
        /// The room; it comes into being with its first participant.
        room: Name,
        /// The participant's name.
        name: Name,
        /// The participant's incarnation.
        session: Session,
        /// Whoever joins with the same name and token takes the place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<Token>,
    },
    /// [`Signal::Offer`] to another participant.
    Offer {
        /// The receiver.
        to: Name,
        /// The receiver's incarnation.
        session: Session,
        /// The session description.
        sdp: String,
    },
    /// [`Signal::Answer`] to another participant.
    Answer {
        /// The receiver.
        to: Name,
        /// The receiver's incarnation.
        session: Session,
        /// The session description.
        sdp: String,
    },
    /// [`Signal::Candidate`] to another participant.
    Candidate {
        /// The receiver.
        to: Name,
        /// The receiver's incarnation.
        session: Session,
        /// The candidate.
        candidate: Candidate,
    },
    /// Asks for other TURN credentials, before those that it has expire.
    Renew {},
    /// Leaves the room; the server closes the connection.
    Leave {},
}

/// What a server sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ServerMessage {
    /// The client is in the room.
    Joined {
        /// [`VERSION`].
        version: u32,
        /// The client itself.
        you: Participant,
        /// Everybody else in the room, in the order of joining.
        participants: Vec<Participant>,
        /// For the TURN server, if it takes credentials that expire.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn: Option<TurnCredentials>,
    },
    /// The answer to [`ClientMessage::Renew`]; none comes if credentials do not expire.
    Renewed {
        /// For the TURN server.
        turn: TurnCredentials,
    },
    /// Somebody else came, or came back.
    PeerJoined {
        /// Who.
        name: Name,
        /// Their incarnation.
        session: Session,
    },
    /// Somebody else went.
    PeerLeft {
        /// Who.
        name: Name,
        /// Their incarnation.
        session: Session,
        /// Why.
        reason: LeaveReason,
    },
    /// [`Signal::Offer`] from another participant.
    Offer {
        /// The sender.
        from: Name,
        /// The sender's incarnation.
        session: Session,
        /// The session description.
        sdp: String,
    },
    /// [`Signal::Answer`] from another participant.
    Answer {
        /// The sender.
        from: Name,
        /// The sender's incarnation.
        session: Session,
        /// The session description.
        sdp: String,
    },
    /// [`Signal::Candidate`] from another participant.
    Candidate {
        /// The sender.
        from: Name,
        /// The sender's incarnation.
        session: Session,
        /// The candidate.
        candidate: Candidate,
    },
    /// Something that the client did, or that happened to it, is in the way.
    Error {
        /// For programs.
        code: ErrorCode,
        /// For people.
        message: String,
    },
}

/// Why somebody went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeaveReason {
    /// They said so.
    Left,
    /// Their connection broke.
    Disconnected,
    /// Nothing was heard of them for too long, or they did not take what was sent.
    Timeout,
    /// The same participant joined on another connection; `peer-joined` follows.
    Replaced,
    /// They broke the protocol.
    Expelled,
    /// They read too slowly.
    Overloaded,
}

/// What is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorCode {
    /// Not a message of this protocol.
    Malformed,
    /// A version that the server does not speak.
    UnsupportedVersion,
    /// Longer than [`MAX_CLIENT_MESSAGE`].
    TooLarge,
    /// Something other than a join came first.
    NotJoined,
    /// A second join on one connection.
    AlreadyJoined,
    /// No join came in time.
    JoinTimeout,
    /// Somebody else has the name.
    NameTaken,
    /// The room has no place.
    RoomFull,
    /// The server has no place.
    ServerFull,
    /// The receiver is not in the room. The connection stays.
    NoSuchParticipant,
    /// The receiver is another incarnation by now. The connection stays.
    StaleSession,
    /// Too many messages in too short a time.
    RateLimited,
    /// Too much waits to be read by the client.
    Overloaded,
    /// The same participant joined on another connection.
    Replaced,
}

/// Why a text is not a message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseError {
    /// Not a message of this version.
    #[error("{0}")]
    Malformed(String),
    /// A join of another version.
    #[error("version {0} is not spoken here, only {VERSION}")]
    UnsupportedVersion(u32),
}

impl ErrorCode {
    /// Whether the server closes the connection after it.
    pub fn is_fatal(self) -> bool {
        !matches!(self, ErrorCode::NoSuchParticipant | ErrorCode::StaleSession)
    }

    /// Whether the same client may succeed on another connection.
    pub fn is_transient(self) -> bool {
        use ErrorCode::*;
        matches!(self, ServerFull | Overloaded | JoinTimeout)
    }
}

impl ParseError {
    /// The code that tells the other side.
    pub fn code(&self) -> ErrorCode {
        match self {
            ParseError::Malformed(_) => ErrorCode::Malformed,
            ParseError::UnsupportedVersion(_) => ErrorCode::UnsupportedVersion,
        }
    }
}

impl ClientMessage {
    /// Reads a message, strictly: unknown types and fields are errors.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        match serde_json::from_str(text) {
            Ok(ClientMessage::Join { version, .. }) if version != VERSION => {
                Err(ParseError::UnsupportedVersion(version))
            }
            Ok(message) => Ok(message),
            Err(error) => Err(other_version(text).unwrap_or_else(|| malformed(&error))),
        }
    }

    /// A signal to another participant.
    pub fn signal(to: &Participant, signal: Signal) -> Self {
        let (to, session) = (to.name.clone(), to.session);
        match signal {
            Signal::Offer(sdp) => ClientMessage::Offer { to, session, sdp },
            Signal::Answer(sdp) => ClientMessage::Answer { to, session, sdp },
            Signal::Candidate(candidate) => ClientMessage::Candidate {
                to,
                session,
                candidate,
            },
        }
    }

    /// The message as JSON.
    pub fn to_text(&self) -> Utf8Bytes {
        to_text(self)
    }
}

impl ServerMessage {
    /// Reads a message, strictly: unknown types and fields are errors.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        serde_json::from_str(text).map_err(|error| malformed(&error))
    }

    /// A signal from another participant.
    pub fn signal(from: &Participant, signal: Signal) -> Self {
        let (from, session) = (from.name.clone(), from.session);
        match signal {
            Signal::Offer(sdp) => ServerMessage::Offer { from, session, sdp },
            Signal::Answer(sdp) => ServerMessage::Answer { from, session, sdp },
            Signal::Candidate(candidate) => ServerMessage::Candidate {
                from,
                session,
                candidate,
            },
        }
    }

    /// The message as JSON.
    pub fn to_text(&self) -> Utf8Bytes {
        to_text(self)
    }
}

fn to_text(message: &impl Serialize) -> Utf8Bytes {
    serde_json::to_string(message)
        .expect("messages are plain data with string keys")
        .into()
}

/// Another version may have other fields, so its join does not parse; it still says which it is.
fn other_version(text: &str) -> Option<ParseError> {
    #[derive(Deserialize)]
    struct AnyJoin {
        #[serde(rename = "type")]
        kind: String,
        version: u32,
    }
    let join: AnyJoin = serde_json::from_str(text).ok()?;
    (join.kind == "join" && join.version != VERSION)
        .then_some(ParseError::UnsupportedVersion(join.version))
}

fn malformed(error: &serde_json::Error) -> ParseError {
    let mut detail = error.to_string();
    detail.truncate(detail.floor_char_boundary(MAX_DETAIL));
    ParseError::Malformed(detail)
}
