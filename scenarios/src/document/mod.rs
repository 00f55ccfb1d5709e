//! A TOML document, read strictly.
//!
//! Reading through serde would stop at the first problem and know keys by their names only. Here
//! every [`Node`] carries its key path and its place, and what is wrong with it is collected in
//! [`Problems`], so that one look at the messages is enough to repair a file. A [`Section`] is a
//! table whose keys are listed: any other key in it is a problem.

mod node;
mod problems;
mod section;

pub(crate) use node::Node;
pub(crate) use problems::{Finding, Problems};
pub(crate) use section::{Keys, Section};

use toml::de::DeTable;

/// Reads `source` with `read`, which gets the top-level section of `keys`. `None` from `read`
/// means that it has reported why.
///
/// # Errors
///
/// All the problems found, in the order of their places: either of the syntax, or, if that is
/// good, of the content.
pub(crate) fn read<T>(
    source: &str,
    keys: &'static Keys,
    read: impl FnOnce(&Section<'_>) -> Option<T>,
) -> Result<T, Vec<Finding>> {
    let (table, errors) = DeTable::parse_recoverable(source);
    let problems = Problems::default();
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        problems.add(
            Some(at),
            String::new(),
            format!("not TOML: {}", error.message()),
        );
    }
    problems.into_result(())?;

    let problems = Problems::default();
    let value = read(&Section::root(table.get_ref(), keys, &problems));
    let findings = problems.into_result(()).err().unwrap_or_default();
    match value {
        Some(value) if findings.is_empty() => Ok(value),
        _ => Err(findings),
    }
}
