//! The runtime of one connection: its host's, but for sockets.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime,
};

use super::channels::{Passwords, SteadyChannels};
use super::ecn::{CapableMedia, Codepoints};
use super::ice_tcp::IceTcp;

/// A future of the stack's traits.
type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A runtime of one connection.
#[derive(Debug)]
pub struct OwnRuntime {
    /// The host's.
    pub runtime: Arc<dyn Runtime>,
    /// The connection's role in TCP, if it has any.
    pub ice_tcp: Option<IceTcp>,
    /// Whose [channels](SteadyChannels) are kept, if anybody's.
    pub channels_of: Option<Passwords>,
    /// Where it is noted what media comes with, if what is sent [may be marked](CapableMedia).
    pub codepoints: Option<Codepoints>,
}

impl Runtime for OwnRuntime {
    fn spawn(&self, future: Later<'static, ()>) -> Box<dyn JoinHandle> {
        self.runtime.spawn(future)
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let socket = self.runtime.wrap_udp_socket(socket)?;
        let socket: Arc<dyn AsyncUdpSocket> = match &self.channels_of {
            None => socket,
            Some(users) => Arc::new(SteadyChannels::new(socket, users.clone())),
        };
        Ok(match &self.codepoints {
            None => socket,
            Some(codepoints) => Arc::new(CapableMedia::new(socket, codepoints.clone())),
        })
    }

    fn wrap_tcp_listener(&self, listener: TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        match &self.ice_tcp {
            None => self.runtime.wrap_tcp_listener(listener),
            Some(role) => role.listener(&listener),
        }
    }

    fn connect_tcp<'a>(
        &'a self,
        remote: SocketAddr,
    ) -> Later<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        self.runtime.connect_tcp(remote)
    }

    fn resolve_host<'a>(&'a self, host: &'a str) -> Later<'a, io::Result<Vec<SocketAddr>>> {
        self.runtime.resolve_host(host)
    }

    fn now(&self) -> Instant {
        self.runtime.now()
    }

    fn sleep(&self, duration: Duration) -> Later<'static, ()> {
        self.runtime.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        self.runtime.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        self.runtime.block_on(future);
    }

    fn name(&self) -> &'static str {
        self.runtime.name()
    }
}
