//! A participant: peer connections, a camera, a microphone, encoders, decoders, a display and a
//! loudspeaker.
//!
//! Code here takes an [`Environment`], never a simulation, so that it also runs on a real runtime.
//!
//! - [`stack`]: the WebRTC stack as a plan sets it; [`interceptors`]: what we add to its chain;
//!   [`playout`]: the buffer behind it.
//! - [`negotiation`]: perfect negotiation, as decisions; [`connection`]: one peer connection that
//!   lives by them.
//! - [`capture`]: camera and microphone; [`send`]: captured media to RTP; [`receive`]: RTP to
//!   pictures and sound; [`decode`]: a decoder that may fall behind; [`display`] and [`clock`]:
//!   devices that tick on their own.

pub mod capture;
pub mod clock;
pub mod connection;
pub mod decode;
pub mod display;
pub mod environment;
pub mod interceptors;
mod media_tracks;
pub mod negotiation;
pub mod playout;
pub mod receive;
pub mod send;
pub mod stack;

use std::sync::Arc;

use scenarios::Plan;

pub use environment::Environment;

use crate::observe::Observatory;
use capture::Capture;

/// What all connections of one participant share.
#[derive(Clone)]
pub struct Context {
    /// The world as its host sees it.
    pub environment: Arc<dyn Environment>,
    /// The call.
    pub plan: Arc<Plan>,
    /// Which participant of the plan it is.
    pub index: u16,
    /// Where it reports.
    pub observatory: Arc<Observatory>,
    /// Its camera and microphone.
    pub capture: Arc<Capture>,
}
