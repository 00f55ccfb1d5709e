//! The rate stage: first in, first out serialisation, exact to the nanosecond.

use super::changes::PipeChange;
use super::course::{Course, Medium};

/// Nanoseconds that a byte takes at one bit per second.
pub(super) const NANOS_PER_BYTE_AT_1_BPS: u128 = 8_000_000_000;

/// Sends packets one after the other at a rate.
///
/// `n` bytes at `r` bit/s take exactly `n * 8e9 / r` ns, which is rarely whole. The end of a busy
/// period is therefore kept as a whole number of nanoseconds plus a remainder in units of `1/r` ns,
/// and the remainder is carried from packet to packet: a busy period of any length has no drift.
/// Only what is answered is rounded, up, to the first nanosecond at which the last bit is sent.
///
/// Where the rate is known to change ([`Serializer::follow`]), a packet that is being sent then is
/// sent in parts, each at the rate of its time.
#[derive(Debug)]
pub(super) struct Serializer {
    rate_bps: Option<u64>,
    /// When the last accepted bit is sent: `free_at + remainder / rate_bps`, in nanoseconds.
    free_at: u64,
    remainder: u64,
    /// What ends before this time, in nanoseconds, was sent at that rate from start to end. 0 where
    /// a trace says when packets leave.
    simple_until: u64,
    /// Boxed: few links change.
    course: Option<Box<Course>>,
}

impl Serializer {
    /// A rate in bits per second, above zero; `None` takes no time.
    pub(super) fn new(rate_bps: Option<u64>) -> Self {
        Serializer {
            rate_bps,
            free_at: 0,
            remainder: 0,
            simple_until: u64::MAX,
            course: None,
        }
    }

    /// Takes the changes of the rate from a list of all changes.
    pub(super) fn follow(&mut self, changes: &[PipeChange]) {
        let course = Course::new(self.rate_bps, changes);
        self.simple_until = course.until();
        self.course = Some(Box::new(course));
    }

    /// When the last bit of a packet that is handed over at `now` is sent, in nanoseconds.
    pub(super) fn send(&mut self, now: u64, bytes: u32) -> u64 {
        if now >= self.free_at() {
            self.free_at = now;
            self.remainder = 0;
        }
        let (mut free_at, mut remainder) = (self.free_at, self.remainder);
        if let Some(rate) = self.rate_bps {
            let work = u128::from(bytes) * NANOS_PER_BYTE_AT_1_BPS + u128::from(remainder);
            let (whole, rest) = divide(work, rate);
            remainder = rest;
            free_at = free_at.saturating_add(whole);
        }
        if free_at >= self.simple_until && self.course.is_some() {
            return self.send_through_changes(now, bytes);
        }
        (self.free_at, self.remainder) = (free_at, remainder);
        self.free_at()
    }

    /// The same where the rate may change while the packet waits for it or is sent.
    #[cold]
    fn send_through_changes(&mut self, now: u64, bytes: u32) -> u64 {
        let Some(course) = &mut self.course else {
            return self.free_at();
        };
        let mut work = u128::from(bytes) * NANOS_PER_BYTE_AT_1_BPS;
        loop {
            let until = course.until();
            let sent = match course.medium() {
                _ if until <= self.free_at => None,
                Medium::Rate(None) => Some((self.free_at, self.remainder)),
                Medium::Rate(Some(rate)) => {
                    let room = u128::from(until - self.free_at) * u128::from(*rate)
                        - u128::from(self.remainder);
                    let all = divide(work + u128::from(self.remainder), *rate);
                    let fits = work <= room;
                    work = work.saturating_sub(room);
                    fits.then(|| (self.free_at.saturating_add(all.0), all.1))
                }
                Medium::Trace(cursor) => {
                    let bytes = work.div_ceil(NANOS_PER_BYTE_AT_1_BPS) as u32; // of one packet
                    let sent = cursor.send(now, bytes, until);
                    work = u128::from(sent.err().unwrap_or(0)) * NANOS_PER_BYTE_AT_1_BPS;
                    sent.ok().map(|at| (at, 0))
                }
            };
            if let Some(end) = sent {
                (self.free_at, self.remainder) = end;
                return self.free_at();
            }
            // What is left of a nanosecond was counted above, or is rounded up before a new rate.
            let rest = u64::from(self.remainder > 0 && until <= self.free_at);
            (self.free_at, self.remainder) = (until.max(self.free_at + rest), 0);
            course.advance();
            (self.rate_bps, self.simple_until) = course.simple();
        }
    }

