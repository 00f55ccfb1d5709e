//! When the hosts' TCP stacks run.
//!
//! `turmoil-net` has no clock: it counts the passes in which it may send, and retransmits after so
//! many passes without an acknowledgement. So passes happen on a fixed cadence while any host uses
//! TCP, and the count is a time.

use std::net::Ipv4Addr;
use std::time::Duration;

use rustc_hash::FxHashMap;
use turmoil_net::KernelConfig;

use super::tcp_acks::Acknowledgements;
use crate::host::tcp::RECEIVE_BUFFER_BYTES;
use crate::kernel::event::Event;
use crate::kernel::{HostId, Network};
use crate::time::{Time, nanos};

/// Between two passes: a segment waits up to this long before it is put on the link.
const CADENCE: Duration = Duration::from_millis(1);

/// Passes until a retransmission: RFC 6298 section 2.4 rounds timeouts up to 1 s.
const RETRANSMISSION_PASSES: u32 = 1_000;

/// Retransmissions until a connection fails: `tcp_retries2` of Linux (Documentation/networking/
/// ip-sysctl.rst) is 15; here they do not back off.
const RETRANSMISSIONS: u32 = 15;

/// How long passes go on after the last sign of activity: whatever is not acknowledged is sent
/// again within this time, and that is activity.
const QUIET: Duration = Duration::from_millis(1_100);

/// How each host's TCP stack is set.
pub(crate) fn kernel_config() -> KernelConfig {
    KernelConfig::default()
        .retx_threshold(RETRANSMISSION_PASSES)
        .retx_max(RETRANSMISSIONS)
        .recv_buf_cap(RECEIVE_BUFFER_BYTES)
}

/// Which hosts have TCP stacks, and when they run next.
#[derive(Debug, Default)]
pub(crate) struct TcpDriver {
    owners: FxHashMap<Ipv4Addr, HostId>,
    stacks: Vec<turmoil_net::HostId>,
    pub(crate) acks: Acknowledgements,
    active_until: Time,
    scheduled: bool,
}

impl TcpDriver {
    /// Registers the TCP stack of the next host.
    pub(crate) fn add(&mut self, address: Ipv4Addr, host: HostId, stack: turmoil_net::HostId) {
        debug_assert_eq!(self.stacks.len(), host.index(), "hosts are added in order");
        self.owners.insert(address, host);
        self.stacks.push(stack);
    }

    pub(crate) fn stack(&self, host: HostId) -> turmoil_net::HostId {
        self.stacks[host.index()]
    }

    pub(crate) fn owner(&self, address: Ipv4Addr) -> Option<HostId> {
        self.owners.get(&address).copied()
    }

    /// Some host used TCP: passes go on, or start again.
    pub(crate) fn touch(&mut self, network: &mut Network) {
        self.active_until = network.now() + QUIET;
        self.schedule(network);
    }

    /// A pass is over: schedules the next one unless everything is quiet.
    pub(crate) fn passed(&mut self, network: &mut Network) {
        self.scheduled = false;
        if network.now() < self.active_until {
            self.schedule(network);
        }
    }

    fn schedule(&mut self, network: &mut Network) {
        if !self.scheduled {
            let cadence = nanos(CADENCE);
            let next = (network.now().as_nanos() / cadence + 1) * cadence;
            network.schedule(Time::from_nanos(next), Event::Tcp);
            self.scheduled = true;
        }
    }
}
