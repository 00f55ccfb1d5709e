//! What quantities with a ladder of units share: reading, writing, and what to say when it fails.

use std::fmt;

use super::UnitError;
use super::decimal::{Decimal, Inexact};
use crate::suggest;

/// A ladder of units, each a whole number of the smallest.
pub(super) struct Scale {
    /// With its article: `a duration`.
    pub(super) noun: &'static str,
    /// What a correct text looks like.
    pub(super) example: &'static str,
    /// Suggested for a number without a unit, the likeliest first.
    pub(super) usual: &'static [&'static str],
    /// From the smallest, which is worth 1, to the largest.
    pub(super) units: &'static [(&'static str, u64)],
}

impl Scale {
    /// Reads `text` as a number of the smallest unit. A space before the unit is optional.
    pub(super) fn read(&self, text: &str) -> Result<u64, UnitError> {
        let trimmed = text.trim();
        if trimmed.starts_with('-') {
            return Err(UnitError::Negative {
                text: format!("\"{text}\""),
            });
        }
        let split = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (number, unit) = trimmed.split_at(split.unwrap_or(trimmed.len()));
        let Some(decimal) = Decimal::parse(number) else {
            return Err(self.not_one(text));
        };
        match unit.trim_start() {
            "" => Err(self.no_unit(number, format!("\"{number}\""))),
            unit => self.scale(text, number, decimal, unit),
        }
    }

    /// The error for a number without quotes.
    pub(super) fn bare(&self, number: &str) -> UnitError {
        match number.starts_with('-') {
            true => UnitError::Negative {
                text: number.to_owned(),
            },
            false => self.no_unit(number, number.to_owned()),
        }
    }

    /// Writes `value` in the largest unit that keeps it whole.
    pub(super) fn write(&self, value: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |&&(_, worth): &&(&str, u64)| value != 0 && value.is_multiple_of(worth);
        let (unit, worth) = self
            .units
            .iter()
            .rev()
            .find(whole)
            .unwrap_or(&self.units[0]);
        write!(f, "{} {unit}", value / worth)
    }

    fn scale(
        &self,
        text: &str,
        number: &str,
        decimal: Decimal,
        unit: &str,
    ) -> Result<u64, UnitError> {
        let text = text.to_owned();
        let Some((_, worth)) = self.units.iter().find(|(name, _)| *name == unit) else {
            return Err(self.unknown_unit(text, number, unit));
        };
        decimal.times(*worth).map_err(|inexact| match inexact {
            Inexact::Fractional => UnitError::TooFine {
                text,
                unit: self.units[0].0,
            },
            Inexact::TooLarge => {
                let (unit, worth) = self.units[self.units.len() - 1];
                UnitError::TooLarge {
                    text,
                    limit: format!("{} {unit}", u64::MAX / worth),
                }
            }
        })
    }

    fn no_unit(&self, number: &str, text: String) -> UnitError {
        let examples: Vec<_> = self
            .usual
            .iter()
            .map(|unit| format!("\"{number} {unit}\""))
            .collect();
        UnitError::NoUnit {
            text,
            noun: self.noun,
            examples: examples.join(" or "),
        }
    }

    fn unknown_unit(&self, text: String, number: &str, unit: &str) -> UnitError {
        let names = || self.units.iter().map(|(name, _)| *name);
        let fix = suggest::nearest(unit, names()).unwrap_or(self.usual[0]);
        let units = names().collect::<Vec<_>>().join(", ");
        UnitError::UnknownUnit {
            text,
            fix: format!("\"{number} {fix}\""),
            units,
        }
    }

    fn not_one(&self, text: &str) -> UnitError {
        UnitError::NotOne {
            text: text.to_owned(),
            noun: self.noun,
            example: self.example,
        }
    }
}
