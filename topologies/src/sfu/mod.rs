//! SFU: everybody is connected to a server that forwards what each sends to all who watch it.
//!
//! - [`room`]: who sends and who receives; [`leg`]: the connection with one participant;
//!   [`forward`]: packets from one leg to the others.
//! - [`rewrite`]: sequence numbers and SSRCs; [`keyframes`]: requests of many, as few;
//!   [`speakers`]: who spoke last; [`rates`]: what legs carry, as limits of senders. [`layers`]: which
//!   layer goes over a leg; [`supply`]: which layers there are; [`sent`]: what went over a leg. These
//!   are decisions without a connection.

pub mod forward;
pub mod keyframes;
pub mod layers;
pub mod leg;
pub mod rates;
pub mod rewrite;
pub mod room;
pub mod sent;
pub mod speakers;
pub mod supply;

use std::sync::Arc;

use crate::data::{Relay, Role, with_data};
use crate::member::Relations;
use crate::peer::Context;
use crate::peer::connection::Renegotiate;
use crate::peer::media::Media;
use leg::Leg;
use room::Room;

/// The SFU's relations: it waits for everybody's offer.
pub struct Sfu {
    context: Context,
    room: Arc<Room>,
    relay: Arc<Relay>,
}

impl Sfu {
    /// An SFU that has just started, in an empty room.
    pub fn new(context: Context) -> Self {
        let room = Arc::new(Room::new(context.clone()));
        if context.plan.congestion.adapts() && context.plan.video.is_some() {
            let adapting = rates::run(Arc::downgrade(&room));
            context.environment.runtime().spawn(Box::pin(adapting));
        }
        Sfu {
            relay: Arc::new(Relay::new(context.clone())),
            room,
            context,
        }
    }
}

impl Relations for Sfu {
    fn connects_to(&self, name: &str) -> Option<u16> {
        self.context.participant_named(name)
    }

    fn offers_to(&self, _remote: u16, _newcomer: bool) -> bool {
        false
    }

    fn media(&self, remote: u16, renegotiate: Renegotiate) -> Box<dyn Media> {
        let leg = Leg::new(Arc::clone(&self.room), remote, renegotiate);
        let role = Role::Relay(Arc::clone(&self.relay));
        with_data(&self.context, remote, role, Box::new(leg))
    }
}
