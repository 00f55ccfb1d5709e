//! What can be wrong with a scenario, said so that it can be repaired.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::document::Finding;

/// Why a scenario cannot be run.
#[derive(Debug, Error)]
pub enum ScenarioError {
    /// The name is neither a file nor a built-in.
    #[error("{name:?} is neither a file nor a built-in scenario; {fix}")]
    Unknown {
        /// As it was given.
        name: String,
        /// The nearest built-in and all of them, and a file of nearly that name.
        fix: String,
    },
    /// The file cannot be read.
    #[error("{}: cannot be read: {reason}; {fix}", file.display())]
    Unreadable {
        /// As it was given.
        file: PathBuf,
        /// A file of nearly that name, or what else to do.
        fix: String,
        /// What the operating system said; also bytes that are not UTF-8.
        reason: io::Error,
    },
    /// The scenario, or what overrides it, says what it must not. One line each.
    #[error("{}", lines(problems))]
    Invalid {
        /// All that were found, at least one, from the top of the file down.
        problems: Vec<Problem>,
    },
}

/// One thing that is wrong, where, and what to write instead.
///
/// It reads `standup.toml:14:18: group[1].link.up.loss: "2" has no unit; write a fraction such as
/// "2 %"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file as it was given, or the name of a built-in.
    pub file: String,
    /// Line and column in it, both from 1, columns in characters; `None` if something is missing
    /// at the top level, or wrong in an override.
    pub place: Option<(usize, usize)>,
    /// The key path, elements of lists from 0; empty for bad syntax.
    pub key: String,
    /// What is wrong, and the repair.
    pub message: String,
}

impl Problem {
    /// A finding in `source`, which is the content of `file`.
    pub(crate) fn locate(file: &str, source: &str, finding: Finding) -> Self {
        let Finding {
            at,
            path: key,
            message,
        } = finding;
        Problem {
            file: file.to_owned(),
            place: at.map(|at| place(source, at)),
            key,
            message,
        }
    }

    /// What is wrong with `file` as a whole.
    pub(crate) fn of_file(file: &str, message: String) -> Self {
        Problem {
            file: file.to_owned(),
            place: None,
            key: String::new(),
            message,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)
    }
}

fn place(source: &str, at: usize) -> (usize, usize) {
    let before = &source[..source.floor_char_boundary(at)];
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (
        before.matches('\n').count() + 1,
        before[start..].chars().count() + 1,
    )
}

fn lines(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(Problem::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        // "é" is two bytes and one column: byte 6 is the third character of the second line.
        let source = "ab\né=x";
        assert_eq!(place(source, 0), (1, 1));
        assert_eq!(place(source, 2), (1, 3));
        assert_eq!(place(source, 3), (2, 1));
        assert_eq!(place(source, 6), (2, 3));
        assert_eq!(place(source, 99), (2, 4));
    }
}
