//! One TCP port for all connections of a server (RFC 6544), as a firewall lets through just one.
//!
//! The stack has a listener for each connection. Here a [`TcpMux`] accepts for all of them: it reads
//! the first packet of a stream, a connectivity check, whose user name begins with the fragment of
//! the connection that it is for (RFC 8445 section 7.2.2), and hands the stream to that one.

mod check;
mod replay;

use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use webrtc::runtime::{AsyncTcpListener, AsyncTcpStream, Runtime, timeout};

use replay::Replay;

/// Who connects and says nothing for so long is sent away: checks go on for 30 s at most.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stream and who is at its other end.
type Accepted = (Arc<dyn AsyncTcpStream>, SocketAddr);

/// Where the streams of each user name fragment go.
type Fragments = Arc<Mutex<BTreeMap<String, UnboundedSender<Accepted>>>>;

/// The port of a server.
#[derive(Clone)]
pub struct TcpMux {
    endpoint: SocketAddr,
    fragments: Fragments,
}

impl TcpMux {
    /// Accepts streams from `listener` until it fails.
    ///
    /// # Errors
    ///
    /// If the listener does not know where it listens.
    pub fn serve(
        runtime: Arc<dyn Runtime>,
        listener: Arc<dyn AsyncTcpListener>,
    ) -> io::Result<Self> {
        let mux = TcpMux {
            endpoint: listener.local_addr()?,
            fragments: Fragments::default(),
        };
        let serving = mux.clone();
        let tasks = Arc::clone(&runtime);
        runtime.spawn(Box::pin(async move {
            while let Ok(accepted) = listener.accept().await {
                let (mux, runtime) = (serving.clone(), Arc::clone(&tasks));
                tasks.spawn(Box::pin(async move {
                    let greeted = timeout(runtime.as_ref(), PATIENCE, mux.pass_on(accepted)).await;
                    if !matches!(greeted, Ok(Some(()))) {
                        log::debug!("a TCP stream that is for no connection");
                    }
                }));
            }
        }));
        Ok(mux)
    }

    /// A place for one connection, which no stream is for yet.
    pub fn slot(&self) -> Slot {
        let (streams, accepted) = unbounded_channel();
        Slot {
            endpoint: self.endpoint,
            fragments: Arc::clone(&self.fragments),
            streams,
            accepted: Arc::new(Mutex::new(accepted)),
        }
    }

    /// Hands a stream to the connection that its first packet is for; `None` if there is none.
    async fn pass_on(&self, (stream, peer): Accepted) -> Option<()> {
        let read = check::read_packet(stream.as_ref()).await.ok()?;
        let fragment = check::receiver(read.get(check::FRAME_HEADER..)?)?;
        let streams = lock(&self.fragments).get(&fragment)?.clone();
        streams
            .send((Arc::new(Replay::new(read, stream)), peer))
            .ok()
    }
}

/// What one connection has of a port.
#[derive(Clone)]
pub struct Slot {
    endpoint: SocketAddr,
    fragments: Fragments,
    streams: UnboundedSender<Accepted>,
    accepted: Arc<Mutex<UnboundedReceiver<Accepted>>>,
}

impl Slot {
    /// From now on streams for this user name fragment are the connection's.
    pub fn is_called(&self, fragment: &str) {
        let mut fragments = lock(&self.fragments);
        // Connections that have ended need no name.
        fragments.retain(|_, streams| !streams.is_closed());
        fragments.insert(fragment.to_owned(), self.streams.clone());
    }

    /// The port of all connections.
    pub fn port(&self) -> u16 {
        self.endpoint.port()
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Slot").field(&self.endpoint).finish()
    }
}

impl AsyncTcpListener for Slot {
    fn accept<'a>(&'a self) -> Pin<Box<dyn Future<Output = io::Result<Accepted>> + Send + 'a>> {
        Box::pin(async {
            let next = poll_fn(|cx| lock(&self.accepted).poll_recv(cx)).await;
            Ok(next.expect("the slot itself can send"))
        })
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.endpoint)
    }
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().expect("nothing panics with it")
}
