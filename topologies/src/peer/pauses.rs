//! When a participant sends others nothing of what it captures.

use scenarios::{Event, Happening, Plan};
use sim::Time;

/// The pauses of one participant.
#[derive(Debug, Default)]
pub struct Pauses(Vec<Pause>);

#[derive(Debug)]
struct Pause {
    from: Time,
    until: Time,
    /// Who gets nothing, by index; `None` is everybody.
    to: Option<Vec<u16>>,
}

impl Pauses {
    /// Those of the participant with this index.
    pub fn of(plan: &Plan, index: u16) -> Self {
        let pause = |event: &Event| match &event.what {
            Happening::Pause { participant, to } if *participant == index => Some(Pause {
                from: Time::ZERO + event.at,
                until: Time::ZERO + event.at + event.lasts,
                to: to.clone(),
            }),
            _ => None,
        };
        Pauses(plan.events.iter().filter_map(pause).collect())
    }

    /// Whether what is captured at `at` is kept from host `remote`.
    pub fn hold(&self, at: Time, remote: u16) -> bool {
        self.0.iter().any(|pause| {
            let to = pause.to.as_ref();
            (pause.from..pause.until).contains(&at) && to.is_none_or(|to| to.contains(&remote))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_holds_from_its_begin_up_to_its_end_for_those_it_names() {
        let at = |second: u64| Time::from_millis(1_000 * second);
        let pause = |from, until, to| Pause {
            from: at(from),
            until: at(until),
            to,
        };
        let pauses = Pauses(vec![pause(4, 6, Some(vec![2])), pause(8, 9, None)]);
        let held = |second, remote| pauses.hold(at(second), remote);
        assert_eq!(
            [3, 4, 5, 6].map(|second| held(second, 2)),
            [false, true, true, false]
        );
        assert!(!held(5, 1));
        assert_eq!([1, 2, 7].map(|remote| held(8, remote)), [true; 3]);
        assert!(!held(9, 1));
    }
}
