//! The sender of a TCP transfer that always has more to send.
//!
//! It counts in full segments. What it leaves out of the RFCs that it follows: connections begin
//! established, and there are no delayed acknowledgements. An acknowledgement tells of one segment
//! beyond a gap, where RFC 2018 repeats older ones; of what is told in one that is lost, the sender
//! knows nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use super::receiver::Ack;
use crate::ecn::Ecn;
use crate::time::Time;

/// The first window, in segments (RFC 6928).
const INITIAL_WINDOW: u64 = 10;
/// The most that the receiver lets a window be, in segments: 6 MiB, as Linux does (`tcp_rmem` in
/// Documentation/networking/ip-sysctl.rst).
const LARGEST_WINDOW: u64 = 6 * 1_024 * 1_024 / 1_500;
/// Segments above a gap after which it is a loss: DupThresh (RFC 5681 section 3.2).
const DUPLICATES: usize = 3;
/// The least window after a loss, in segments (RFC 5681 equation 4).
const LEAST_WINDOW: u64 = 2;
/// The first and the least timeout (RFC 6298 sections 2.1 and 2.4).
const LEAST_TIMEOUT: Duration = Duration::from_secs(1);
/// The longest timeout (RFC 6298 section 2.5).
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);

/// A segment on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) number: u64,
    /// Not-ECT if it is sent again (RFC 3168 section 6.1.5).
    pub(crate) ecn: Ecn,
    /// CWR: the sender has reduced its window (RFC 3168 section 6.1.2).
    pub(crate) reduced: bool,
}

/// The state of a transfer, with names as in the RFCs where they are short.
#[derive(Debug)]
pub(crate) struct Sender {
    /// The first segment that is not acknowledged.
    una: u64,
    /// The next one to send.
    next: u64,
    /// One more than the last one ever sent.
    highest: u64,
    /// Acknowledged beyond `una`.
    sacked: BTreeSet<u64>,
    /// Sent again since the recovery began, and not acknowledged.
    resent: BTreeSet<u64>,
    window: u64,
    threshold: u64,
    /// Acknowledged since the window grew last, in congestion avoidance.
    credit: u64,
    /// Losses below this are of one congestion event: RecoveryPoint (RFC 6675).
    recovery_point: u64,
    recovering: bool,
    timing: Timing,
    deadline: Option<Time>,
    /// Whether segments may be marked.
    ecn: bool,
    /// The first segment after the window was halved for a mark, which says so. Marks are of the
    /// window of data before it up to when it is acknowledged, and so are losses before it; if it
    /// is lost itself, that is another window (RFC 3168 section 6.1.2).
    answered: Option<u64>,
    /// The receiver is to know that the window was reduced.
    reduced: bool,
}

/// How long a round trip takes, and a timeout (RFC 6298).
#[derive(Debug)]
struct Timing {
    /// A segment that was sent once, and when (Karn's algorithm).
    sample: Option<(u64, Time)>,
    smoothed: Option<Duration>,
    variation: Duration,
    timeout: Duration,
}

impl Sender {
    /// A sender whose segments may be marked, or not.
    pub(crate) fn new(ecn: bool) -> Self {
        Sender {
            una: 0,
            next: 0,
            highest: 0,
            sacked: BTreeSet::new(),
            resent: BTreeSet::new(),
            window: INITIAL_WINDOW,
            threshold: u64::MAX,
            credit: 0,
            recovery_point: 0,
            recovering: false,
            timing: Timing {
                sample: None,
                smoothed: None,
                variation: Duration::ZERO,
                timeout: LEAST_TIMEOUT,
            },
            deadline: None,
            ecn,
            answered: None,
            reduced: false,
        }
    }

    /// The next segment to send, if the window has room for one.
    pub(crate) fn next_segment(&mut self, now: Time) -> Option<Segment> {
        if self.in_flight() >= self.window {
            return None;
        }
        let hole = self.next_hole().filter(|_| self.recovering);
        let segment = hole.unwrap_or(self.next);
        match hole {
            Some(hole) => {
                self.resent.insert(hole);
                self.timing.sample.take_if(|(timed, _)| *timed == hole);
            }
            None => self.next += 1,
        }
        let new = segment >= self.highest;
        if new {
            self.highest = segment + 1;
            self.timing.sample.get_or_insert((segment, now));
        }
        self.deadline.get_or_insert(now + self.timing.timeout);
        Some(Segment {
            number: segment,
            ecn: match self.ecn && new {
                true => Ecn::Ect0,
                false => Ecn::NotEct,
            },
            reduced: new && std::mem::take(&mut self.reduced),
        })
    }

