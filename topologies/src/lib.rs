//! Real WebRTC calls: peers, media, infrastructure, and topologies.
//!
//! [`run`] executes one [`scenarios::Plan`] and returns what it recorded; [`run_with`] lets
//! others watch the packets too.
//!
//! - [`world`]: the hosts, NATs, links and servers of a plan; [`addresses`]: who has which address.
//! - [`infra`]: the servers that every call needs: signalling, STUN and TURN.
//! - [`peer`]: a participant; [`media`]: pictures, sound and codecs as pure pieces.
//! - [`mesh`]: every pair connected.
//! - [`observe`]: what is measured, and how.

pub mod addresses;
pub mod costs;
pub mod infra;
pub mod media;
pub mod mesh;
pub mod observe;
pub mod peer;
mod run;
pub mod world;

pub use run::{CellOutput, Progress, RunError, RunOptions, run, run_with};
