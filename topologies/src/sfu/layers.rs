//! Which layer of each sender goes over a leg, by what the leg carries.

use std::collections::BTreeMap;
use std::time::Duration;

use sim::Time;

/// A leg whose estimate is at least this share of what is sent over it carries that: an estimator
/// falls to 0.85 of what arrives, and to less than this only if less arrives than is sent.
const KEEPS: f64 = 0.82;

/// A larger layer that is known to fit has this much more room than it needs.
const MARGIN: f64 = 1.1;

/// An estimate grows no further than 1.5 times what is sent: one that got so far says that the leg
/// carries more than that, and not how much more.
const UNTRIED: f64 = 1.25;

/// How long an estimate has to be that far before a larger layer is tried.
const PATIENCE: Duration = Duration::from_secs(1);

/// After a change, until what is sent has been measured over a second.
const SETTLES: Duration = Duration::from_millis(1_200);

/// An estimate falls only if a queue grows or packets are lost. One that falls below this share of
/// what it was when a larger layer was tried says that the layer does not fit.
const FELL: f64 = 0.95;

/// After a larger layer that did not fit, until the estimate is again what the leg carries.
const RECOVERS: Duration = Duration::from_secs(3);

/// A layer that does not stay for this long did not fit.
const STAYS: Duration = Duration::from_secs(8);

/// How long what did not fit is not tried again: twice as long each time, within these.
const RESTS: (Duration, Duration) = (Duration::from_secs(8), Duration::from_secs(64));

/// The rates of a sender's layers, the smallest first, bits per second; `None` for those that it
/// cannot send, or that are larger than anybody looks at.
pub type Offer = Vec<Option<f64>>;

/// What a leg has for pictures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Room {
    /// As it is estimated, bits per second.
    pub left_bps: f64,
    /// What was sent over it in the last second, bits per second.
    pub sent_bps: f64,
}

/// The layers that go over one leg.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    layers: BTreeMap<u16, usize>,
    /// Until then the leg is left as it is.
    settled: Time,
    /// Since when the estimate has been as high as it can get.
    untried_since: Option<Time>,
    trial: Option<Trial>,
    failed: Option<Failed>,
}

/// The latest larger layer.
#[derive(Clone, Debug)]
struct Trial {
    began: Time,
    /// The layers before it.
    before: BTreeMap<u16, usize>,
    /// What was left then, bits per second.
    left_bps: f64,
}

/// Layers that did not fit.
#[derive(Clone, Copy, Debug)]
struct Failed {
    bps: f64,
    until: Time,
    rest: Duration,
}

impl Choice {
    /// The layer of a sender.
    pub fn of(&self, sender: u16) -> usize {
        self.layers.get(&sender).copied().unwrap_or(0)
    }

    /// What all layers have together, bits per second.
    pub fn bps(&self, offers: &BTreeMap<u16, Offer>) -> f64 {
        let rate = |(sender, layer): (&u16, &usize)| offers.get(sender)?.get(*layer).copied()?;
        self.layers.iter().filter_map(rate).sum()
    }

    /// Whether nothing smaller could go over the leg.
    pub fn is_least(&self, offers: &BTreeMap<u16, Offer>) -> bool {
        let mut layers = self.layers.iter();
        layers.all(|(sender, layer)| below(&offers[sender], *layer).is_none())
    }

    /// Chooses among what the senders that go over the leg offer.
    pub fn choose(&mut self, now: Time, offers: &BTreeMap<u16, Offer>, room: Room) {
        self.follow(offers);
        let tried = room.left_bps < UNTRIED * room.sent_bps;
        match tried {
            true => self.untried_since = None,
            false => _ = self.untried_since.get_or_insert(now),
        }
        if self.overloads(now, offers, room.left_bps) {
            return self.go_back(now, offers);
        }
        if now < self.settled {
            return;
        }
        let sent = room.sent_bps.min(self.bps(offers));
        if room.left_bps < KEEPS * sent {
            self.lower(now, offers, room.left_bps);
        } else {
            self.raise(now, offers, room.left_bps);
        }
    }