    /// Changes the rate for packets that are yet to come. What was accepted keeps its time; a
    /// fraction of a nanosecond that is pending is rounded up, once.
    pub(super) fn set_rate(&mut self, rate_bps: Option<u64>) {
        self.free_at = self.free_at();
        self.remainder = 0;
        self.rate_bps = rate_bps;
        if let Some(course) = &mut self.course {
            course.set_rate(rate_bps);
            self.simple_until = course.until();
        }
    }

    /// When the last bit of all packets is sent, in nanoseconds.
    pub(super) fn free_at(&self) -> u64 {
        self.free_at.saturating_add(u64::from(self.remainder > 0))
    }
}

/// The quotient, saturated at `u64::MAX`, and the remainder.
///
/// The work of an IP packet fits into 64 bits unless the rate is astronomical, and a division of
/// 64 bits takes a fraction of the time of one of 128.
fn divide(work: u128, rate: u64) -> (u64, u64) {
    if let Ok(work) = u64::try_from(work) {
        return (work / rate, work % rate);
    }
    let (work, rate) = (work, u128::from(rate));
    let whole = u64::try_from(work / rate).unwrap_or(u64::MAX);
    (whole, (work % rate) as u64) // a remainder is below `rate`, which is a u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serialisation_is_exact_to_the_nanosecond() {
        // 1,500 bytes at 1 Mbit/s: 12,000 bits of 1 us each = 12 ms = 12,000,000 ns exactly.
        assert_eq!(Serializer::new(Some(1_000_000)).send(7, 1_500), 12_000_007);
        // 1 byte at 3 bit/s: 8/3 s = 2,666,666,666.67 ns, sent within the 667th nanosecond.
        assert_eq!(Serializer::new(Some(3)).send(0, 1), 2_666_666_667);
        // No rate takes no time.
        assert_eq!(Serializer::new(None).send(7, 1_500), 7);
    }

    #[test]
    fn a_long_busy_period_does_not_drift() {
        // 3 bits in 7 ns is 428,571,428.57 bit/s; the nearest whole rate is not a divisor of
        // anything. A million packets of 1,201 bytes then end at 1e6 * 1,201 * 8e9 / r ns, which
        // rounding per packet would miss by up to a million nanoseconds.
        let rate = 428_571_429;
        let mut link = Serializer::new(Some(rate));
        let last = (0..1_000_000).map(|_| link.send(0, 1_201)).last();
        let exact = 1_000_000 * 1_201 * NANOS_PER_BYTE_AT_1_BPS;
        assert_eq!(last.map(u128::from), Some(exact.div_ceil(u128::from(rate))));
    }

    #[test]
    fn a_packet_waits_for_the_fraction_of_a_nanosecond_that_is_left() {
        // At 3 bit/s the first byte ends at 2,666,666,666.67 ns. The second, handed over 0.67 ns
        // before that, ends at twice that time, 5,333,333,333.33 ns, not at 5,333,333,332.67.
        let mut link = Serializer::new(Some(3));
        link.send(0, 1);
        assert_eq!(link.send(2_666_666_666, 1), 5_333_333_334);
    }

    #[test]
    fn an_idle_link_starts_at_once_and_a_busy_one_queues() {
        // 125 bytes at 1 Mbit/s are 1 ms. Handed over at 0, 0.4 and 5 ms they end at 1, 2 and 6.
        let mut link = Serializer::new(Some(1_000_000));
        assert_eq!(link.send(0, 125), 1_000_000);
        assert_eq!(link.send(400_000, 125), 2_000_000);
        assert_eq!(link.send(5_000_000, 125), 6_000_000);
    }

    #[test]
    fn a_new_rate_waits_for_what_was_accepted() {
        // 1 ms at the old rate, then 125 bytes at twice the rate are 0.5 ms more, then none.
        let mut link = Serializer::new(Some(1_000_000));
        link.send(0, 125);
        link.set_rate(Some(2_000_000));
        assert_eq!(link.send(0, 125), 1_500_000);
        link.set_rate(None);
        assert_eq!(link.send(0, 125), 1_500_000);
        assert_eq!(link.send(1_500_001, 125), 1_500_001);
    }
}
