//! What a participant needs of the world that it runs in.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use sim::Time;
use webrtc::peer_connection::crypto::RTCCryptoProvider;
use webrtc::runtime::Runtime;

/// What runs one peer connection.
pub struct ConnectionRuntime {
    /// Its tasks, timers and sockets.
    pub runtime: Arc<dyn Runtime>,
    /// To be told whether the connection may use a relay for now; it may from the start.
    pub use_relays: Box<dyn Fn(bool) + Send + Sync>,
}

/// The world as one host sees it.
pub trait Environment: Send + Sync {
    /// Runs the host's own tasks.
    fn runtime(&self) -> Arc<dyn Runtime>;

    /// Runs one new peer connection of the host.
    fn connection_runtime(&self) -> ConnectionRuntime;

    /// A UDP endpoint of the host that a new peer connection may bind.
    ///
    /// # Errors
    ///
    /// If no port is free.
    fn udp_endpoint(&self) -> io::Result<SocketAddr>;

    /// Keys and randomness for the connection called `name`.
    fn crypto(&self, name: &str) -> Arc<dyn RTCCryptoProvider>;

    /// The random stream called `name`.
    fn random(&self, name: &str) -> ChaCha8Rng;

    /// Time since the start of the run.
    fn now(&self) -> Time;

    /// Does work that belongs to measuring and not to the call, off the host's CPU account.
    fn aside(&self, work: &mut dyn FnMut());
}

/// Sleeps until `deadline`, not at all if it has passed.
pub async fn sleep_until(environment: &dyn Environment, deadline: Time) {
    let span = deadline.saturating_since(environment.now());
    if !span.is_zero() {
        environment.runtime().sleep(span).await;
    }
}
