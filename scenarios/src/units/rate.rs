//! Bit rates.

use std::fmt;
use std::str::FromStr;

use super::scale::Scale;
use super::{Quantity, UnitError};

/// Whole bits per second, decimal prefixes: `"700 kbps"`, `"2 Mbps"`, `"1 Gbps"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rate(u64);

const SCALE: Scale = Scale {
    noun: "a rate",
    example: "2 Mbps",
    usual: &["kbps", "Mbps"],
    units: &[
        ("bps", 1),
        ("kbps", 1_000),
        ("Mbps", 1_000_000),
        ("Gbps", 1_000_000_000),
    ],
};

impl Rate {
    /// Whole kilobits per second, each 1,000 bits per second.
    pub(crate) const fn kbps(kilobits: u64) -> Self {
        Rate(kilobits * 1_000)
    }

    /// Bits per second.
    pub(crate) const fn bps(self) -> u64 {
        self.0
    }
}

impl FromStr for Rate {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        SCALE.read(text).map(Rate)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SCALE.write(self.0, f)
    }
}

impl Quantity for Rate {
    fn from_number(number: &str) -> Result<Self, UnitError> {
        Err(SCALE.bare(number))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prefixes_are_decimal() {
        // Rates use SI prefixes: k is 10^3, M 10^6, G 10^9.
        for (text, bps) in [
            ("64 bps", 64),
            ("700 kbps", 700_000),
            ("2 Mbps", 2_000_000),
            ("0.5 Mbps", 500_000),
            ("1 Gbps", 1_000_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Rate(bps)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn writing_and_reading_give_the_same(bps: u64) {
            let rate = Rate(bps);
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        }
    }
}
