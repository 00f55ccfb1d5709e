//! Hosts: UDP sockets, TCP stacks and CPUs.

pub mod cpu;
pub(crate) mod sockets;
pub mod tcp;

pub use sockets::UdpError;