    /// Forgets who went, begins with the smallest layer of who came, and leaves layers that are no
    /// longer there.
    fn follow(&mut self, offers: &BTreeMap<u16, Offer>) {
        self.layers.retain(|sender, _| offers.contains_key(sender));
        for (sender, offer) in offers {
            let layer = self.layers.entry(*sender).or_insert(0);
            if offer.get(*layer).is_none_or(Option::is_none) {
                let smaller = below(offer, *layer);
                *layer = smaller.or_else(|| above(offer, *layer)).unwrap_or(*layer);
            }
        }
    }

    /// Whether the leg does not carry the layer that is being tried. Every moment of that fills its
    /// queue, so this does not wait for anything to settle.
    fn overloads(&self, now: Time, offers: &BTreeMap<u16, Offer>, left_bps: f64) -> bool {
        let Some(trial) = &self.trial else {
            return false;
        };
        let lately = now.saturating_since(trial.began) < STAYS;
        lately && left_bps < FELL * trial.left_bps && left_bps < self.bps(offers)
    }

    /// Back to the layers before the trial, which are known to fit.
    fn go_back(&mut self, now: Time, offers: &BTreeMap<u16, Offer>) {
        let bps = self.bps(offers);
        if let Some(trial) = &self.trial {
            self.layers = trial.before.clone();
        }
        self.note_failure(now, bps);
        self.follow(offers);
        (self.settled, self.untried_since) = (now + RECOVERS, None);
    }

    /// Gives up large layers until the rest fits, and at least one.
    fn lower(&mut self, now: Time, offers: &BTreeMap<u16, Offer>, left_bps: f64) {
        let before = self.bps(offers);
        let mut lowered = false;
        while !lowered || left_bps < KEEPS * self.bps(offers) {
            let layers = self.layers.iter();
            let smaller = |(sender, layer): (&u16, &usize)| {
                Some((*layer, *sender, below(&offers[sender], *layer)?))
            };
            let Some((_, sender, layer)) = layers.filter_map(smaller).max() else {
                break;
            };
            self.layers.insert(sender, layer);
            lowered = true;
        }
        if lowered {
            (self.settled, self.untried_since) = (now + SETTLES, None);
            self.note_failure(now, before);
        }
    }

    /// The latest trial, if it was lately, was of layers of `bps`, which did not fit.
    fn note_failure(&mut self, now: Time, bps: f64) {
        let lately = |trial: Trial| now.saturating_since(trial.began) < STAYS;
        if !self.trial.take().is_some_and(lately) {
            return;
        }
        let rest = match self.failed {
            Some(before) if before.bps <= bps => (2 * before.rest).min(RESTS.1),
            _ => RESTS.0,
        };
        let until = now + rest;
        self.failed = Some(Failed { bps, until, rest });
    }

    /// Takes a larger layer of who has the smallest, if there is room, or may be.
    fn raise(&mut self, now: Time, offers: &BTreeMap<u16, Offer>, left_bps: f64) {
        let layers = self.layers.iter();
        let larger = |(sender, layer): (&u16, &usize)| {
            Some((*layer, *sender, above(&offers[sender], *layer)?))
        };
        let Some((from, sender, to)) = layers.filter_map(larger).min() else {
            return;
        };
        let rate = |layer: usize| offers[&sender][layer].unwrap_or(0.0);
        let bps = self.bps(offers) + rate(to) - rate(from);
        let rests = |failed: Failed| bps >= failed.bps && now < failed.until;
        let patient = |since: Time| now.saturating_since(since) >= PATIENCE;
        let fits = left_bps >= MARGIN * bps || self.untried_since.is_some_and(patient);
        if fits && !self.failed.is_some_and(rests) {
            self.trial = Some(Trial {
                began: now,
                before: self.layers.clone(),
                left_bps,
            });
            self.layers.insert(sender, to);
            (self.settled, self.untried_since) = (now + SETTLES, None);
        }
    }
}

