//! Durations.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::scale::Scale;
use super::{Quantity, UnitError};

/// A duration in whole nanoseconds, up to 584 years: `"40 ms"`, `"1.5 s"`, `"2 min"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span(u64);

const SCALE: Scale = Scale {
    noun: "a duration",
    example: "40 ms",
    usual: &["ms", "s"],
    units: &[
        ("ns", 1),
        ("us", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("min", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ],
};

impl Span {
    /// No time at all.
    pub(crate) const ZERO: Span = Span(0);

    /// Whole milliseconds.
    pub(crate) const fn millis(millis: u64) -> Self {
        Span(millis * 1_000_000)
    }

    /// Whole seconds.
    pub(crate) const fn seconds(seconds: u64) -> Self {
        Span(seconds * 1_000_000_000)
    }
}

impl From<Span> for Duration {
    fn from(span: Span) -> Duration {
        Duration::from_nanos(span.0)
    }
}

impl From<Duration> for Span {
    /// Saturates at 584 years.
    fn from(duration: Duration) -> Span {
        Span(sim::time::nanos(duration))
    }
}

impl FromStr for Span {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        SCALE.read(text).map(Span)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SCALE.write(self.0, f)
    }
}

impl Quantity for Span {
    fn from_number(number: &str) -> Result<Self, UnitError> {
        Err(SCALE.bare(number))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_unit_is_exact() {
        // 1 us = 10^3 ns, 1 min = 60 s, 1 h = 3,600 s; 0.1 s is 10^8 ns without binary rounding.
        for (text, nanos) in [
            ("7 ns", 7),
            ("2.5 us", 2_500),
            ("40 ms", 40_000_000),
            ("40ms", 40_000_000),
            ("0.1 s", 100_000_000),
            ("1.5 s", 1_500_000_000),
            ("2 min", 120_000_000_000),
            ("1 h", 3_600_000_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Span(nanos)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn writing_and_reading_give_the_same(nanos: u64) {
            let span = Span(nanos);
            prop_assert_eq!(span.to_string().parse(), Ok(span));
        }

        #[test]
        fn whole_milliseconds_read_exactly(millis in 0u64..=86_400_000) {
            prop_assert_eq!(format!("{millis} ms").parse(), Ok(Span::millis(millis)));
            let seconds = format!("{}.{:03} s", millis / 1_000, millis % 1_000);
            prop_assert_eq!(seconds.parse(), Ok(Span::millis(millis)));
        }
    }
}
