//! Signalling: a WebSocket room server and its client.
//!
//! - [`protocol`]: the JSON messages, described for other implementers in `docs/signaling.md`;
//!   [`name`]: the names and tokens in them.
//! - [`issuer`]: where TURN credentials come from.
//! - [`server`]: rooms, forwarding, keep-alive; [`client`]: a handle that reconnects by itself.
//! - [`config`]: limits and times of both; [`backoff`]: the pauses between attempts.
//! - [`transport`]: the streams below, so that the simulator, tests and real TCP all fit.
//!
//! Delivery is ordered and at most once per pair of participants: what is on the way when a
//! connection breaks is lost, and the other side learns of the break by `peer-left` and
//! `peer-joined`.

pub mod backoff;
pub mod client;
pub mod config;
pub mod issuer;
pub mod name;
pub mod protocol;
pub mod server;
pub mod transport;

mod channel;
mod connection;
mod hub;
mod outbox;
mod rate;

pub use channel::Traffic;
pub use client::{Event, SendError, SignalingClient, SignalingError, SignalingSender};
pub use config::{ClientConfig, ServerConfig, Timing};
pub use issuer::Issuer;
pub use name::{InvalidName, Name, Token};
pub use protocol::{
    Candidate, ClientMessage, ErrorCode, LeaveReason, Participant, ServerMessage, Session, Signal,
    TurnCredentials,
};
pub use server::SignalingServer;
pub use transport::{Connector, Listener, Stream};
