//! Why a packet did not arrive.

use crate::link::pipe::LinkDrop;
use crate::nat::NatDrop;

/// Why a packet was dropped; every packet that is not delivered has exactly one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropReason {
    /// On the sender's uplink.
    Uplink(LinkDrop),
    /// On the receiver's downlink.
    Downlink(LinkDrop),
    /// By a NAT, on the way out or in.
    Nat(NatDrop),
    /// Nobody has the destination address.
    NoRoute,
    /// The host has no socket at the destination port.
    PortUnreachable,
    /// The socket's receive buffer is full.
    SocketBufferFull,
    /// The CPU of the host that sends or receives it is too far behind.
    CpuOverload,
    /// The packet crossed more NATs than a path can have: a loop.
    HopLimit,
    /// The packet was on the link of a host that moved to another network.
    LinkLeft,
}

impl DropReason {
    /// A stable name for files and tables, such as `uplink-loss`.
    pub fn name(self) -> String {
        match self {
            DropReason::Uplink(reason) => format!("uplink-{}", reason.name()),
            DropReason::Downlink(reason) => format!("downlink-{}", reason.name()),
            DropReason::Nat(reason) => format!("nat-{}", reason.name()),
            DropReason::NoRoute => "no-route".into(),
            DropReason::PortUnreachable => "port-unreachable".into(),
            DropReason::SocketBufferFull => "socket-buffer-full".into(),
            DropReason::CpuOverload => "cpu-overload".into(),
            DropReason::HopLimit => "hop-limit".into(),
            DropReason::LinkLeft => "link-left".into(),
        }
    }
}
