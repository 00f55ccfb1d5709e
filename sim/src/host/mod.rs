//! Hosts: UDP sockets and TCP stacks.

pub(crate) mod sockets;
pub mod tcp;

pub use sockets::UdpError;
