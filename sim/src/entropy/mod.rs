//! Seeded randomness for everything in a run, the WebRTC stack and the standard library included.
//!
//! - [`crypto`]: a crypto provider whose keys and nonces follow from the seed.
//! - `os`: replaces four libc calls on simulation threads, inert on every other thread.

pub mod crypto;
pub(crate) mod os;

use std::time::Duration;

/// What the wall clock shows at virtual time zero, since 1970: 2026-01-01 00:00:00 UTC. DTLS
/// hellos and RTCP sender reports carry it.
pub const EPOCH: Duration = Duration::from_secs(1_767_225_600);
