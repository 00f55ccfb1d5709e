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
pub use link::pipe::{LinkDrop, Pipe, PipeStreams, Verdict};
pub use link::presets::{PRESETS as LINK_PRESETS, preset as link_preset};
pub use link::validate::LinkError;
pub use nat::{
    Behavior, Hairpinning, Nat, NatConfig, NatDrop, Outbound, PRESETS as NAT_PRESETS,
    PortAssignment, Refresh, preset as nat_preset,
};
pub use packet::{Packet, Payload, Protocol};
pub use seed::Seed;
pub use time::Time;
