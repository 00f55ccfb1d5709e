//! Sizes in bytes.

use std::fmt;
use std::str::FromStr;

use super::scale::Scale;
use super::{Quantity, UnitError};

/// Whole bytes, decimal (`"64 kB"`) or binary (`"1 MiB"`, IEC 80000-13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Size(u64);

const SCALE: Scale = Scale {
    noun: "a size",
    example: "64 kB",
    usual: &["kB", "B"],
    units: &[
        ("B", 1),
        ("kB", 1_000),
        ("KiB", 1_024),
        ("MB", 1_000_000),
        ("MiB", 1_048_576),
        ("GB", 1_000_000_000),
        ("GiB", 1_073_741_824),
    ],
};

impl Size {
    /// So many bytes.
    pub(crate) const fn of(bytes: u64) -> Self {
        Size(bytes)
    }

    /// Bytes.
    pub(crate) const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for Size {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        SCALE.read(text).map(Size)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SCALE.write(self.0, f)
    }
}

impl Quantity for Size {
    fn from_number(number: &str) -> Result<Self, UnitError> {
        Err(SCALE.bare(number))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimal_and_binary_prefixes_differ() {
        // kB is 10^3 and KiB 2^10; MB is 10^6 and MiB 2^20.
        for (text, bytes) in [
            ("1500 B", 1_500),
            ("64 kB", 64_000),
            ("64 KiB", 65_536),
            ("1 MB", 1_000_000),
            ("1 MiB", 1_048_576),
            ("0.5 MiB", 524_288),
        ] {
            assert_eq!(text.parse(), Ok(Size(bytes)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn writing_and_reading_give_the_same(bytes: u64) {
            let size = Size(bytes);
            prop_assert_eq!(size.to_string().parse(), Ok(size));
        }
    }
}
