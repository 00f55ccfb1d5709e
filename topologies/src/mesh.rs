//! Mesh: every two participants are connected of whom one gets something from the other.
//!
//! Whoever joins offers to everybody who is there already; whoever is there answers.

use scenarios::Plan;

use crate::data::{Role, with_data};
use crate::member::Relations;
use crate::peer::Context;
use crate::peer::connection::Renegotiate;
use crate::peer::media::Media;
use crate::peer::participant::ParticipantMedia;

/// Whether two participants are connected: one of them gets media or data of the other.
pub fn are_connected(plan: &Plan, a: u16, b: u16) -> bool {
    let mut workloads = plan.data.iter();
    plan.watches(a, b)
        || plan.watches(b, a)
        || workloads.any(|data| data.joins(a, b) || data.joins(b, a))
}

/// One participant's relations in a mesh.
pub struct Pairs {
    context: Context,
}

impl Pairs {
    /// The relations of the participant whose context this is.
    pub fn new(context: Context) -> Self {
        Pairs { context }
    }
}

impl Relations for Pairs {
    fn connects_to(&self, name: &str) -> Option<u16> {
        let other = self.context.participant_named(name)?;
        are_connected(&self.context.plan, self.context.index, other).then_some(other)
    }

    fn offers_to(&self, _remote: u16, newcomer: bool) -> bool {
        !newcomer
    }

    fn media(&self, remote: u16, _renegotiate: Renegotiate) -> Box<dyn Media> {
        let media = ParticipantMedia::new(self.context.clone(), remote);
        with_data(&self.context, remote, Role::Participant, Box::new(media))
    }
}
