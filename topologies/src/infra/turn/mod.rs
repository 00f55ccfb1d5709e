//! A STUN (RFC 8489) and TURN (RFC 8656) server over UDP that counts what it relays.
//!
//! - [`core`]: the protocol without I/O: told the time, given datagrams, answers through [`TurnIo`].
//! - [`serve`]: one task that drives the core over a runtime's sockets.
//! - [`config`]: realm, users and lifetimes; [`expiring`]: credentials that expire; [`ports`]: which port the next relay gets.
//! - [`counters`]: packets and bytes, as payload and on the wire, per client and in total.
//! - [`sockets`]: where relay sockets come from.
//!
//! The protocol itself is `turn-server-proto`; what this module adds around it is said where it
//! is added: replies to the right address, answers to retransmitted Allocate requests, bounded
//! sizes, and timers that cannot spin.

pub mod config;
pub mod core;
pub mod counters;
pub mod expiring;
pub mod ports;
pub mod serve;
pub mod sockets;

mod ready;

pub use config::{TurnConfig, TurnConfigError};
pub use core::{Datagram, TurnCore, TurnIo};
pub use counters::{ClientCounters, Direction, RelayCounters, TurnCounters, WireCount};
pub use expiring::{ExpiringUsers, Issued, SharedSecret};
pub use ports::{DYNAMIC_PORTS, RelayPorts};
pub use serve::{TurnServeError, TurnServer};
pub use sockets::{RelaySockets, RuntimeSockets};
