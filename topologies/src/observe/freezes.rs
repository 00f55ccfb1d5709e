//! Freezes, as webrtc-stats counts them.

use std::collections::VecDeque;

use sim::Time;

/// Frame durations that the average is taken over (webrtc-stats, `freezeCount`).
const AVERAGED: usize = 30;
/// An interval this many times the average is a freeze...
const TIMES: f64 = 3.0;
/// ... and so is one this many ms above it; whichever is larger decides.
const ABOVE_MS: f64 = 150.0;

/// How often and how long a stream was frozen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Freezes {
    /// How often.
    pub count: u64,
    /// How long in all, ms.
    pub total_ms: f64,
}

/// How often and how long a stream was [`frozen`].
pub fn freezes(shown: &[Time], window: (Time, Time)) -> Freezes {
    let all = frozen(shown, window);
    let ms = |(from, to): &(Time, Time)| (*to - *from).as_secs_f64() * 1e3;
    Freezes {
        count: all.len() as u64,
        // The sum of nothing is -0.
        total_ms: all.iter().map(ms).fold(0.0, |sum, ms| sum + ms),
    }
}

/// From when to when a stream was frozen, by the instants at which frames were shown, in order, as
/// far as it lies in the window.
///
/// webrtc-stats (`freezeCount`): a freeze is an interval between two rendered frames of at least
/// `max(3 x average, average + 150 ms)`, the average being that of the last 30 frame durations. A
/// stream that stopped counts as frozen to the end of the window; one that showed nothing at all,
/// for the whole window.
pub fn frozen(shown: &[Time], window: (Time, Time)) -> Vec<(Time, Time)> {
    let mut frozen = Vec::new();
    let mut recent = VecDeque::with_capacity(AVERAGED);
    let clip = |at: Time| at.clamp(window.0, window.1);
    let mut add = |from: Time, to: Time| {
        if clip(from) < clip(to) {
            frozen.push((clip(from), clip(to)));
        }
    };
    let Some(&last) = shown.last() else {
        add(window.0, window.1);
        return frozen;
    };
    for pair in shown.windows(2) {
        let interval = (pair[1] - pair[0]).as_secs_f64() * 1e3;
        if is_freeze(&recent, interval) {
            add(pair[0], pair[1]);
        }
        if recent.len() == AVERAGED {
            recent.pop_front();
        }
        recent.push_back(interval);
    }
    let rest = window.1.saturating_since(last).as_secs_f64() * 1e3;
    if is_freeze(&recent, rest) {
        add(last, window.1);
    }
    frozen
}

fn is_freeze(recent: &VecDeque<f64>, interval_ms: f64) -> bool {
    if recent.is_empty() {
        return false;
    }
    let average = recent.iter().sum::<f64>() / recent.len() as f64;
    interval_ms >= (TIMES * average).max(average + ABOVE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(from: u64, to: u64) -> (Time, Time) {
        (Time::from_millis(from), Time::from_millis(to))
    }

    /// Instants from 0 on, a list of intervals in ms apart.
    fn shown(intervals: impl IntoIterator<Item = u64>) -> Vec<Time> {
        let mut at = 0;
        let mut shown = vec![Time::ZERO];
        for interval in intervals {
            at += interval;
            shown.push(Time::from_millis(at));
        }
        shown
    }

    #[test]
    fn the_threshold_is_the_larger_of_the_two() {
        // At 40 ms a frame: max(120, 190) = 190 ms.
        let at = |gap| {
            let mut intervals = vec![40; 20];
            intervals.push(gap);
            intervals.extend([40; 20]);
            freezes(&shown(intervals), window(0, 1_600))
        };
        assert_eq!(at(189), Freezes::default());
        assert_eq!(
            at(190),
            Freezes {
                count: 1,
                total_ms: 190.0
            }
        );
        // At 100 ms a frame: max(300, 250) = 300 ms.
        let slow = |gap| {
            let intervals = [vec![100; 20], vec![gap], vec![100; 5]].concat();
            freezes(&shown(intervals), window(0, 2_500)).count
        };
        assert_eq!((slow(299), slow(300)), (0, 1));
    }

    #[test]
    fn only_what_lies_in_the_window_counts() {
        // Frozen from 400 to 900 ms, of which 500 to 900 lie in the window.
        let intervals = [vec![40; 10], vec![500], vec![40; 10]].concat();
        let got = freezes(&shown(intervals), window(500, 1_300));
        assert_eq!(
            got,
            Freezes {
                count: 1,
                total_ms: 400.0
            }
        );
    }

    #[test]
    fn a_stream_that_stops_or_never_starts_is_frozen() {
        let got = freezes(&shown(vec![40; 10]), window(0, 1_000));
        assert_eq!(
            got,
            Freezes {
                count: 1,
                total_ms: 600.0
            }
        );
        let got = freezes(&[], window(200, 1_000));
        assert_eq!(
            got,
            Freezes {
                count: 1,
                total_ms: 800.0
            }
        );
    }
}
