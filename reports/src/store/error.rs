//! What can go wrong with a run's directory.

use std::io;
use std::path::PathBuf;

use crate::gates::UnknownMetric;
use crate::record::{OLDEST_SCHEMA, SCHEMA_VERSION};

/// Why a run could not be written or read. What the system said is its source.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory, or one above it, is a file.
    #[error("{} is a file, not a directory", path.display())]
    NotADirectory {
        /// What is in the way.
        path: PathBuf,
    },
    /// A file of the run is a directory.
    #[error("{} is a directory, and a file of the results has that name", path.display())]
    NotAFile {
        /// What is in the way.
        path: PathBuf,
    },
    /// The system refused to write.
    #[error("cannot write {}", path.display())]
    Write {
        /// What was written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused to read, or there is nothing to read.
    #[error("cannot read the records of a run from {}", path.display())]
    Read {
        /// What was read.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file ends too early.
    #[error("{} is cut short: copy it again, or run the scenario again", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
    },
    /// The file is not what `rtclab run` writes.
    #[error("{} does not hold the records of a run", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Where it differs.
        source: serde_json::Error,
    },
    /// Somebody changed the file.
    #[error(
        "{} was changed after it was written (its sha256 is not that of its content): copy the \
         original again, or run the scenario again", path.display()
    )]
    Edited {
        /// The file.
        path: PathBuf,
    },
    /// The run has a limit that this program does not know.
    #[error(transparent)]
    Limit(#[from] UnknownMetric),
    /// Another version of the program wrote the file.
    #[error(
        "{} has schema {found}, and this program reads {OLDEST_SCHEMA} to {SCHEMA_VERSION}: \
         use the version that wrote it, or run the scenario again", path.display()
    )]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        found: u32,
    },
}
