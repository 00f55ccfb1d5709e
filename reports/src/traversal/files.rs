//! The files of a matrix: written whole or not at all.

use std::path::Path;

use super::record::Matrix;
use super::{html, junit};
use crate::store::{Staging, StoreError};

/// The names of the files, in the order in which they appear.
pub const FILES: [&str; 3] = ["junit.xml", "nat.html", "nat.json"];

/// The records as JSON.
pub fn json(matrix: &Matrix) -> String {
    let text = serde_json::to_string_pretty(matrix).expect("records have text keys only");
    text + "\n"
}

/// Writes the matrix into `dir`, creating it if need be; every file is complete before any appears
/// under its name.
///
/// # Errors
///
/// When something in the way is not a directory, or cannot be written. Nothing is left behind then.
pub fn write(dir: &Path, matrix: &Matrix) -> Result<(), StoreError> {
    let mut staging = Staging::open(dir)?;
    let contents = [junit::render(matrix), html::render(matrix), json(matrix)];
    for (name, content) in FILES.into_iter().zip(contents) {
        staging.add(name, content)?;
    }
    staging.commit()
}

/// Finds out whether [`write`] could write into `dir`. Leaves nothing behind.
///
/// # Errors
///
/// As [`write`].
pub fn check_writable(dir: &Path) -> Result<(), StoreError> {
    let mut staging = Staging::open(dir)?;
    FILES.into_iter().try_for_each(|name| staging.add(name, ""))
}
