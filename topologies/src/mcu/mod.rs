//! MCU: everybody is connected to a server that decodes what each sends, and sends each one mix.
//!
//! Its work as pure pieces, without a connection, a clock or a task; everything is told the time:
//!
//! | module | what it is for |
//! |---|---|
//! | [`audience`] | who gets the same mix |
//! | [`layout`] | where each participant is in the composed picture |
//! | [`gallery`] | the newest picture of each, scaled once |
//! | [`canvas`] | the composed picture |
//! | [`studio`] | all composed pictures of a tick, encoded |
//! | [`tick`] | when to compose, and for whom to wait |
//! | [`voice`] | the sound of one sender, decoded at the tick |
//! | [`mixer`] | what each audience hears: all others |
//! | [`limiter`] | keeping a mix within 16 bits |
//! | [`desk`] | all mixed sounds of a tick, encoded |
//!
//! And what connects them to a call:
//!
//! | module | what it is for |
//! |---|---|
//! | [`room`] | who is there, and what came from them |
//! | [`leg`] | the connection with one participant |
//! | [`incoming`] | a participant's track on its way into the room |
//! | [`outlet`] | mixes on their way to one participant |
//! | [`rates`] | what encoders are asked for, where senders adapt |
//! | [`pictures`], [`sounds`] | the two mixing loops |

pub mod audience;
pub mod canvas;
pub mod desk;
pub mod gallery;
pub mod incoming;
pub mod layout;
pub mod leg;
pub mod limiter;
pub mod mixer;
pub mod outlet;
pub mod pictures;
pub mod rates;
pub mod room;
pub mod sounds;
pub mod studio;
pub mod tick;
pub mod voice;

use std::sync::Arc;

pub use audience::Audience;
pub use canvas::{Canvas, Work};
pub use gallery::Gallery;
pub use layout::Layout;
pub use limiter::Limiter;
pub use mixer::Mixer;
pub use tick::{MixingClock, TickCounts, TickSettings};
pub use voice::Voice;

use crate::data::{Relay, Role, with_data};
use crate::member::Relations;
use crate::peer::Context;
use crate::peer::connection::Renegotiate;
use crate::peer::media::Media;
use leg::Leg;
use room::Room;

/// The MCU's relations: it waits for everybody's offer.
pub struct Mcu {
    context: Context,
    room: Arc<Room>,
    relay: Arc<Relay>,
}

impl Mcu {
    /// An MCU that has just started, in an empty room.
    pub fn new(context: Context) -> Self {
        Mcu {
            room: Arc::new(Room::new(context.clone())),
            relay: Arc::new(Relay::new(context.clone())),
            context,
        }
    }
}

impl Relations for Mcu {
    fn connects_to(&self, name: &str) -> Option<u16> {
        self.context.participant_named(name)
    }

    fn offers_to(&self, _remote: u16, _newcomer: bool) -> bool {
        false
    }

    fn media(&self, remote: u16, _renegotiate: Renegotiate) -> Box<dyn Media> {
        let leg = Leg::new(Arc::clone(&self.room), remote);
        let role = Role::Relay(Arc::clone(&self.relay));
        with_data(&self.context, remote, role, Box::new(leg))
    }
}
