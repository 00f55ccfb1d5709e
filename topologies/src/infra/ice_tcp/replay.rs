//! A stream whose begin was read already.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use webrtc::runtime::AsyncTcpStream;

/// Gives what was read before, then what the stream gives.
#[derive(Debug)]
pub(super) struct Replay {
    read: Mutex<Vec<u8>>,
    stream: Arc<dyn AsyncTcpStream>,
}

impl Replay {
    pub(super) fn new(read: Vec<u8>, stream: Arc<dyn AsyncTcpStream>) -> Self {
        let read = Mutex::new(read);
        Replay { read, stream }
    }

    /// As much of what was read before as there is room for.
    fn again(&self, buffer: &mut [u8]) -> usize {
        let mut read = self.read.lock().expect("nothing panics with it");
        let length = read.len().min(buffer.len());
        buffer[..length].copy_from_slice(&read[..length]);
        read.drain(..length);
        length
    }
}

impl AsyncTcpStream for Replay {
    fn read<'a, 'b>(
        &'a self,
        buffer: &'b mut [u8],
    ) -> Pin<Box<dyn Future<Output = io::Result<usize>> + Send + 'b>>
    where
        'a: 'b,
    {
        Box::pin(async move {
            match self.again(buffer) {
                0 => self.stream.read(buffer).await,
                length => Ok(length),
            }
        })
    }

    fn write_all<'a, 'b>(
        &'a self,
        data: &'b [u8],
    ) -> Pin<Box<dyn Future<Output = io::Result<()>> + Send + 'b>>
    where
        'a: 'b,
    {
        self.stream.write_all(data)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.stream.local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}
