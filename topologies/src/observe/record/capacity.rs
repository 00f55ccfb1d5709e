//! What the access link of a participant carries while it changes.

use std::time::Duration;

use scenarios::{Happening, LinkChanges, Participant, Plan};
use sim::{Change, LinkConfig, PipeChange, Time};

/// How often a second is looked at: a ramp is made of steps of 10 ms, each at the rate in its
/// middle.
const SAMPLES: u64 = 100;

/// One way of a link.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    /// From the participant.
    Up,
    /// To it.
    Down,
}

impl Way {
    fn rate_bps(self, link: &LinkConfig) -> Option<u64> {
        match self {
            Way::Up => link.up.rate_bps,
            Way::Down => link.down.rate_bps,
        }
    }

    fn changes(self, changes: &LinkChanges) -> Vec<Step> {
        let changes = match self {
            Way::Up => &changes.up,
            Way::Down => &changes.down,
        };
        changes.iter().filter_map(Step::of).collect()
    }
}

/// Rates of one way of a link, each from an instant on.
pub struct Capacity(Vec<Step>);

/// A change of the rate; of one without end, or that only a trace knows, `None`.
struct Step {
    at: Time,
    to_bps: Option<f64>,
    over: Duration,
}

impl Step {
    fn at_once(at: Time, to_bps: Option<u64>) -> Self {
        Step {
            at,
            to_bps: to_bps.map(|bps| bps as f64),
            over: Duration::ZERO,
        }
    }

    fn of(change: &PipeChange) -> Option<Self> {
        match change.what {
            Change::Rate { to_bps, over } => Some(Step {
                over,
                ..Step::at_once(change.at, to_bps)
            }),
            Change::Trace(_) => Some(Step::at_once(change.at, None)),
            _ => None,
        }
    }

    /// The rate at `now`, if it was `from` before the change.
    fn rate(&self, from: Option<f64>, now: Time) -> Option<f64> {
        match (from, self.to_bps) {
            (Some(from), Some(to)) if now < self.at + self.over => {
                let done = (now - self.at).as_secs_f64() / self.over.as_secs_f64();
                Some(from + (to - from) * done)
            }
            (_, to) => to,
        }
    }
}

impl Capacity {
    /// That of a participant's link.
    pub fn of(plan: &Plan, participant: &Participant, way: Way) -> Self {
        let network = &participant.network;
        let mut all = way.changes(&network.changes);
        let first = way.rate_bps(&participant.link);
        all.insert(0, Step::at_once(Time::ZERO, first));
        for handover in &network.handovers {
            let at = Time::ZERO + handover.at;
            all.push(Step::at_once(at, way.rate_bps(&handover.link)));
            all.extend(way.changes(&handover.changes));
        }
        for event in &plan.events {
            match &event.what {
                Happening::Roam {
                    participant: who,
                    to,
                } if *who == participant.index => {
                    let at = Time::ZERO + event.at;
                    all.push(Step::at_once(at, way.rate_bps(&to.link)));
                }
                _ => {}
            }
        }
        all.sort_by_key(|step| step.at);
        Capacity(all)
    }

    /// The mean over a second, bits per second.
    pub fn mean_bps(&self, second: u32) -> Option<f64> {
        let from = u64::from(second) * 1_000_000_000;
        let width = 1_000_000_000 / SAMPLES;
        let middles = (0..SAMPLES).map(|sample| from + sample * width + width / 2);
        let rates = middles.map(|nanos| self.at(Time::from_nanos(nanos)));
        let sum: Option<f64> = rates.sum();
        Some(sum? / SAMPLES as f64)
    }

    fn at(&self, now: Time) -> Option<f64> {
        let ends = self.0.iter().skip(1).map(|next| next.at).chain([now]);
        let past = self.0.iter().zip(ends);
        let past = past.take_while(|(step, _)| step.at <= now);
        past.fold(None, |rate, (step, end)| step.rate(rate, end.min(now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(at_ms: u64, to_bps: f64, over_ms: u64) -> Step {
        Step {
            at: Time::from_millis(at_ms),
            to_bps: Some(to_bps),
            over: Duration::from_millis(over_ms),
        }
    }

    #[test]
    fn a_second_has_the_mean_of_its_rates() {
        let steps = vec![
            step(0, 1e6, 0),
            step(1_500, 3e6, 0),
            step(3_000, 1e6, 2_000),
        ];
        let capacity = Capacity(steps);
        let mean = |second| capacity.mean_bps(second).unwrap();
        // Half a second at 1 Mbps and half at 3; then a line from 3 to 1 within two seconds, whose
        // halves have 2.5 and 1.5 Mbps in their middles.
        let expected = [1e6, 2e6, 3e6, 2.5e6, 1.5e6, 1e6];
        for (second, expected) in (0..).zip(expected) {
            let off = (mean(second) - expected).abs();
            assert!(off < 1.0, "second {second}: {}", mean(second));
        }
    }

    /// A change in the middle of a ramp begins at the rate of just then, 2 Mbps.
    #[test]
    fn a_ramp_may_be_cut_short() {
        let capacity = Capacity(vec![
            step(0, 1e6, 0),
            step(1_000, 3e6, 2_000),
            step(2_000, 4e6, 2_000),
        ]);
        assert!((capacity.mean_bps(2).unwrap() - 2.5e6).abs() < 1.0);
        assert!((capacity.mean_bps(5).unwrap() - 4e6).abs() < 1.0);
    }

    #[test]
    fn what_has_no_end_has_no_mean() {
        let mut steps = vec![step(0, 1e6, 0), Step::at_once(Time::from_millis(500), None)];
        steps.push(step(2_000, 1e6, 1_000));
        let capacity = Capacity(steps);
        assert_eq!(capacity.mean_bps(0), None);
        assert_eq!(capacity.mean_bps(1), None);
        // A ramp from no rate to one is at once.
        assert_eq!(capacity.mean_bps(2), Some(1e6));
    }
}
