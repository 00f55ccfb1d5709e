//! Fractions: probabilities and shares.

use std::fmt;
use std::str::FromStr;

use super::decimal::Decimal;
use super::{Quantity, UnitError};

/// A fraction from 0 to 1: `"1 %"` or the number `0.01`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) struct Fraction(f64);

impl Fraction {
    /// Nothing.
    pub(crate) const ZERO: Fraction = Fraction(0.0);

    /// Everything.
    pub(crate) const ONE: Fraction = Fraction(1.0);

    /// One of two.
    pub(crate) const HALF: Fraction = Fraction(0.5);

    /// From 0 to 1.
    pub(crate) const fn get(self) -> f64 {
        self.0
    }

    fn checked(value: f64, text: &str) -> Result<Self, UnitError> {
        match (0.0..=1.0).contains(&value) {
            true => Ok(Fraction(value)),
            false => Err(not_a_fraction(
                text,
                "\"0 %\" to \"100 %\", or a number from 0.0 to 1.0",
            )),
        }
    }
}

impl FromStr for Fraction {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let quoted = format!("{text:?}");
        let (number, has_unit) = match text.trim().strip_suffix('%') {
            Some(number) => (number.trim_end(), true),
            None => (text.trim(), false),
        };
        match (Decimal::parse(number), has_unit) {
            (Some(decimal), true) => Fraction::checked(decimal.percent(), &quoted),
            (Some(_), false) => Err(UnitError::NoUnit {
                text: quoted,
                noun: "a fraction",
                examples: format!("\"{number} %\""),
            }),
            (None, _) if number.starts_with('-') => Err(UnitError::Negative { text: quoted }),
            (None, _) => Err(UnitError::NotOne {
                text: text.to_owned(),
                noun: "a fraction",
                example: "1 %",
            }),
        }
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Quantity for Fraction {
    /// The numbers 0.0 to 1.0 and the integer 0. The integer 1 is refused: who writes `loss = 1`
    /// may well mean one percent.
    fn from_number(number: &str) -> Result<Self, UnitError> {
        if number == "1" {
            return Err(not_a_fraction(number, "\"1 %\", or 1.0 for all of them"));
        }
        match number.parse() {
            Ok(value) => Fraction::checked(value, number),
            Err(_) => Err(not_a_fraction(number, "\"1 %\" or 0.01")),
        }
    }
}

fn not_a_fraction(text: &str, fix: &str) -> UnitError {
    UnitError::NotAFraction {
        text: text.to_owned(),
        fix: fix.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_forms_and_both_ends() {
        for (text, value) in [
            ("0 %", 0.0),
            ("1 %", 0.01),
            ("12.5%", 0.125),
            ("100 %", 1.0),
        ] {
            assert_eq!(text.parse(), Ok(Fraction(value)), "{text}");
        }
        for (number, value) in [("0", 0.0), ("0.01", 0.01), ("1e-3", 0.001), ("1.0", 1.0)] {
            assert_eq!(
                Fraction::from_number(number),
                Ok(Fraction(value)),
                "{number}"
            );
        }
        assert!("100.01 %".parse::<Fraction>().is_err());
        for number in ["1", "2", "1.01", "-0.01", "nan", "inf"] {
            assert!(Fraction::from_number(number).is_err(), "{number}");
        }
    }

    proptest! {
        /// "ab.cd %" and 0.abcd are the same number, to the last bit.
        #[test]
        fn percentages_are_the_nearest_floats(hundredths in 0u32..=10_000) {
            let percent = format!("{}.{:02} %", hundredths / 100, hundredths % 100);
            let number = format!("{}.{:04}", hundredths / 10_000, hundredths % 10_000);
            prop_assert_eq!(percent.parse::<Fraction>(), Fraction::from_number(&number));
        }
    }
}
