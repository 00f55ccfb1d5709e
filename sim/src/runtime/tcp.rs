//! TCP as the WebRTC stack sees it: listeners and streams of ICE-TCP (RFC 6544).

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, ready};

use futures::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use webrtc::runtime::{AsyncTcpListener, AsyncTcpStream};

use super::shared::SimRuntime;
use crate::host::tcp::{TcpListener, TcpStream};

/// What an operation of a stream gives in the end.
type Operation<'a, T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send + 'a>>;

/// Accepts TCP connections of a host.
pub struct SimTcpListener {
    inner: TcpListener,
    endpoint: SocketAddr,
}

impl SimTcpListener {
    /// Listens on a port of the runtime's host.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AddrInUse`] if the port is taken.
    ///
    /// # Panics
    ///
    /// If the TCP stack makes a bind wait, which it has no reason to.
    pub fn bind(runtime: &SimRuntime, port: u16) -> io::Result<Self> {
        let bound = TcpListener::bind(runtime, port).now_or_never();
        let inner = bound.expect("binding waits for nothing")?;
        let endpoint = inner.local_addr()?;
        Ok(SimTcpListener { inner, endpoint })
    }
}

impl fmt::Debug for SimTcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("SimTcpListener");
        tuple.field(&self.endpoint).finish()
    }
}

impl AsyncTcpListener for SimTcpListener {
    fn accept<'a>(&'a self) -> Operation<'a, (Arc<dyn AsyncTcpStream>, SocketAddr)> {
        Box::pin(async move {
            let (stream, peer) = self.inner.accept().await?;
            let stream: Arc<dyn AsyncTcpStream> = Arc::new(SimTcpStream::new(stream)?);
            Ok((stream, peer))
        })
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.endpoint)
    }
}

/// A TCP connection of a host that carries packets, one in each write.
///
/// A write never waits: a packet that finds no room is left out whole, as libwebrtc does
/// (`AsyncTCPSocketBase`). The stack's driver reads nothing while it waits for a write, so two
/// drivers that waited for each other would wait for ever.
pub struct SimTcpStream {
    state: Mutex<State>,
    local: SocketAddr,
    peer: SocketAddr,
}

struct State {
    stream: TcpStream,
    /// The rest of a packet of which a part has been written.
    rest: Vec<u8>,
}

impl SimTcpStream {
    fn new(stream: TcpStream) -> io::Result<Self> {
        Ok(SimTcpStream {
            local: stream.local_addr()?,
            peer: stream.peer_addr()?,
            state: Mutex::new(State {
                stream,
                rest: Vec::new(),
            }),
        })
    }

    /// Connects the runtime's host to `remote`.
    ///
    /// # Errors
    ///
    /// Those of [`TcpStream::connect`].
    pub async fn connect(runtime: &SimRuntime, remote: SocketAddrV4) -> io::Result<Self> {
        SimTcpStream::new(TcpStream::connect(runtime, remote).await?)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics with a stream")
    }
}

impl State {
    /// Writes what is left of the packet before.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.rest.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.rest))?;
            self.rest.drain(..written);
        }
        Poll::Ready(Ok(()))
    }

    /// Takes a packet: all of it, of which what has no room yet waits, or nothing.
    fn write(&mut self, cx: &mut Context<'_>, packet: &[u8]) -> io::Result<()> {
        if self.poll_rest(cx)?.is_pending() {
            return Ok(());
        }
        if let Poll::Ready(written) = Pin::new(&mut self.stream).poll_write(cx, packet)? {
            self.rest.extend_from_slice(&packet[written..]);
        }
        Ok(())
    }

    /// Reads what is there. Whoever reads is woken for the rest of a packet, too: there is
    /// always somebody who reads, and not always a next packet.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Err(error)) = self.poll_rest(cx) {
            return Poll::Ready(Err(error));
        }
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

impl fmt::Debug for SimTcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("SimTcpStream");
        tuple.field(&self.local).field(&self.peer).finish()
    }
}

impl AsyncTcpStream for SimTcpStream {
    fn read<'a, 'b>(&'a self, buffer: &'b mut [u8]) -> Operation<'b, usize>
    where
        'a: 'b,
    {
        Box::pin(poll_fn(move |cx| self.lock().poll_read(cx, buffer)))
    }

    fn write_all<'a, 'b>(&'a self, packet: &'b [u8]) -> Operation<'b, ()>
    where
        'a: 'b,
    {
        Box::pin(poll_fn(move |cx| {
            Poll::Ready(self.lock().write(cx, packet))
        }))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}
