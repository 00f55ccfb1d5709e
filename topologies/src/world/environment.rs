//! The world as the stack on one host sees it.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use scenarios::Plan;
use sim::entropy::crypto::SeededProvider;
use sim::packet::ICE_TCP_PORT;
use sim::runtime::SimTcpListener;
use sim::{Overloaded, SimRuntime, Time, Work};
use webrtc::peer_connection::crypto::RTCCryptoProvider;
use webrtc::runtime::Runtime;

use super::media_role;
use crate::addresses;
use crate::infra::ice_tcp::TcpMux;
use crate::peer::environment::{ConnectionRuntime, Environment, Working};
use crate::peer::ice_tcp::IceTcp;

/// The world as one host of a simulation sees it.
pub struct SimEnvironment {
    runtime: SimRuntime,
    flush_relay: bool,
    ice_tcp: bool,
    /// The port that all connections of a media server share, from the first one on.
    mux: OnceLock<Option<TcpMux>>,
    steady_handshake: bool,
}

impl SimEnvironment {
    /// The view of the runtime's host, with the work-arounds of the plan.
    pub fn new(runtime: SimRuntime, plan: &Plan) -> Self {
        SimEnvironment {
            runtime,
            flush_relay: plan.stack.flush_relay,
            ice_tcp: plan.servers.ice_tcp && media_role(plan).is_some(),
            mux: OnceLock::new(),
            steady_handshake: plan.stack.steady_handshake,
        }
    }

    /// What a new connection does about TCP: a media server waits, everybody else connects.
    fn tcp_role(&self) -> Option<IceTcp> {
        if !self.ice_tcp {
            return None;
        }
        if self.runtime.address() != addresses::MEDIA {
            return Some(IceTcp::Active);
        }
        let mux = self.mux.get_or_init(|| {
            let mux = self.open_mux();
            mux.inspect_err(|error| log::error!("ICE-TCP: {error}"))
                .ok()
        });
        mux.as_ref().map(|mux| IceTcp::Passive(mux.slot()))
    }

    fn open_mux(&self) -> io::Result<TcpMux> {
        let listener = SimTcpListener::bind(&self.runtime, ICE_TCP_PORT)?;
        TcpMux::serve(Arc::new(self.runtime.clone()), Arc::new(listener))
    }
}

impl Environment for SimEnvironment {
    fn runtime(&self) -> Arc<dyn Runtime> {
        Arc::new(self.runtime.clone())
    }

    fn connection_runtime(&self) -> ConnectionRuntime {
        let mut runtime = self.runtime.clone();
        if self.flush_relay {
            runtime = runtime.flushing_relays();
        }
        if self.steady_handshake {
            runtime = runtime.steadying_handshakes();
        }
        ConnectionRuntime {
            runtime: Arc::new(runtime.clone()),
            use_relays: Box::new(move |may| runtime.use_relays(may)),
            ice_tcp: self.tcp_role(),
        }
    }

    fn udp_endpoint(&self) -> io::Result<SocketAddr> {
        let port = self.runtime.ephemeral_port()?;
        Ok(SocketAddr::new(self.runtime.address().into(), port))
    }

    fn crypto(&self, name: &str) -> Arc<dyn RTCCryptoProvider> {
        Arc::new(SeededProvider::new(self.random(&format!("crypto/{name}"))))
    }

    fn random(&self, name: &str) -> ChaCha8Rng {
        self.runtime.seed().stream(name)
    }

    fn now(&self) -> Time {
        self.runtime.time()
    }

    fn work(
        &self,
        kind: Work,
        cost: Duration,
        job: Box<dyn FnOnce() + Send>,
    ) -> Result<Working<()>, Overloaded> {
        Ok(Box::pin(self.runtime.work(kind, cost, job)?))
    }

    fn work_here(
        &self,
        kind: Work,
        cost: Duration,
        job: &mut dyn FnMut(),
    ) -> Result<Time, Overloaded> {
        let ((), done) = self.runtime.work_here(kind, cost, job)?;
        Ok(done)
    }

    fn aside(&self, work: &mut dyn FnMut()) {
        self.runtime.aside(work);
    }

    fn aside_later(&self, work: Box<dyn FnOnce() + Send>) {
        self.runtime.aside_later(work);
    }
}
