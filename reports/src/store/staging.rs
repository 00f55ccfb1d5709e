//! Files that appear together: written under temporary names beside their places, then renamed.

use std::fs;
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::StoreError;

/// A directory in the making. Dropped before [`Staging::commit`], it leaves nothing behind: not
/// the files, nor the directories that it made for them.
#[derive(Debug)]
pub(crate) struct Staging {
    dir: PathBuf,
    /// Complete files, and the names that they will have.
    files: Vec<(NamedTempFile, PathBuf)>,
    /// Directories that were not there before, the outermost first.
    made: Vec<PathBuf>,
    /// Files that have their names already.
    placed: Vec<PathBuf>,
}

impl Staging {
    /// Creates `dir`, with those above it, where it is missing.
    pub(crate) fn open(dir: &Path) -> Result<Self, StoreError> {
        let mut staging = Staging {
            dir: dir.to_owned(),
            files: Vec::new(),
            made: Vec::new(),
            placed: Vec::new(),
        };
        staging.make(dir)?;
        Ok(staging)
    }

    /// Creates the directory `name` within, where it is missing.
    pub(crate) fn add_directory(&mut self, name: &str) -> Result<(), StoreError> {
        self.make(&self.dir.join(name))
    }

    fn make(&mut self, dir: &Path) -> Result<(), StoreError> {
        for missing in missing_directories(dir)? {
            match fs::create_dir(&missing) {
                Ok(()) => self.made.push(missing),
                // Another run made it meanwhile, or it is reached through `..`.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(source) => {
                    return Err(StoreError::Write {
                        path: missing,
                        source,
                    });
                }
            }
        }
        Ok(())
    }

    /// Writes a file that will be called `name`.
    pub(crate) fn add(&mut self, name: &str, bytes: impl AsRef<[u8]>) -> Result<(), StoreError> {
        let path = self.dir.join(name);
        if path.is_dir() {
            return Err(StoreError::NotAFile { path });
        }
        match temporary(&self.dir, bytes.as_ref()) {
            Ok(file) => self.files.push((file, path)),
            Err(source) => return Err(StoreError::Write { path, source }),
        }
        Ok(())
    }

    /// Gives every file its name, in the order in which they were added.
    pub(crate) fn commit(mut self) -> Result<(), StoreError> {
        for (file, path) in mem::take(&mut self.files) {
            match file.persist(&path) {
                Ok(_) => self.placed.push(path),
                Err(error) => {
                    let source = error.error;
                    return Err(StoreError::Write { path, source });
                }
            }
        }
        self.placed.clear();
        self.made.clear();
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        self.files.clear();
        // Best effort: a directory that someone else has put something into stays, rightly.
        for placed in &self.placed {
            let _ = fs::remove_file(placed);
        }
        for made in self.made.iter().rev() {
            let _ = fs::remove_dir(made);
        }
    }
}

/// `dir` and those above it that do not exist, the outermost first.
fn missing_directories(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut missing = Vec::new();
    for path in dir.ancestors().filter(|path| !path.as_os_str().is_empty()) {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => break,
            Ok(_) => {
                return Err(StoreError::NotADirectory {
                    path: path.to_owned(),
                });
            }
            Err(_) => missing.push(path.to_owned()),
        }
    }
    missing.reverse();
    Ok(missing)
}

fn temporary(dir: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".rtclab-");
    #[cfg(unix)]
    {
        // As any new file, within the user's umask; the default is the owner alone.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    // An empty path is the current directory.
    let mut file = builder.tempfile_in(Path::new(".").join(dir))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}
