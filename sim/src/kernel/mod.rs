//! The event kernel: a clock, an event queue, and packets that cross links and NATs.
//!
//! [`Network`] is a plain state machine: it is told what to send, and [`Network::step`] does the
//! next event. It knows no tasks; [`crate::runtime`] puts those on top.

mod arena;
mod cross;
mod drops;
pub(crate) mod event;
mod faults;
mod fragments;
mod icmp;
pub(crate) mod id;
mod lanes;
mod map;
mod network;
mod path;
mod queue;
mod route;

pub use cross::FlowId;
pub use drops::DropReason;
pub use faults::Roam;
pub use id::{GatewayId, HostId, SocketId};
pub use lanes::Way;
pub use network::{HostConfig, Network, NetworkError, Step};
