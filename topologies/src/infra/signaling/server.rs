//! The room server.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use webrtc::runtime::Runtime;

use super::channel::{Traffic, count};
use super::config::ServerConfig;
use super::connection::{self, Shared};
use super::hub::Hub;
use super::issuer::Issuer;
use super::transport::Listener;

/// The pause after a connection could not be accepted, for example for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// After so many failures in a row the listener counts as broken.
const ACCEPT_ATTEMPTS: u32 = 50;

/// A room server. It keeps no state over a restart: clients come back and join again.
#[derive(Clone)]
pub struct SignalingServer {
    shared: Shared,
}

impl SignalingServer {
    /// A server without rooms.
    pub fn new(runtime: Arc<dyn Runtime>, config: ServerConfig) -> Self {
        let hub = Hub::new(config.max_connections, config.max_participants);
        let shared = Shared {
            hub: Arc::new(Mutex::new(hub)),
            runtime,
            config: Arc::new(config),
            traffic: Arc::default(),
        };
        SignalingServer { shared }
    }

    /// The same with TURN credentials for everybody who joins.
    pub fn with_issuer(self, issuer: Arc<dyn Issuer>) -> Self {
        self.shared.hub().set_issuer(issuer);
        self
    }

    /// Serves every client of `listener`, each in a task of its own. Ends only with the error of
    /// a listener that fails 50 times in a row, 100 ms apart.
    pub async fn serve(&self, mut listener: impl Listener) -> io::Result<()> {
        let runtime = &self.shared.runtime;
        let mut failures = 0;
        loop {
            match listener.accept().await {
                Ok((stream, address)) => {
                    log::debug!("signalling connection from {address}");
                    failures = 0;
                    let client = connection::serve(self.shared.clone(), stream);
                    runtime.spawn(Box::pin(client)).detach();
                }
                Err(error) => {
                    failures += 1;
                    log::warn!("a signalling connection was not accepted: {error}");
                    if failures == ACCEPT_ATTEMPTS {
                        return Err(error);
                    }
                    runtime.sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// What all clients together sent and received.
    pub fn traffic(&self) -> Traffic {
        *count(&self.shared.traffic)
    }
}
