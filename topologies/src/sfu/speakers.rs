//! Who spoke last, by the audio levels that senders announce (RFC 6464).

use std::collections::BTreeMap;
use std::time::Duration;

use sim::Time;

/// The level from which on sound counts as speech, in -dBov (RFC 6464 section 3: 0 is the loudest,
/// 127 is silence). Speech in a room of its own is at 20 to 40; what a microphone picks up in a
/// pause is beyond 50.
const SPEECH: u8 = 50;

/// Nobody gives way who spoke within this time: pauses within speech are shorter (ITU-T P.59, table
/// 1, has a mean pause of 1.6 s), and pictures that come and go are worse than late ones.
const HOLD: Duration = Duration::from_secs(2);

/// Participants in the order in which their pictures matter.
#[derive(Clone, Debug, Default)]
pub struct Speakers {
    order: Vec<u16>,
    spoke: BTreeMap<u16, Time>,
}

impl Speakers {
    /// Somebody came: they come last, until they speak.
    pub fn add(&mut self, participant: u16) {
        if !self.order.contains(&participant) {
            self.order.push(participant);
        }
    }

    /// Somebody went.
    pub fn remove(&mut self, participant: u16) {
        self.order.retain(|other| *other != participant);
        self.spoke.remove(&participant);
    }

    /// Sound of a participant with this level, in -dBov. Who speaks goes ahead of all who have been
    /// silent for long enough.
    pub fn heard(&mut self, participant: u16, level: u8, now: Time) {
        if level > SPEECH {
            return;
        }
        self.spoke.insert(participant, now);
        let Some(mut rank) = self.order.iter().position(|other| *other == participant) else {
            return;
        };
        while rank > 0 && self.is_silent(self.order[rank - 1], now) {
            self.order.swap(rank - 1, rank);
            rank -= 1;
        }
    }

    fn is_silent(&self, participant: u16, now: Time) -> bool {
        let spoke = self.spoke.get(&participant);
        spoke.is_none_or(|spoke| now.saturating_since(*spoke) >= HOLD)
    }

    /// Whether whoever watches these, and sees `number` of them, gets to see `sender`.
    pub fn shows(&self, sender: u16, number: usize, watched: impl Fn(u16) -> bool) -> bool {
        let others = self.order.iter().filter(|other| watched(**other));
        others.take(number).any(|other| *other == sender)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Time {
        Time::from_millis(ms)
    }

    fn seen_by(speakers: &Speakers, receiver: u16, number: usize) -> Vec<u16> {
        let others = |sender: u16| sender != receiver;
        let all = 0..4;
        all.filter(|sender| others(*sender) && speakers.shows(*sender, number, others))
            .collect()
    }

    fn four() -> Speakers {
        let mut speakers = Speakers::default();
        (0..4).for_each(|participant| speakers.add(participant));
        speakers
    }

    #[test]
    fn everybody_sees_as_many_others_and_never_themselves() {
        let speakers = four();
        assert_eq!(seen_by(&speakers, 0, 2), [1, 2]);
        assert_eq!(seen_by(&speakers, 1, 2), [0, 2]);
        assert_eq!(seen_by(&speakers, 3, 2), [0, 1]);
        assert_eq!(seen_by(&speakers, 3, 9), [0, 1, 2]);
    }

    #[test]
    fn who_speaks_replaces_who_is_silent() {
        let mut speakers = four();
        speakers.heard(3, SPEECH, at(100));
        assert_eq!(seen_by(&speakers, 0, 1), [3]);
        // Silence is not speech.
        speakers.heard(2, SPEECH + 1, at(200));
        assert_eq!(seen_by(&speakers, 0, 1), [3]);
    }

    #[test]
    fn who_spoke_lately_does_not_give_way() {
        let mut speakers = four();
        speakers.heard(3, 30, at(0));
        speakers.heard(2, 30, at(1_999));
        assert_eq!(seen_by(&speakers, 0, 1), [3]);
        // 2 s after 3 spoke, who goes on speaking takes over.
        speakers.heard(2, 30, at(2_000));
        assert_eq!(seen_by(&speakers, 0, 1), [2]);
    }

    /// Who is not watched takes nobody's place.
    #[test]
    fn only_those_who_are_watched_count() {
        let mut speakers = four();
        speakers.heard(3, SPEECH, at(100));
        let shows = |sender| speakers.shows(sender, 1, |other| other == 1 || other == 2);
        assert_eq!([1, 2].map(shows), [true, false]);
    }

    #[test]
    fn who_left_is_not_shown() {
        let mut speakers = four();
        speakers.remove(0);
        assert_eq!(seen_by(&speakers, 1, 1), [2]);
    }
}