/// The next smaller layer that is there.
fn below(offer: &Offer, layer: usize) -> Option<usize> {
    (0..layer.min(offer.len())).rfind(|layer| offer[*layer].is_some())
}

/// The next larger layer that is there.
fn above(offer: &Offer, layer: usize) -> Option<usize> {
    (layer + 1..offer.len()).find(|layer| offer[*layer].is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(senders: u16) -> BTreeMap<u16, Offer> {
        let offer = vec![Some(100e3), Some(350e3), Some(1_250e3)];
        (0..senders).map(|sender| (sender, offer.clone())).collect()
    }

    /// The layers every 100 ms for so many seconds, of a leg that carries `capacity_bps`: its estimate
    /// is what the estimator makes of that, 1.5 times what is sent, or 0.85 of the capacity.
    fn run(offers: &BTreeMap<u16, Offer>, capacity_bps: f64, seconds: u64) -> Vec<Vec<usize>> {
        let mut choice = Choice::default();
        let mut chosen = Vec::new();
        for tenth in 0..10 * seconds {
            let sent_bps = choice.bps(offers);
            let left_bps = match sent_bps > capacity_bps {
                true => 0.85 * capacity_bps,
                false => capacity_bps.min(1.5 * sent_bps),
            };
            let room = Room { left_bps, sent_bps };
            choice.choose(Time::from_millis(100 * tenth), offers, room);
            chosen.push(offers.keys().map(|sender| choice.of(*sender)).collect());
        }
        chosen
    }

    fn share(chosen: &[Vec<usize>], layers: &[usize]) -> f64 {
        let so = chosen.iter().filter(|chosen| *chosen == layers).count();
        so as f64 / chosen.len() as f64
    }

    /// Two senders of 100, 350 and 1,250 kbps: 200, 450, 700, 1,600 and 2,500 kbps.
    #[test]
    fn a_leg_gets_the_layers_that_it_carries() {
        for (capacity, expected) in [
            (3e6, [2, 2]),
            (2e6, [2, 1]),
            (1e6, [1, 1]),
            (600e3, [1, 0]),
            (300e3, [0, 0]),
        ] {
            let chosen = run(&offers(2), capacity, 60);
            let share = share(&chosen[300..], &expected);
            // What does not fit is tried once in 8, 16, 32, 64 s, and given up in the next tenth.
            assert!((0.98..=1.0).contains(&share), "{capacity}: {share}");
        }
    }

    /// What did not fit is not tried for 8 s, then not for 16.
    #[test]
    fn what_did_not_fit_is_tried_less_and_less() {
        let chosen = run(&offers(1), 1e6, 60);
        let begins = chosen.windows(2).enumerate();
        let tries: Vec<_> = begins
            .filter(|(_, pair)| pair[0] == [1] && pair[1] == [2])
            .map(|(tenth, _)| tenth)
            .collect();
        let apart: Vec<_> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(apart.len(), 2, "{tries:?}");
        assert!((80..110).contains(&apart[0]), "{tries:?}");
        assert!((160..190).contains(&apart[1]), "{tries:?}");
    }

    /// A sender that stops its largest layer is seen in the next one, at once.
    #[test]
    fn a_layer_that_ends_is_left() {
        let (mut offers, mut choice) = (offers(1), Choice::default());
        let room = Room {
            left_bps: 5e6,
            sent_bps: 5e6,
        };
        for tenth in 0..40 {
            choice.choose(Time::from_millis(100 * tenth), &offers, room);
        }
        assert_eq!(choice.of(0), 2);
        offers.get_mut(&0).unwrap()[2] = None;
        choice.choose(Time::from_millis(4_000), &offers, room);
        assert_eq!((choice.of(0), choice.is_least(&offers)), (1, false));
        assert_eq!(choice.of(9), 0);
    }
}