    /// Takes an acknowledgement.
    pub(crate) fn acknowledge(&mut self, now: Time, ack: Ack) {
        if ack.latest >= ack.next && ack.latest >= self.una {
            self.sacked.insert(ack.latest);
        }
        self.resent.remove(&ack.latest);
        if ack.next > self.una {
            self.advance(now, ack);
        }
        let is_old_news = self.answered.is_some_and(|first| self.una <= first);
        if ack.echo && self.una > self.recovery_point && !is_old_news {
            self.reduce();
            self.answered = Some(self.next);
        }
        if !self.recovering && self.una >= self.recovery_point && self.next_hole().is_some() {
            self.recover();
        }
    }

    /// When the sender has waited too long.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.deadline
    }

    /// Nothing was acknowledged until the deadline: all is sent again, from one segment on.
    pub(crate) fn time_out(&mut self, now: Time) {
        self.threshold = (self.in_flight() / 2).max(LEAST_WINDOW);
        (self.window, self.credit) = (1, 0);
        self.recovery_point = self.highest;
        self.recovering = false;
        self.next = self.una;
        self.sacked.clear();
        self.resent.clear();
        self.answered = None;
        self.timing.sample = None;
        self.timing.timeout = (2 * self.timing.timeout).min(LONGEST_TIMEOUT);
        self.deadline = Some(now + self.timing.timeout);
        self.reduced = true;
    }

    /// All before a segment have arrived.
    fn advance(&mut self, now: Time, ack: Ack) {
        let una = ack.next;
        let acknowledged = una - self.una;
        self.una = una;
        self.next = self.next.max(una);
        self.sacked = self.sacked.split_off(&una);
        self.resent = self.resent.split_off(&una);
        if let Some((_, sent)) = self.timing.sample.take_if(|(timed, _)| *timed < una) {
            self.timing.measure(now - sent);
        }
        self.recovering &= una < self.recovery_point;
        if !self.recovering && !ack.echo {
            self.grow(acknowledged);
        }
        self.deadline = (self.una < self.highest).then_some(now + self.timing.timeout);
    }

    /// One segment for each acknowledgement below the threshold, one for a window of them above.
    fn grow(&mut self, acknowledged: u64) {
        if self.window == LARGEST_WINDOW {
            return;
        }
        if self.window < self.threshold {
            self.window += 1;
            return;
        }
        self.credit += acknowledged;
        if self.credit >= self.window {
            self.credit -= self.window;
            self.window += 1;
        }
    }

    fn recover(&mut self) {
        if self.answered.is_none_or(|first| self.una >= first) {
            self.reduce();
        }
        self.recovery_point = self.next;
        self.recovering = true;
        self.timing.sample = None;
    }

    /// Halves the window.
    fn reduce(&mut self) {
        self.threshold = (self.in_flight() / 2).max(LEAST_WINDOW);
        (self.window, self.credit) = (self.threshold, 0);
        self.reduced = true;
    }

    /// Every gap below this segment is a loss: enough have arrived above it.
    fn lost_below(&self) -> u64 {
        let third = self.sacked.iter().rev().nth(DUPLICATES - 1);
        third.copied().unwrap_or(self.una)
    }

    /// The first segment that is lost and was not sent again.
    fn next_hole(&self) -> Option<u64> {
        let from = self.resent.last().map_or(self.una, |last| last + 1);
        (from..self.lost_below()).find(|segment| !self.sacked.contains(segment))
    }

    /// Segments that are on their way, as far as the sender can tell: `pipe` of RFC 6675.
    fn in_flight(&self) -> u64 {
        let lost_below = self.lost_below();
        let arrived = self.sacked.range(..lost_below).count() as u64;
        let lost = lost_below - self.una - arrived;
        let resent = self.resent.range(..lost_below).count() as u64;
        (self.next - self.una + resent).saturating_sub(self.sacked.len() as u64 + lost)
    }
}

