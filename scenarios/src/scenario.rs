//! A scenario: read, checked, and ready to be resolved.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::document::Finding;
use crate::error::{Problem, ScenarioError};
use crate::library;
use crate::plan::Plan;
use crate::resolve::{self, Overrides};
use crate::spec::{self, Spec};
use crate::suggest;

/// A scenario whose text is valid. Cameras are looked for when it is resolved.
#[derive(Clone, Debug)]
pub struct Scenario {
    file: String,
    base: PathBuf,
    source: String,
    spec: Spec,
}

/// Loads a scenario: a file if `name_or_path` ends in `.toml` or contains a separator, otherwise
/// a built-in, otherwise a file if there is one of that name.
///
/// A built-in comes before a file, so that its name means the same in every directory.
///
/// # Errors
///
/// [`ScenarioError::Unknown`] for a name that is nothing, [`ScenarioError::Unreadable`] for a
/// path that cannot be read, and [`ScenarioError::Invalid`] for a file that is not a scenario.
pub fn load(name_or_path: &str) -> Result<Scenario, ScenarioError> {
    let path = Path::new(name_or_path);
    if name_or_path.ends_with(".toml") || name_or_path.contains(std::path::is_separator) {
        return read(path);
    }
    match library::source(name_or_path) {
        Some(source) => Scenario::new(format!("{name_or_path} (built-in)"), "".into(), source),
        None if path.is_file() => read(path),
        None => Err(unknown(name_or_path)),
    }
}

impl Scenario {
    /// Reads a scenario from text. `file` is where it is from: messages name it, and cameras are
    /// relative to its directory.
    ///
    /// # Errors
    ///
    /// [`ScenarioError::Invalid`] with every problem of the text.
    pub fn parse(source: &str, file: &Path) -> Result<Self, ScenarioError> {
        let base = file.parent().unwrap_or(Path::new("")).to_owned();
        Scenario::new(file.display().to_string(), base, source)
    }

    fn new(file: String, base: PathBuf, source: &str) -> Result<Self, ScenarioError> {
        match spec::read(source) {
            Ok(spec) => Ok(Scenario {
                file,
                base,
                source: source.to_owned(),
                spec,
            }),
            Err(findings) => Err(invalid(&file, source, findings)),
        }
    }

    /// In kebab-case, so that directories can be named after it.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// What the scenario is to answer, if it says.
    pub fn question(&self) -> Option<&str> {
        self.spec.question.as_deref()
    }

    /// The text, comments and all.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// SHA-256 of the text, in hexadecimal. With the overrides and the version of the program it
    /// identifies the plans.
    pub fn hash(&self) -> String {
        Sha256::digest(&self.source)
            .iter()
            .fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            })
    }

    /// The plans of the grid: topologies in the order written, in each the numbers of
    /// participants in the order written, in each the seeds upwards.
    ///
    /// # Errors
    ///
    /// [`ScenarioError::Invalid`] with every override that does not fit and every camera that is
    /// missing, unreadable or not a Y4M file.
    pub fn resolve(&self, overrides: &Overrides) -> Result<Vec<Plan>, ScenarioError> {
        resolve::resolve(&self.spec, &self.base, overrides)
            .map_err(|findings| invalid(&self.file, &self.source, findings))
    }
}

fn read(path: &Path) -> Result<Scenario, ScenarioError> {
    let source = fs::read_to_string(path).map_err(|reason| ScenarioError::Unreadable {
        file: path.to_owned(),
        reason,
    })?;
    Scenario::parse(&source, path)
}

fn invalid(file: &str, source: &str, findings: Vec<Finding>) -> ScenarioError {
    let locate = |finding| Problem::locate(file, source, finding);
    ScenarioError::Invalid {
        problems: findings.into_iter().map(locate).collect(),
    }
}

fn unknown(name: &str) -> ScenarioError {
    let fix = suggest::instead(name, library::names(), str::to_owned);
    ScenarioError::Unknown {
        name: name.to_owned(),
        fix,
    }
}
