//! What connections were estimated to carry, and what encoders were asked for.

use std::collections::BTreeMap;

use sim::Time;

use super::frames::HopKey;

/// Rates in bits per second, each from an instant on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course(Vec<(Time, f64)>);

impl Course {
    fn push(&mut self, at: Time, bps: f64) {
        if self.0.last().is_none_or(|(_, last)| *last != bps) {
            self.0.push((at, bps));
        }
    }

    /// The rate that held right before `at`; `None` before the first one.
    pub fn before(&self, at: Time) -> Option<f64> {
        let later = self.0.partition_point(|(from, _)| *from < at);
        Some(self.0[later.checked_sub(1)?].1)
    }
}

/// All rates of a call in which senders adapt.
#[derive(Debug, Default)]
pub struct Rates {
    /// What connections carry, by the estimating host and the other one.
    pub estimates: BTreeMap<(u16, u16), Course>,
    /// What encoders are asked for, by the first of the hops that their media goes.
    pub targets: BTreeMap<HopKey, Course>,
}

impl Rates {
    /// The first of these hosts estimates what its connection with the other one carries.
    pub fn estimated(&mut self, ends: (u16, u16), at: Time, bps: f64) {
        self.estimates.entry(ends).or_default().push(at, bps);
    }

    /// The encoder of the media on a hop is asked for so much.
    pub fn targeted(&mut self, hop: HopKey, at: Time, bps: f64) {
        self.targets.entry(hop).or_default().push(at, bps);
    }

    /// The sum of what `host` estimates right before `at`; `None` if it does not.
    pub fn estimate_of(&self, host: u16, at: Time) -> Option<f64> {
        let own = self.estimates.iter().filter(|((from, _), _)| *from == host);
        sum(own.filter_map(|(_, course)| course.before(at)))
    }

    /// The sum of what the encoders of `host` are asked for right before `at`; `None` if it has none
    /// that adapts.
    pub fn target_of(&self, host: u16, at: Time) -> Option<f64> {
        let own = self.targets.iter().filter(|(hop, _)| hop.from == host);
        sum(own.filter_map(|(_, course)| course.before(at)))
    }
}

fn sum(rates: impl Iterator<Item = f64>) -> Option<f64> {
    rates.reduce(|sum, rate| sum + rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_the_sum_of_what_held_before_an_instant() {
        let at = Time::from_millis;
        let mut rates = Rates::default();
        rates.estimated((0, 1), at(100), 3e5);
        rates.estimated((0, 2), at(200), 4e5);
        rates.estimated((0, 1), at(300), 5e5);
        rates.estimated((1, 0), at(100), 9e5);
        assert_eq!(rates.estimate_of(0, at(100)), None);
        assert_eq!(rates.estimate_of(0, at(200)), Some(3e5));
        assert_eq!(rates.estimate_of(0, at(300)), Some(7e5));
        assert_eq!(rates.estimate_of(0, at(301)), Some(9e5));
        assert_eq!(rates.target_of(0, at(301)), None);
    }
}
