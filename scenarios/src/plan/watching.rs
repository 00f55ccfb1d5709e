//! Who gets whose media.

use super::{Participant, Plan};

impl Participant {
    /// Whether it gets the media of `sender`: of somebody else, who sends and whom it watches.
    pub fn gets(&self, sender: &Participant) -> bool {
        let watched = self.watches.as_ref();
        sender.sends
            && sender.index != self.index
            && watched.is_none_or(|watched| watched.contains(&sender.index))
    }
}

impl Plan {
    /// Whether participant `receiver` gets the media of participant `sender`.
    pub fn watches(&self, receiver: u16, sender: u16) -> bool {
        let participant = |index: u16| &self.participants[usize::from(index)];
        participant(receiver).gets(participant(sender))
    }

    /// Whose media participant `receiver` gets, in ascending order.
    pub fn watched_by(&self, receiver: u16) -> impl Iterator<Item = u16> {
        let all = self.participants.iter().map(|sender| sender.index);
        all.filter(move |sender| self.watches(receiver, *sender))
    }

    /// Whether anybody gets the media of participant `sender`.
    pub fn is_watched(&self, sender: u16) -> bool {
        let sender = &self.participants[usize::from(sender)];
        self.participants.iter().any(|other| other.gets(sender))
    }

    /// Whether participant `sender` sends media to a host: to a participant who gets it, and to a
    /// server if anybody does.
    pub fn sends_to(&self, sender: u16, host: u16) -> bool {
        match usize::from(host) < self.participants.len() {
            true => self.watches(host, sender),
            false => self.is_watched(sender),
        }
    }
}
