//! Mesh: every pair of participants is connected, unless neither of the two sends.
//!
//! Whoever joins offers to everybody who is there already; whoever is there answers.

use crate::member::Relations;
use crate::peer::Context;
use crate::peer::connection::Renegotiate;
use crate::peer::media::Media;
use crate::peer::participant::ParticipantMedia;

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
        let sends = |index: u16| self.context.plan.participants[usize::from(index)].sends;
        (sends(self.context.index) || sends(other)).then_some(other)
    }

    fn offers_to(&self, _remote: u16, newcomer: bool) -> bool {
        !newcomer
    }

    fn media(&self, remote: u16, _renegotiate: Renegotiate) -> Box<dyn Media> {
        Box::new(ParticipantMedia::new(self.context.clone(), remote))
    }
}
