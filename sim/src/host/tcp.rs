//! TCP for hosts: `turmoil-net` streams whose segments cross links and NATs.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, BufReader, ReadBuf};
use turmoil_net::shim::tokio::net as shim;

use crate::kernel::HostId;
use crate::runtime::SimRuntime;
use crate::runtime::shared::Shared;

/// What a stack keeps of a connection's data until it is read: the largest window without scaling
/// (RFC 9293 section 3.1), and one byte.
pub(crate) const RECEIVE_BUFFER_BYTES: usize = 1 << 16;

/// Makes a host's stack the current one, and keeps the stacks running.
#[derive(Clone)]
struct Stack {
    shared: Arc<Shared>,
    host: HostId,
}

impl Stack {
    fn of(runtime: &SimRuntime) -> Self {
        Stack {
            shared: Arc::clone(&runtime.shared),
            host: runtime.host,
        }
    }

    fn enter(&self) {
        let stack = self.shared.with(|core| {
            core.tcp.touch(&mut core.network);
            core.tcp.stack(self.host)
        });
        turmoil_net::set_current(stack);
    }
}

/// A future that runs, and is dropped, with its host's stack as the current one.
struct Within<F> {
    stack: Stack,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.stack.enter();
        self.future.as_mut().poll(cx)
    }
}

impl<F> Drop for Within<F> {
    fn drop(&mut self) {
        self.stack.enter();
    }
}

/// Accepts connections of a host.
pub struct TcpListener {
    inner: shim::TcpListener,
    stack: Stack,
}

impl TcpListener {
    /// Listens on a port of the runtime's host.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::AddrInUse`] if the port is taken.
    pub async fn bind(runtime: &SimRuntime, port: u16) -> io::Result<Self> {
        let stack = Stack::of(runtime);
        let endpoint = SocketAddr::new(runtime.address().into(), port);
        let inner = Within {
            stack: stack.clone(),
            future: Box::pin(shim::TcpListener::bind(endpoint)),
        }
        .await?;
        Ok(TcpListener { inner, stack })
    }

    /// Waits for the next connection.
    ///
    /// # Errors
    ///
    /// What the stack reports; a healthy listener has none.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let accept = |cx: &mut Context<'_>| {
            self.stack.enter();
            self.inner.poll_accept(cx)
        };
        let (inner, peer) = std::future::poll_fn(accept).await?;
        Ok((TcpStream::new(inner, self.stack.clone()), peer))
    }

    /// The endpoint that it listens on.
    ///
    /// # Errors
    ///
    /// What the stack reports; a healthy listener has none.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stack.enter();
        self.inner.local_addr()
    }
}

impl Drop for TcpListener {
    fn drop(&mut self) {
        self.stack.enter();
    }
}

/// A connection of a host.
pub struct TcpStream {
    /// Reads all that has arrived at once. The stack tells the sender that a closed window is open
    /// again only after a read of half its buffer, so a reader of small pieces would wait for
    /// data that the sender may not send.
    inner: BufReader<shim::TcpStream>,
    stack: Stack,
}

impl TcpStream {
    fn new(inner: shim::TcpStream, stack: Stack) -> Self {
        let inner = BufReader::with_capacity(RECEIVE_BUFFER_BYTES, inner);
        TcpStream { inner, stack }
    }

    /// Connects the runtime's host to `remote`.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::ConnectionRefused`] if nobody listens there, [`io::ErrorKind::TimedOut`]
    /// if nothing answers.
    pub async fn connect(runtime: &SimRuntime, remote: SocketAddrV4) -> io::Result<Self> {
        let stack = Stack::of(runtime);
        let inner = Within {
            stack: stack.clone(),
            future: Box::pin(shim::TcpStream::connect(SocketAddr::V4(remote))),
        }
        .await?;
        Ok(TcpStream::new(inner, stack))
    }

    /// The host's own end of it.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotConnected`] when it is over.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stack.enter();
        self.inner.get_ref().local_addr()
    }

    /// The other end.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotConnected`] when it is over.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stack.enter();
        self.inner.get_ref().peer_addr()
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        self.stack.enter();
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stack.enter();
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stack.enter();
        Pin::new(&mut self.inner).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stack.enter();
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stack.enter();
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
