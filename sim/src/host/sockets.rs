//! UDP sockets with bounded receive buffers.

use std::collections::VecDeque;
use std::net::SocketAddrV4;
use std::task::Waker;

use bytes::Bytes;

use crate::ecn::Ecn;
use crate::kernel::{HostId, SocketId};

/// Bytes of payload that wait in a socket before packets are dropped: the default of
/// `net.core.rmem_default` on Linux (Documentation/admin-guide/sysctl/net.rst; 212,992 on x86-64).
pub const RECEIVE_BUFFER_BYTES: usize = 212_992;

/// The first ephemeral port (RFC 6335 section 6: 49152 to 65535 are dynamic ports).
const FIRST_EPHEMERAL: u16 = 49_152;

/// A datagram that waits to be read.
#[derive(Clone, Debug)]
pub struct Datagram {
    /// Who sent it, as seen here.
    pub source: SocketAddrV4,
    /// Its payload.
    pub data: Bytes,
    /// The ECN field that it arrived with.
    pub ecn: Ecn,
}

/// Why a datagram of a socket did not get where it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UdpError {
    /// The host at this endpoint has no socket there.
    Refused(SocketAddrV4),
    /// It was larger than the MTU of the host's own link, and must not be fragmented.
    TooBig,
}

/// One UDP socket.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) host: HostId,
    pub(crate) local: SocketAddrV4,
    queue: VecDeque<Datagram>,
    queued_bytes: usize,
    capacity: usize,
    reader: Option<Waker>,
    /// The latest error that nobody has asked for.
    pub(crate) error: Option<UdpError>,
}

impl Socket {
    pub(crate) fn new(host: HostId, local: SocketAddrV4) -> Self {
        Socket {
            host,
            local,
            queue: VecDeque::new(),
            queued_bytes: 0,
            capacity: RECEIVE_BUFFER_BYTES,
            reader: None,
            error: None,
        }
    }

    /// Whether a datagram with this many bytes of payload fits into the receive buffer.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.queued_bytes + bytes <= self.capacity
    }

    /// Queues a datagram for which there is room.
    pub(crate) fn push(&mut self, datagram: Datagram) {
        debug_assert!(self.has_room(datagram.data.len()));
        self.queued_bytes += datagram.data.len();
        self.queue.push_back(datagram);
    }

    pub(crate) fn pop(&mut self) -> Option<Datagram> {
        let datagram = self.queue.pop_front()?;
        self.queued_bytes -= datagram.data.len();
        Some(datagram)
    }

    /// Registers who is woken by the next datagram.
    pub(crate) fn wait(&mut self, waker: &Waker) {
        match &mut self.reader {
            Some(reader) => reader.clone_from(waker),
            None => self.reader = Some(waker.clone()),
        }
    }

    pub(crate) fn take_reader(&mut self) -> Option<Waker> {
        self.reader.take()
    }
}

/// Which socket has which UDP port of a host.
#[derive(Debug)]
pub(crate) struct PortTable {
    /// Ascending by port. Most hosts have a handful, in one cache line.
    bound: Vec<(u16, SocketId)>,
    next_ephemeral: u16,
}

impl PortTable {
    pub(crate) fn find(&self, port: u16) -> Option<SocketId> {
        self.search(port).ok().map(|place| self.bound[place].1)
    }

    /// Binds `port` to `socket`; `false` if it is taken.
    pub(crate) fn bind(&mut self, port: u16, socket: SocketId) -> bool {
        let free = self.search(port);
        if let Err(place) = free {
            self.bound.insert(place, (port, socket));
        }
        free.is_err()
    }

    pub(crate) fn release(&mut self, port: u16) {
        if let Ok(place) = self.search(port) {
            self.bound.remove(place);
        }
    }

    /// Where `port` is, or `Err` with where it would be.
    fn search(&self, port: u16) -> Result<usize, usize> {
        self.bound.binary_search_by_key(&port, |&(bound, _)| bound)
    }

    /// The next free ephemeral port, in turn; `None` if all are taken.
    pub(crate) fn ephemeral(&mut self) -> Option<u16> {
        for _ in FIRST_EPHEMERAL..=u16::MAX {
            let port = self.next_ephemeral;
            self.next_ephemeral = port.checked_add(1).unwrap_or(FIRST_EPHEMERAL);
            if self.search(port).is_err() {
                return Some(port);
            }
        }
        None
    }
}

impl Default for PortTable {
    fn default() -> Self {
        PortTable {
            bound: Vec::new(),
            next_ephemeral: FIRST_EPHEMERAL,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn the_receive_buffer_is_bounded_in_bytes() {
        let local = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1);
        let mut socket = Socket::new(HostId(0), local);
        let datagram = |bytes: usize| Datagram {
            source: local,
            data: Bytes::from(vec![0; bytes]),
            ecn: Ecn::NotEct,
        };
        // 212,992 = 177 x 1,200 + 592: 177 datagrams of 1,200 bytes fit, then one of 592 and,
        // with no byte left, only empty ones.
        for _ in 0..177 {
            assert!(socket.has_room(1_200));
            socket.push(datagram(1_200));
        }
        assert!(!socket.has_room(593));
        assert!(socket.has_room(592));
        socket.push(datagram(592));
        assert!(!socket.has_room(1));
        assert!(socket.has_room(0));
        assert_eq!(
            socket.pop().map(|datagram| datagram.data.len()),
            Some(1_200)
        );
        assert!(socket.has_room(1_200));
        assert!(!socket.has_room(1_201));
    }

    #[test]
    fn ephemeral_ports_come_in_turn_and_skip_bound_ones() {
        let mut ports = PortTable::default();
        assert!(ports.bind(49_153, SocketId(0)));
        assert_eq!(ports.ephemeral(), Some(49_152));
        assert_eq!(ports.ephemeral(), Some(49_154));
    }
}
