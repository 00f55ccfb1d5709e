//! Real WebRTC calls: peers, media, infrastructure, and topologies.
//!
//! [`run()`] executes one [`scenarios::Plan`] and returns what it recorded; [`run_with`] lets
//! others watch the packets too.
//!
//! - [`world`]: the hosts, NATs, links and servers of a plan; [`addresses`]: who has which address.
//! - [`infra`]: the servers that every call needs: signalling, STUN and TURN.
//! - [`peer`]: a participant; [`media`]: pictures, sound and codecs as pure pieces.
//! - [`member`]: what everybody in a call does: signalling, connections; [`client`]: participants;
//!   [`server`]: who carries their media.
//! - [`mesh`]: every pair connected; [`sfu`]: a server that forwards; [`mcu`]: one that mixes.
//! - [`data`]: files, state and chat over data channels.
//! - [`events`]: what happens to the network in mid-call.
//! - [`traversal`]: cells of a traversal matrix, and what theory says of them.
//! - [`observe`]: what is measured, and how.
//! - [`calibrate`]: what work costs on the machine that this runs on.

pub mod addresses;
pub mod calibrate;
pub mod client;
pub mod costs;
pub mod data;
pub mod events;
pub mod infra;
pub mod mcu;
pub mod media;
pub mod member;
pub mod mesh;
pub mod observe;
pub mod peer;
mod run;
pub mod server;
pub mod sfu;
mod statics;
pub mod traversal;
pub mod world;

pub use run::{CellOutput, Progress, RunError, RunOptions, Screen, run, run_until_media, run_with};
