//! When a flow sends that does not listen.

use std::time::Duration;

use super::config::{CROSS_PACKET_BYTES, CrossKind};
use crate::time::{Time, nanos};

/// Nanoseconds times bits per second of a packet: what it takes at 1 bit/s.
const PACKET_WORK: u128 = CROSS_PACKET_BYTES as u128 * 8_000_000_000;

/// The times of sending, from zero: packet `k` of a period is sent `k` times its length at the rate
/// after the period began, rounded down to the nanosecond.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    rate_bps: u64,
    /// Of one period, in nanoseconds; without silence there is one period without end.
    on: u64,
    off: u64,
}

impl Pace {
    /// `None` for a flow that listens.
    pub(crate) fn of(kind: CrossKind) -> Option<Self> {
        let (rate_bps, on, off) = match kind {
            CrossKind::Constant { rate_bps } => (rate_bps, u64::MAX, 0),
            CrossKind::OnOff { rate_bps, on, off } => (rate_bps, nanos(on).max(1), nanos(off)),
            CrossKind::Tcp { .. } => return None,
        };
        Some(Pace { rate_bps, on, off })
    }

    /// When packet `number` is sent, from 0, if the flow begins at `from`.
    pub(crate) fn at(&self, from: Time, number: u64) -> Time {
        let rate = u128::from(self.rate_bps);
        // Of those in a period the last is sent before its end.
        let in_period = (u128::from(self.on) * rate).div_ceil(PACKET_WORK);
        let (period, rank) = (
            u128::from(number) / in_period,
            u128::from(number) % in_period,
        );
        let begun = period * (u128::from(self.on) + u128::from(self.off));
        let after = begun + rank * PACKET_WORK / rate;
        from + Duration::from_nanos(u64::try_from(after).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(kind: CrossKind, count: u64) -> Vec<u64> {
        let pace = Pace::of(kind).expect("it does not listen");
        let at = |number| pace.at(Time::from_nanos(5), number).as_nanos() - 5;
        (0..count).map(at).collect()
    }

    #[test]
    fn a_constant_rate_has_no_drift() {
        // 12,000 bits at 7 Mbit/s are 1,714,285.714 ns: packet 7 is sent at 12 ms exactly, and
        // packet 7e6 at 12,000 s, which rounding each gap down would miss by 5 ms.
        let rate_bps = 7_000_000;
        let kind = CrossKind::Constant { rate_bps };
        assert_eq!(times(kind, 3), [0, 1_714_285, 3_428_571]);
        let pace = Pace::of(kind).expect("it does not listen");
        assert_eq!(pace.at(Time::ZERO, 7), Time::from_millis(12));
        assert_eq!(
            pace.at(Time::ZERO, 7_000_000),
            Time::from_millis(12_000_000)
        );
    }

    #[test]
    fn an_on_off_flow_is_silent_in_between() {
        // At 12 Mbit/s a packet each ms. On for 2.5 ms it sends at 0, 1 and 2 ms; with 3.5 ms of
        // silence the next period begins at 6 ms. On for 2 ms it sends at 0 and 1 ms, as 2 ms is over.
        let on_off = |on| CrossKind::OnOff {
            rate_bps: 12_000_000,
            on: Duration::from_micros(on),
            off: Duration::from_micros(6_000 - on),
        };
        let millis = |kind, count| -> Vec<f64> {
            times(kind, count)
                .iter()
                .map(|at| *at as f64 / 1e6)
                .collect()
        };
        assert_eq!(millis(on_off(2_500), 5), [0.0, 1.0, 2.0, 6.0, 7.0]);
        assert_eq!(millis(on_off(2_000), 4), [0.0, 1.0, 6.0, 7.0]);
    }
}
