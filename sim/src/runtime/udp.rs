//! UDP sockets as the WebRTC stack sees them.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use webrtc::runtime::{AsyncUdpSocket, EcnCodepoint, RecvMeta, Transmit};

use super::flush::FlushGroup;
use super::handshakes::Handshakes;
use super::shared::{Shared, SimRuntime};
use crate::ecn::Ecn;
use crate::kernel::SocketId;

/// The largest UDP payload over IPv4: 65,535 bytes less the IP and UDP headers (RFC 768).
const MAX_PAYLOAD: usize = 65_507;

/// A UDP socket of a host; closes when dropped.
pub struct SimUdpSocket {
    shared: Arc<Shared>,
    id: SocketId,
    endpoint: SocketAddrV4,
    flush: Option<FlushGroup>,
    handshakes: Option<Mutex<Handshakes>>,
}

impl SimUdpSocket {
    pub(crate) fn bind(runtime: &SimRuntime, port: u16) -> io::Result<Self> {
        let bound = runtime.shared.with(|core| {
            let id = core.network.bind_udp(runtime.host, port)?;
            if let Some(group) = runtime.flush {
                core.flush.bound(group, id);
            }
            Ok((id, core.network.local(id)))
        });
        let (id, endpoint) = bound.map_err(|error: crate::kernel::NetworkError| {
            io::Error::new(io::ErrorKind::AddrInUse, error)
        })?;
        Ok(SimUdpSocket {
            shared: Arc::clone(&runtime.shared),
            id,
            endpoint,
            flush: runtime.flush,
            handshakes: runtime.steadies_handshakes.then(Mutex::default),
        })
    }

    /// Whether a datagram is kept from the reader.
    fn keeps(&self, datagram: &[u8]) -> bool {
        self.handshakes.as_ref().is_some_and(|handshakes| {
            let mut handshakes = handshakes.lock().unwrap_or_else(PoisonError::into_inner);
            handshakes.repeats(datagram)
        })
    }

    /// The socket's endpoint, as its host sees it.
    pub fn endpoint(&self) -> SocketAddrV4 {
        self.endpoint
    }
}

/// A codepoint of the stack, which has none for Not-ECT, as the field of a header.
fn to_field(codepoint: EcnCodepoint) -> Ecn {
    match codepoint {
        EcnCodepoint::Ect0 => Ecn::Ect0,
        EcnCodepoint::Ect1 => Ecn::Ect1,
        EcnCodepoint::Ce => Ecn::Ce,
    }
}

impl fmt::Debug for SimUdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SimUdpSocket").field(&self.endpoint).finish()
    }
}

impl Drop for SimUdpSocket {
    fn drop(&mut self) {
        let reader = self.shared.with(|core| {
            if let Some(group) = self.flush {
                core.flush.closed(group, self.id);
            }
            core.network.close_udp(self.id)
        });
        drop(reader);
    }
}

impl AsyncUdpSocket for SimUdpSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.endpoint.into())
    }

    fn poll_send(&self, _cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let SocketAddr::V4(destination) = transmit.destination else {
            return Poll::Ready(Err(io::ErrorKind::NetworkUnreachable.into()));
        };
        let length = transmit.contents.len();
        if length > MAX_PAYLOAD {
            return Poll::Ready(Err(io::ErrorKind::InvalidInput.into()));
        }
        self.shared.with(|core| {
            let ecn = transmit.ecn.map_or(Ecn::NotEct, to_field);
            core.network
                .send_udp_copy(self.id, destination, transmit.contents, ecn);
        });
        Poll::Ready(Ok(length))
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        self.shared.with(|core| {
            let mut filled = 0;
            for (buffer, meta) in bufs.iter_mut().zip(meta) {
                let mut received = std::iter::from_fn(|| core.network.receive_udp(self.id));
                let Some(datagram) = received.find(|datagram| !self.keeps(&datagram.data)) else {
                    break;
                };
                let length = datagram.data.len().min(buffer.len());
                buffer[..length].copy_from_slice(&datagram.data[..length]);
                *meta = RecvMeta::default();
                meta.addr = datagram.source.into();
                meta.len = length;
                meta.stride = length.max(1);
                meta.ecn = EcnCodepoint::from_bits(datagram.ecn.bits());
                filled += 1;
            }
            if filled > 0 {
                return Poll::Ready(Ok(filled));
            }
            core.network.wait_udp(self.id, cx.waker());
            Poll::Pending
        })
    }
}
