//! Network address translators, in the terms of RFC 4787.
//!
//! A [`Nat`] is pure: it is told the time and the endpoints of a packet, answers with the
//! translated endpoints or an explicit [`NatDrop`], and draws from the stream it was given.
//!
//! - [`config`]: what a NAT does; [`presets`]: named NATs, each expanding to configurations.
//! - [`translator`]: the NAT itself: blocking, hairpinning, one table per protocol.
//! - [`verdict`]: what became of a packet.
//! - `table`: the mappings of one protocol, their filters, lifetimes and pinned replies.
//! - `mapping`: one mapping and the remotes that it lets in; `facet`: the part of a remote
//!   endpoint that a behaviour looks at; `facet_set`: many of those; `ports`: the choice of
//!   external ports.

pub mod config;
mod facet;
mod facet_set;
mod mapping;
mod ports;
pub mod presets;
mod table;
pub mod translator;
pub mod verdict;

pub use config::{Behavior, Hairpinning, NatConfig, PortAssignment, Refresh};
pub use presets::{PRESETS, preset};
pub use translator::Nat;
pub use verdict::{NatDrop, Outbound};
