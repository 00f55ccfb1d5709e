//! Quantities as scenarios write them: a decimal number and a unit.
//!
//! Every type here is valid by construction: a value exists only if its text was read exactly,
//! without rounding. [`decimal`] does the arithmetic; the other modules are one quantity each.

mod decimal;
mod fraction;
mod frame_size;
mod rate;
mod scale;
mod size;
mod span;

use std::fmt::Display;
use std::str::FromStr;

use thiserror::Error;

pub(crate) use fraction::Fraction;
pub(crate) use frame_size::FrameSize;
pub(crate) use rate::Rate;
pub(crate) use size::Size;
pub(crate) use span::Span;

/// A value that is written as text with a unit in it.
pub(crate) trait Quantity: Copy + Display + FromStr<Err = UnitError> {
    /// Reads a number that was written without quotes, and so without a unit.
    ///
    /// # Errors
    ///
    /// Names the unit that is missing, unless the quantity has a plain number as its other form.
    fn from_number(number: &str) -> Result<Self, UnitError>;
}

/// Why a text is not a quantity. Every message ends with what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum UnitError {
    /// A number alone. `text` is as written, with its quotes if it had some.
    #[error("{text} has no unit; write {noun} such as {examples}")]
    NoUnit {
        text: String,
        noun: &'static str,
        examples: String,
    },
    /// A number with a unit that nobody knows.
    #[error("\"{text}\" has an unknown unit; write {fix} (units: {units})")]
    UnknownUnit {
        text: String,
        fix: String,
        units: String,
    },
    /// Not a number with a unit at all.
    #[error("{text:?} is not {noun}; write one such as \"{example}\"")]
    NotOne {
        text: String,
        noun: &'static str,
        example: &'static str,
    },
    /// Below zero.
    #[error("{text} is negative; write zero or more")]
    Negative { text: String },
    /// Between two whole numbers of the smallest unit.
    #[error("\"{text}\" is finer than 1 {unit}; write a whole number of {unit}")]
    TooFine { text: String, unit: &'static str },
    /// Above what 64 bits of the smallest unit hold.
    #[error("\"{text}\" is too large; write less than \"{limit}\"")]
    TooLarge { text: String, limit: String },
    /// A fraction outside 0 to 1, or the ambiguous integer 1.
    #[error("{text} is not a fraction; write {fix}")]
    NotAFraction { text: String, fix: String },
    /// A frame with an odd side.
    #[error("\"{text}\" has an odd side, which 4:2:0 video cannot have; write \"{fix}\"")]
    OddSide { text: String, fix: String },
    /// A frame smaller or larger than the encoder and the pixel marker take.
    #[error("\"{text}\" is out of range; write a size from {smallest} to {largest}")]
    FrameOutOfRange {
        text: String,
        smallest: FrameSize,
        largest: FrameSize,
    },
}
