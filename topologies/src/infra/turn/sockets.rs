//! Where relay sockets come from.

use std::fmt::Debug;
use std::io;
use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;

use webrtc::runtime::{AsyncUdpSocket, Runtime};

/// Opens sockets on the IP address of a TURN server.
pub trait RelaySockets: Send + Sync + Debug {
    /// A socket that is bound to `port`. It is closed by dropping it.
    fn open(&self, port: u16) -> io::Result<Arc<dyn AsyncUdpSocket>>;
}

/// Binds with `std` and hands the socket to a runtime, as the WebRTC stack does.
#[derive(Debug)]
pub struct RuntimeSockets {
    runtime: Arc<dyn Runtime>,
    ip: IpAddr,
}

impl RuntimeSockets {
    /// Sockets on `ip`, driven by `runtime`.
    pub fn new(runtime: Arc<dyn Runtime>, ip: IpAddr) -> Self {
        RuntimeSockets { runtime, ip }
    }
}

impl RelaySockets for RuntimeSockets {
    fn open(&self, port: u16) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        self.runtime
            .wrap_udp_socket(UdpSocket::bind((self.ip, port))?)
    }
}
