//! The emulated world of rtclab: virtual time, hosts, links, NATs, and a runtime for `webrtc`.
//!
//! - [`time`]: nanoseconds of virtual time; [`seed`]: one seed, named independent streams.
//! - [`packet`]: packets and their sizes on the wire.
//! - [`link`]: access links as pipelines of small stages; [`nat`]: RFC 4787 translators.

pub mod link;
pub mod nat;
pub mod packet;
pub mod seed;
pub mod time;

pub use link::config::{JitterConfig, LinkConfig, LossConfig, PipeConfig, Reorder};
pub use nat::{Behavior, Hairpinning, Nat, NatConfig, NatDrop, Outbound, PortAssignment, Refresh};
pub use packet::{Packet, Payload, Protocol};
pub use seed::Seed;
pub use time::Time;