impl Timing {
    fn measure(&mut self, round_trip: Duration) {
        let smoothed = match self.smoothed {
            None => {
                self.variation = round_trip / 2;
                round_trip
            }
            Some(smoothed) => {
                self.variation = (3 * self.variation + smoothed.abs_diff(round_trip)) / 4;
                (7 * smoothed + round_trip) / 8
            }
        };
        self.smoothed = Some(smoothed);
        self.timeout = (smoothed + 4 * self.variation).clamp(LEAST_TIMEOUT, LONGEST_TIMEOUT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends all that the window has room for.
    fn send(sender: &mut Sender) -> Vec<Segment> {
        std::iter::from_fn(|| sender.next_segment(Time::ZERO)).collect()
    }

    /// All before `next` have arrived.
    fn hear(sender: &mut Sender, next: u64, echo: bool) {
        let latest = next - 1;
        sender.acknowledge(Time::from_millis(next), Ack { next, latest, echo });
    }

    #[test]
    fn a_mark_halves_the_window_once_in_a_window_of_data_and_nothing_is_sent_again() {
        let mut sender = Sender::new(true);
        let first = send(&mut sender);
        assert_eq!(first.len(), 10);
        assert!(first.iter().all(|it| it.ecn == Ecn::Ect0 && !it.reduced));
        // Slow start grows by 1 to 11; then of 9 that are on their way half may be, 4. Neither more
        // echoes nor their acknowledgements change that until all that was sent by then arrived.
        hear(&mut sender, 1, false);
        assert_eq!(sender.window, 11);
        assert_eq!(send(&mut sender).len(), 2);
        hear(&mut sender, 2, true);
        assert_eq!((sender.window, sender.threshold), (5, 5));
        for next in 3..=12 {
            hear(&mut sender, next, true);
            assert_eq!(sender.window, 5, "after {next}");
        }
        // What is sent next says so, once, and is new.
        let next = send(&mut sender);
        let told: Vec<_> = next.iter().map(|it| (it.number, it.reduced)).collect();
        let expected = [
            (12, true),
            (13, false),
            (14, false),
            (15, false),
            (16, false),
        ];
        assert_eq!(told, expected);
        // An echo of the segment that said so is of the next window: 4 on their way, half is 2.
        hear(&mut sender, 13, true);
        assert_eq!(sender.window, 2);
    }

    #[test]
    fn a_loss_in_a_window_that_was_halved_for_a_mark_is_repaired_without_halving_it_again() {
        let mut sender = Sender::new(true);
        send(&mut sender);
        hear(&mut sender, 1, true);
        assert_eq!(sender.window, 4);
        // 1 is lost; 2, 3 and 4 are beyond it.
        for latest in 2..=4 {
            let (next, echo) = (1, true);
            sender.acknowledge(Time::from_millis(latest), Ack { next, latest, echo });
        }
        assert_eq!(sender.window, 4);
        // On their way are 5 to 9, 5 segments; after two of them there is room for the one that is
        // lost, which must not be ECT (RFC 3168 section 6.1.5).
        for latest in 5..=6 {
            let (next, echo) = (1, true);
            sender.acknowledge(Time::from_millis(latest), Ack { next, latest, echo });
        }
        let again = send(&mut sender);
        let expected = Segment {
            number: 1,
            ecn: Ecn::NotEct,
            reduced: false,
        };
        assert_eq!(again, [expected]);
    }

    /// The segment that says CWR is of the window after that which was halved, so its loss counts
    /// (RFC 3168 section 6.1.2).
    #[test]
    fn a_loss_of_the_first_segment_after_the_window_was_halved_halves_it_again() {
        let mut sender = Sender::new(true);
        send(&mut sender);
        hear(&mut sender, 1, true);
        assert_eq!(sender.window, 4);
        // From the seventh on, the window has room; that one is the first after the mark, 10.
        for next in 2..=10 {
            hear(&mut sender, next, true);
        }
        let next: Vec<_> = send(&mut sender).iter().map(|it| it.number).collect();
        assert_eq!(next, [10, 11, 12, 13]);
        for latest in 11..=13 {
            let (next, echo) = (10, false);
            sender.acknowledge(Time::from_millis(latest), Ack { next, latest, echo });
        }
        assert_eq!(sender.window, 2);
    }

    #[test]
    fn a_sender_that_does_not_understand_marks_says_so() {
        let mut sender = Sender::new(false);
        assert!(send(&mut sender).iter().all(|it| it.ecn == Ecn::NotEct));
    }
}
