//! Network address translators, in the terms of RFC 4787.
//!
//! A [`Nat`] is pure: it is told the time and the endpoints of a packet, answers with the
//! translated endpoints or an explicit [`NatDrop`], and draws from the stream it was given.
//!
//! - [`config`]: what a NAT does; [`presets`]: named NATs, each expanding to configurations.
//! - [`translator`]: the NAT itself: firewall, hairpinning, one table per protocol.
//! - [`verdict`]: what became of a packet.
//! - `table`: the mappings of one protocol, their filters, lifetimes and pinned replies; `extras`:
//!   what only some tables keep; `limits`: how many mappings there may be.
//! - [`tcp`]: connections, and how long they keep a mapping.
//! - `mapping`: one mapping and the remotes that it lets in; `facet`: the part of a remote
//!   endpoint that a behaviour looks at; `facet_set`: many of those.
//! - `pool`: the choice of external addresses; `ports`: that of external ports, with `port_set`, a
//!   bitmap, and `port_blocks`, ranges per host.

pub mod config;
mod extras;
mod facet;
mod facet_set;
mod limits;
mod mapping;
mod pool;
mod port_blocks;
mod port_set;
mod ports;
pub mod presets;
mod table;
pub mod tcp;
pub mod translator;
pub mod verdict;

pub use config::{
    Behavior, FilterScope, Fragments, Hairpinning, NatConfig, Pooling, PortAssignment, Refresh,
    TimerScope, WhenFull,
};
pub use presets::{PRESETS, preset};
pub use tcp::{Segment, Transport};
pub use translator::Nat;
pub use verdict::{NatDrop, Outbound};
