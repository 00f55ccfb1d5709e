//! A participant: peer connections, a camera, a microphone, encoders, decoders, a display and a
//! loudspeaker.
//!
//! Code here takes an [`Environment`], never a simulation, so that it also runs on a real runtime.
//!
//! - [`stack`]: the WebRTC stack as a plan sets it; [`interceptors`]: what we add to its chain;
//!   [`repair`]: repair packets to media; [`playout`]: the buffer behind it.
//! - [`negotiation`]: perfect negotiation, as decisions; [`connection`]: one peer connection that
//!   lives by them; [`ice_servers`]: whom it asks for candidates; [`ice_tcp`] and [`channels`]: what it
//!   does about TCP and about TURN; [`runtime`]: how the stack gets to that.
//! - [`media`]: what a connection carries; [`participant`] and [`outgoing`]: what that is for a
//!   participant.
//! - [`capture`]: camera and microphone, with [`pauses`]; [`source`]: what encodes, or replays the [`recordings`] of
//!   both; [`send`]: encoded media to RTP.
//! - [`ecn`]: marks of queues, on packets and in feedback.
//! - [`congestion`]: what connections carry, and what encoders make of that; [`pace`]: an encoder
//!   that follows it.
//! - [`receive`]: RTP to frames; [`decoder`]: what decodes, or knows what could be; [`decode`]: that
//!   it may fall behind; [`display`], [`loudspeaker`] and [`clock`]: devices that tick on their own.

pub mod capture;
pub mod channels;
pub mod clock;
pub mod congestion;
pub mod connection;
pub mod decode;
pub mod decoder;
pub mod display;
pub mod ecn;
pub mod environment;
pub mod ice_servers;
pub mod ice_tcp;
pub mod interceptors;
pub mod loudspeaker;
pub mod media;
pub mod negotiation;
pub mod outgoing;
pub mod pace;
pub mod participant;
pub mod pauses;
pub mod playout;
pub mod receive;
pub mod recordings;
pub mod repair;
pub mod runtime;
pub mod send;
pub mod simulcast;
pub mod source;
pub mod stack;

use std::sync::Arc;

use reports::record::Kind;
use scenarios::{Fidelity, Plan};

pub use environment::Environment;

use crate::observe::Observatory;
use capture::Capture;
use congestion::Estimates;

/// The kinds of media that whoever sends in a call sends.
pub fn kinds(plan: &Plan) -> impl Iterator<Item = Kind> + use<> {
    let video = plan.video.as_ref().map(|_| Kind::Video);
    let audio = plan.audio.as_ref().map(|_| Kind::Audio);
    video.into_iter().chain(audio)
}

/// What all connections of one host share, a participant's or a server's.
#[derive(Clone)]
pub struct Context {
    /// The world as its host sees it.
    pub environment: Arc<dyn Environment>,
    /// The call.
    pub plan: Arc<Plan>,
    /// The host's index: a participant's in the plan, or beyond those a server's.
    pub index: u16,
    /// Where it reports.
    pub observatory: Arc<Observatory>,
    /// Its camera and microphone.
    pub capture: Arc<Capture>,
    /// What its connections carry, where senders adapt.
    pub estimates: Arc<Estimates>,
}

impl Context {
    /// Whether recordings are sent in place of what encoders make, and nothing is decoded.
    pub fn replays(&self) -> bool {
        self.plan.fidelity == Fidelity::Trace
    }

    /// The kinds of media of the call.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> + use<> {
        kinds(&self.plan)
    }

    /// Luma pixels of the pictures that a source sends: a participant, or the MCU.
    pub fn pixels_of(&self, source: u16) -> usize {
        let plan = &self.plan;
        let (width, height) = match &plan.video {
            None => (0, 0),
            Some(_) if usize::from(source) >= plan.participants.len() => {
                (plan.mcu.width, plan.mcu.height)
            }
            Some(video) => (video.width, video.height),
        };
        width as usize * height as usize
    }

    /// The index of the participant called `name`, with a warning if there is none.
    pub fn participant_named(&self, name: &str) -> Option<u16> {
        let mut all = self.plan.participants.iter();
        let found = all.find(|participant| participant.name == name);
        if found.is_none() {
            log::warn!("nobody of this call is called {name}");
        }
        found.map(|participant| participant.index)
    }
}
