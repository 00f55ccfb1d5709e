//! The world of a call: hosts, NATs, links and servers of a plan, in a simulation.
//!
//! - [`roster`]: which hosts there are, and what each is;
//! - [`hosts`]: what of the network is theirs; [`servers`]: what runs on those that serve,
//!   [`credentials`] of TURN among it;
//! - [`environment`]: how the stack on a host sees all that.

mod credentials;
mod environment;
mod hosts;
mod roster;
mod servers;

use std::io;
use std::time::Duration;

use scenarios::Plan;
use sim::{NetworkError, Time};
use thiserror::Error;

use crate::infra::turn::{TurnConfigError, TurnServeError};

pub use environment::SimEnvironment;
pub use hosts::{Hosts, add_inner, add_outermost, build_hosts, follow};
pub use roster::{host_infos, media_role, media_server, signaling_server};
pub use servers::{Servers, SimConnector, start_servers};

/// What keeps a world from being built.
#[derive(Debug, Error)]
pub enum WorldError {
    /// A host, a link or an address is impossible.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A server's port is taken.
    #[error("a server cannot bind its port: {0}")]
    Bind(#[from] io::Error),
    /// The TURN server's configuration is impossible.
    #[error(transparent)]
    TurnConfig(#[from] TurnConfigError),
    /// The TURN server does not start.
    #[error(transparent)]
    Turn(#[from] TurnServeError),
}

/// The measured window of a call.
pub fn window(plan: &Plan) -> (Time, Time) {
    let from = Time::ZERO + plan.warmup;
    (from, from + plan.duration)
}

/// How long a call goes on after the window, so that what was captured in it can be shown.
pub const DRAIN: Duration = Duration::from_secs(1);
