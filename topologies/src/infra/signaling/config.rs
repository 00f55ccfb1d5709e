//! Limits and times of signalling servers and clients.

use std::time::Duration;

use super::backoff::Backoff;
use super::name::{Name, Token};
use super::protocol::Session;

/// How a dead connection is noticed. Both sides do it, since either may be the one cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Between the pings (RFC 6455, 5.5.2) that this side sends.
    pub ping_interval: Duration,
    /// How long nothing may be heard, or one message take to be written, until the connection
    /// counts as dead. More than two pings, so that one lost and repaired packet does not end it.
    pub silence_timeout: Duration,
}

impl Default for Timing {
    /// A ping every 5 s, dead after 15 s.
    fn default() -> Self {
        Timing {
            ping_interval: Duration::from_secs(5),
            silence_timeout: Duration::from_secs(15),
        }
    }
}

/// Limits and times of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// Keep-alive.
    pub timing: Timing,
    /// From the connection to the end of the WebSocket handshake, and from there to the join.
    pub join_timeout: Duration,
    /// Connections at once; more are refused with `server-full`.
    pub max_connections: usize,
    /// Participants of one room, 1 to 256 (then `joined` still fits a message); more are refused
    /// with `room-full`.
    pub max_participants: usize,
    /// Bytes that may wait for one client; at more it is disconnected with `overloaded`.
    pub max_queued_bytes: usize,
    /// Messages a second that one client may send on average; at more it is disconnected with
    /// `rate-limited`.
    pub messages_per_second: u32,
    /// Messages that one client may send at once. A peer that joins a mesh sends every other one
    /// an offer and some ten candidates.
    pub message_burst: u32,
}

impl Default for ServerConfig {
    /// 10 s to join; 4,096 connections, 64 to a room; 1 MiB waiting; 200 messages a second,
    /// 2,000 at once.
    fn default() -> Self {
        ServerConfig {
            timing: Timing::default(),
            join_timeout: Duration::from_secs(10),
            max_connections: 4096,
            max_participants: 64,
            max_queued_bytes: 1 << 20,
            messages_per_second: 200,
            message_burst: 2000,
        }
    }
}

/// Who a client is, and its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientConfig {
    /// The server's host name, for the HTTP request.
    pub host: String,
    /// The room to join.
    pub room: Name,
    /// The name in it.
    pub name: Name,
    /// The incarnation.
    pub session: Session,
    /// The secret that keeps the name over broken connections; `None` draws one. A program that
    /// wants its name back after a crash has to give the same one.
    pub token: Option<Token>,
    /// Keep-alive.
    pub timing: Timing,
    /// How long one attempt, from the first packet to `joined`, may take.
    pub connect_timeout: Duration,
    /// The pauses between attempts.
    pub backoff: Backoff,
    /// No attempt starts later than this after the connection was lost, or after the start. So
    /// the client fails at most this and `connect_timeout` after the loss.
    pub give_up_after: Duration,
    /// Bytes that may wait to be sent, also while there is no connection.
    pub max_queued_bytes: usize,
}

impl ClientConfig {
    /// A participant with the default times: attempts of at most 5 s with pauses of 250 ms to
    /// 4 s for 60 s, and 1 MiB waiting.
    pub fn new(room: Name, name: Name, session: Session) -> Self {
        ClientConfig {
            host: "signaling".into(),
            room,
            name,
            session,
            token: None,
            timing: Timing::default(),
            connect_timeout: Duration::from_secs(5),
            backoff: Backoff::default(),
            give_up_after: Duration::from_secs(60),
            max_queued_bytes: 1 << 20,
        }
    }
}
