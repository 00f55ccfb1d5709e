//! Tasks in virtual time: `impl webrtc::runtime::Runtime` for a host of the simulation.
//!
//! - [`Simulation`]: the loop that does one event, runs every task that it woke, and repeats.
//! - [`SimRuntime`]: what the code of one host sees.
//! - [`meter`]: CPU time by host, measured.

mod flush;
mod logs;
pub mod meter;
pub(crate) mod shared;
mod simulation;
mod task;
mod tcp_acks;
mod tcp_driver;
mod timer;
mod udp;

pub use shared::SimRuntime;
pub use simulation::{Finished, Simulation, simulate};
pub use udp::SimUdpSocket;
