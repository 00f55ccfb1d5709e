//! Who gets the same picture, or the same sound.

use scenarios::{McuEncoders, Plan};

/// Those who get the same mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// Get everybody who sends.
    Everybody,
    /// Gets everybody but this participant, who is the audience.
    Without(u16),
}

impl Audience {
    /// Whose picture a participant gets.
    pub fn of_pictures(plan: &Plan, participant: u16) -> Self {
        match plan.mcu.encoders {
            McuEncoders::Shared => Audience::Everybody,
            McuEncoders::PerParticipant => Audience::without(plan, participant),
        }
    }

    /// Whose sound a participant gets: nobody hears themselves, and all who only listen hear the
    /// same.
    pub fn of_sound(plan: &Plan, participant: u16) -> Self {
        Audience::without(plan, participant)
    }

    /// Whether this audience gets what `sender` sends.
    pub fn gets(self, sender: u16) -> bool {
        self != Audience::Without(sender)
    }

    fn without(plan: &Plan, participant: u16) -> Self {
        match plan.participants[usize::from(participant)].sends {
            true => Audience::Without(participant),
            false => Audience::Everybody,
        }
    }
}
