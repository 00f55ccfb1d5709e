//! The sender of a TCP transfer that always has more to send.
//!
//! It counts in full segments. What it leaves out of the RFCs that it follows: connections begin
//! established, and there are no delayed acknowledgements. An acknowledgement tells of one segment beyond a gap, where RFC 2018 repeats older ones;
//! of what is told in one that is lost, the sender knows nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use super::receiver::Ack;
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
    pub(crate) fn new() -> Self {
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
        }
    }

    /// The next segment to send, if the window has room for one.
    pub(crate) fn next_segment(&mut self, now: Time) -> Option<u64> {
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
        if segment >= self.highest {
            self.highest = segment + 1;
            self.timing.sample.get_or_insert((segment, now));
        }
        self.deadline.get_or_insert(now + self.timing.timeout);
        Some(segment)
    }

    /// Takes an acknowledgement.
    pub(crate) fn acknowledge(&mut self, now: Time, ack: Ack) {
        if ack.latest >= ack.next && ack.latest >= self.una {
            self.sacked.insert(ack.latest);
        }
        self.resent.remove(&ack.latest);
        if ack.next > self.una {
            self.advance(now, ack.next);
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
        self.timing.sample = None;
        self.timing.timeout = (2 * self.timing.timeout).min(LONGEST_TIMEOUT);
        self.deadline = Some(now + self.timing.timeout);
    }

    /// All before `una` have arrived.
    fn advance(&mut self, now: Time, una: u64) {
        let acknowledged = una - self.una;
        self.una = una;
        self.next = self.next.max(una);
        self.sacked = self.sacked.split_off(&una);
        self.resent = self.resent.split_off(&una);
        if let Some((_, sent)) = self.timing.sample.take_if(|(timed, _)| *timed < una) {
            self.timing.measure(now - sent);
        }
        self.recovering &= una < self.recovery_point;
        if !self.recovering {
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
        self.threshold = (self.in_flight() / 2).max(LEAST_WINDOW);
        (self.window, self.credit) = (self.threshold, 0);
        self.recovery_point = self.next;
        self.recovering = true;
        self.timing.sample = None;
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
