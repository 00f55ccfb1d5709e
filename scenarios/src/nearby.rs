//! Scenario files beside a path that is not there.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::suggest;

/// The TOML file in the directory of `path` whose name, with or without its ending, is nearest to
/// that of `path`; `None` if no name is near.
pub(crate) fn file(path: &Path) -> Option<PathBuf> {
    let directory = path.parent().unwrap_or(Path::new(""));
    let wanted = path.with_extension("");
    let wanted = wanted.file_name()?.to_str()?;
    // An empty path is the current directory.
    let entries = fs::read_dir(Path::new(".").join(directory)).ok()?;
    let files = entries.filter_map(|entry| Some(PathBuf::from(entry.ok()?.file_name())));
    let toml = files.filter(|file| file.extension() == Some(OsStr::new("toml")));
    let mut stems: Vec<String> = toml
        .filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()))
        .collect();
    // The system lists files in any order; of equally near ones the first in the alphabet wins.
    stems.sort();
    let near = suggest::nearest(wanted, stems.iter().map(String::as_str))?;
    Some(directory.join(format!("{near}.toml")))
}
