//! The byte streams that signalling runs over.

use std::io;
use std::net::SocketAddr;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};

/// A reliable, ordered stream of bytes in both directions, such as a TCP connection.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Accepts the connections of clients.
#[async_trait]
pub trait Listener: Send {
    /// Waits for the next connection. An error concerns that connection only, unless errors
    /// persist.
    async fn accept(&mut self) -> io::Result<(Box<dyn Stream>, SocketAddr)>;
}

/// Connects to the server, again for every attempt.
#[async_trait]
pub trait Connector: Send + Sync {
    /// One attempt. The caller bounds its time by dropping the future.
    async fn connect(&self) -> io::Result<Box<dyn Stream>>;
}
