//! One value of the document, with its key path and its place.

use std::fmt::Display;
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::DeValue;

use super::{Keys, Problems, Section};
use crate::suggest;
use crate::units::Quantity;

/// A value that was written. Its readers return `None` after reporting why they cannot read it.
#[derive(Clone, Debug)]
pub(crate) struct Node<'d> {
    problems: &'d Problems,
    path: String,
    at: usize,
    value: &'d DeValue<'d>,
}

impl<'d> Node<'d> {
    pub(super) fn new(
        problems: &'d Problems,
        path: String,
        value: &'d Spanned<DeValue<'d>>,
    ) -> Self {
        Node {
            problems,
            path,
            at: value.span().start,
            value: value.get_ref(),
        }
    }

    /// Byte offset of the value in the source.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The key path.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Reports a problem with this value. Always `None`, to return from a reader.
    pub(crate) fn fail<T>(&self, message: impl Display) -> Option<T> {
        self.problems
            .add(Some(self.at), self.path.clone(), message.to_string());
        None
    }

    /// The text, if the value is a string. Reports nothing.
    pub(crate) fn as_str(&self) -> Option<&'d str> {
        self.value.as_str()
    }

    /// The flag, if the value is a boolean. Reports nothing.
    pub(crate) fn as_bool(&self) -> Option<bool> {
        self.value.as_bool()
    }

    /// The elements, if the value is an array. Reports nothing.
    pub(crate) fn as_items(&self) -> Option<Vec<Node<'d>>> {
        let element = |(index, value): (usize, &'d Spanned<DeValue<'d>>)| {
            Node::new(self.problems, format!("{}[{index}]", self.path), value)
        };
        Some(
            self.value
                .as_array()?
                .iter()
                .enumerate()
                .map(element)
                .collect(),
        )
    }

    /// The section, if the value is a table; keys that are not in `keys` are reported.
    pub(crate) fn as_section(&self, keys: &'static Keys) -> Option<Section<'d>> {
        let table = self.value.as_table()?;
        Some(Section::new(
            self.problems,
            self.path.clone(),
            Some(self.at),
            table,
            keys,
        ))
    }

    /// A text.
    pub(crate) fn string(&self) -> Option<&'d str> {
        self.as_str()
            .or_else(|| self.unexpected("a text in quotes"))
    }

    /// `true` or `false`.
    pub(crate) fn boolean(&self) -> Option<bool> {
        self.as_bool().or_else(|| self.unexpected("true or false"))
    }

    /// An array; `example` shows one.
    pub(crate) fn items(&self, example: &str) -> Option<Vec<Node<'d>>> {
        self.as_items()
            .or_else(|| self.unexpected(&format!("a list such as {example}")))
    }

    /// A table with none but `keys`; `example` shows one.
    pub(crate) fn section(&self, keys: &'static Keys, example: &str) -> Option<Section<'d>> {
        self.as_section(keys).or_else(|| self.unexpected(example))
    }

    /// A whole number within `range`.
    pub(crate) fn integer(&self, range: RangeInclusive<u64>) -> Option<u64> {
        let fix = format!("a whole number from {} to {}", range.start(), range.end());
        let DeValue::Integer(written) = self.value else {
            return self.unexpected(&fix);
        };
        let number = u64::from_str_radix(written.as_str(), written.radix()).ok();
        number
            .filter(|number| range.contains(number))
            .or_else(|| self.fail(format!("{written} is out of range; write {fix}")))
    }

    /// A number without a unit, whole or not, within `range`.
    pub(crate) fn number(&self, range: RangeInclusive<f64>) -> Option<f64> {
        let fix = format!("a number from {} to {}", range.start(), range.end());
        let (written, read) = match self.value {
            DeValue::Integer(number) => (number.to_string(), number.to_string().parse()),
            DeValue::Float(number) => (number.to_string(), number.as_str().parse()),
            _ => return self.unexpected(&fix),
        };
        read.ok()
            .filter(|number| range.contains(number))
            .or_else(|| self.fail(format!("{written} is out of range; write {fix}")))
    }

    /// A number with a unit.
    pub(crate) fn quantity<Q: Quantity>(&self) -> Option<Q> {
        let read = match self.value {
            DeValue::String(text) => text.parse(),
            DeValue::Integer(number) => Q::from_number(&number.to_string()),
            DeValue::Float(number) => Q::from_number(number.as_str()),
            _ => return self.unexpected("a number with its unit in quotes"),
        };
        read.map_or_else(|error| self.fail(error), Some)
    }

    /// A number with a unit, within `range`.
    pub(crate) fn within<Q: Quantity + PartialOrd>(&self, range: RangeInclusive<Q>) -> Option<Q> {
        let quantity = self.quantity()?;
        if range.contains(&quantity) {
            return Some(quantity);
        }
        let (least, most) = (range.start(), range.end());
        self.fail(format!(
            "{quantity} is out of range; write {least} to {most}"
        ))
    }

    /// One of the named values.
    pub(crate) fn choice<T: Copy>(&self, choices: &[(&'static str, T)]) -> Option<T> {
        let names = || choices.iter().map(|(name, _)| *name);
        let Some(word) = self.as_str() else {
            let all: Vec<_> = names().map(quote).collect();
            return self.unexpected(&format!("one of {}", all.join(", ")));
        };
        match choices.iter().find(|(name, _)| *name == word) {
            Some((_, value)) => Some(*value),
            None => self.unknown(word, "value", names()),
        }
    }

    /// Reports that `word` is not among the names of a `thing`.
    pub(crate) fn unknown<'a, T>(
        &self,
        word: &str,
        thing: &str,
        names: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Option<T> {
        let instead = suggest::instead(word, names, quote);
        self.fail(format!("{word:?} is an unknown {thing}; {instead}"))
    }

    /// Reports that the value is of the wrong kind; `fix` is the right one.
    pub(crate) fn unexpected<T>(&self, fix: &str) -> Option<T> {
        self.fail(format!("{} does not fit here; write {fix}", self.kind()))
    }

    fn kind(&self) -> String {
        match self.value {
            DeValue::String(text) => format!("{text:?}"),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Float(number) => number.to_string(),
            DeValue::Boolean(flag) => flag.to_string(),
            DeValue::Datetime(time) => time.to_string(),
            DeValue::Array(_) => "a list".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
        }
    }
}

fn quote(word: &str) -> String {
    format!("\"{word}\"")
}
