//! Tasks in virtual time: `impl webrtc::runtime::Runtime` for a host of the simulation.
//!
//! - [`Simulation`]: the loop that does one event, runs every task that it woke, and repeats.
//! - [`SimRuntime`]: what the code of one host sees.
//! - [`Computing`]: work that a host's CPU is charged for.
//! - [`meter`]: CPU time by host and by work, measured.

mod aside;
mod flush;
mod handshakes;
mod logs;
pub mod meter;
pub(crate) mod shared;
mod simulation;
mod task;
mod tcp;
mod tcp_acks;
mod tcp_driver;
mod timer;
mod udp;
mod work;

pub use shared::SimRuntime;
pub use simulation::{Finished, Simulation, simulate};
pub use tcp::{SimTcpListener, SimTcpStream};
pub use udp::SimUdpSocket;
pub use work::Computing;
