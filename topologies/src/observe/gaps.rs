//! How long a stream was away after something happened.

use std::cmp::Reverse;
use std::time::Duration;

use sim::Time;

/// The longest time without a frame after a happening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// How long it was.
    pub length: Duration,
    /// Whether a frame ended it, and not the end of what was observed.
    pub ended: bool,
}

/// What each of the happenings, in order of time, did to a stream whose frames were shown at these
/// instants, in order, and which was observed until `end`.
///
/// A gap is the time between two frames, or from the last one to the end. It belongs to a happening
/// if it ends after the happening and begins before the next one: while a stream is away, another
/// happening finds it away, so one gap may belong to both. Which gap was the longest is decided by
/// what there was of each before the next happening, so that a stream that was there until then is
/// not said to have been away because of the one before. `None` before the first frame, when there is
/// nothing to interrupt, and from the end on.
pub fn gaps(shown: &[Time], happenings: &[Time], end: Time) -> Vec<Option<Gap>> {
    let nexts = happenings.iter().skip(1).copied().chain([end]);
    let spans = happenings.iter().copied().zip(nexts);
    spans
        .map(|(at, next)| longest(shown, at, next.min(end), end))
        .collect()
}

fn longest(shown: &[Time], at: Time, next: Time, end: Time) -> Option<Gap> {
    let begun = shown.first().is_some_and(|first| *first <= at);
    if !begun || at >= end {
        return None;
    }
    let observed = shown.partition_point(|shown| *shown <= end);
    let shown = &shown[..observed];
    // The frame on the screen when it happened begins the first gap that may belong to it.
    let first = shown.partition_point(|shown| *shown <= at) - 1;
    let ends = shown[first + 1..].iter().map(|shown| (*shown, true));
    let starts = shown[first..].iter().copied();
    let gaps = starts
        .zip(ends.chain([(end, false)]))
        .filter(|(from, _)| *from < next || *from <= at);
    let longest = gaps.max_by_key(|(from, (to, ended))| {
        // Of equal ones the one that did not go on, and the one that ended.
        let until_next = (*to).min(next) - *from;
        (until_next, Reverse(*to), *ended)
    });
    longest.map(|(from, (to, ended))| Gap {
        length: to - from,
        ended,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Time {
        Time::from_millis(ms)
    }

    /// Frames every 20 ms from 100 ms on, but for those in these spans, up to 2 s.
    fn stream(away: &[(u64, u64)]) -> Vec<Time> {
        let is_there = |ms: &u64| !away.iter().any(|(from, to)| from < ms && ms < to);
        let frames = (100..2_000).step_by(20);
        frames.filter(is_there).map(at).collect()
    }

    fn found(away: &[(u64, u64)], happenings: &[u64]) -> Vec<Option<(u64, bool)>> {
        let happenings: Vec<_> = happenings.iter().copied().map(at).collect();
        let all = gaps(&stream(away), &happenings, at(2_000));
        let told = |gap: Gap| (gap.length.as_millis() as u64, gap.ended);
        all.into_iter().map(|gap| gap.map(told)).collect()
    }

    #[test]
    fn each_happening_has_the_gap_that_it_made() {
        // Away from 500 to 800 ms and from 1,200 to 1,300 ms; the gap from 300 to 400 ms was there
        // before anything happened, and that of 20 ms is what is left between frames.
        let away = [(300, 400), (500, 800), (1_200, 1_300)];
        let expected = [Some((300, true)), Some((100, true)), Some((20, true))];
        assert_eq!(found(&away, &[505, 1_210, 1_500]), expected);
    }

    #[test]
    fn what_happens_while_a_stream_is_away_shares_its_gap() {
        assert_eq!(found(&[(500, 900)], &[510, 700]), [Some((400, true)); 2]);
        // The second one happens when the stream is back.
        assert_eq!(
            found(&[(500, 900)], &[510, 900]),
            [Some((400, true)), Some((20, true))]
        );
    }

    /// The last gap before the second happening is cut short by it: of 20 ms, or of 15, as nothing
    /// came after the frame at 500 ms, and it had been there until then.
    #[test]
    fn what_was_there_until_the_next_happening_was_not_away_before() {
        for second in [515, 520] {
            assert_eq!(
                found(&[(500, 900)], &[305, second]),
                [Some((20, true)), Some((400, true))]
            );
        }
    }

    #[test]
    fn a_stream_that_does_not_come_back_is_away_to_the_end() {
        // The last frame is that at 500 ms, and the end at 2,000 ms.
        let away = [(500, 3_000)];
        assert_eq!(found(&away, &[510]), [Some((1_500, false))]);
    }

    #[test]
    fn nothing_is_interrupted_before_the_first_frame_or_at_the_end() {
        assert_eq!(found(&[], &[50, 99, 2_000]), [None; 3]);
        assert_eq!(gaps(&[], &[at(50)], at(2_000)), [None]);
    }
}
