//! A scenario: read, checked, and ready to be resolved.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::document::Finding;
use crate::error::{Problem, ScenarioError};
use crate::library;
use crate::matrix;
use crate::nearby;
use crate::plan::{CostProfile, Limit, Plan, Topology, TraversalPlan};
use crate::resolve::{self, Overrides};
use crate::spec::{self, Cpu, Spec};
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
            Err(findings) => Err(ScenarioError::Invalid {
                problems: located(&file, source, findings),
            }),
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

    /// The topologies to compare, in the order written.
    pub fn topologies(&self) -> &[Topology] {
        &self.spec.topologies
    }

    /// The numbers of participants, in the order written.
    pub fn participants(&self) -> &[u32] {
        &self.spec.participants
    }

    /// What the results have to keep to.
    pub fn limits(&self) -> &[Limit] {
        &self.spec.limits
    }

    /// The text, comments and all.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// SHA-256 of the text, in hexadecimal. With the overrides, the version of the program, and the
    /// cost profile if the text names a file, it identifies the plans.
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
    /// [`ScenarioError::Invalid`] with every override that does not fit, every grid of an MCU
    /// that is too small for its pictures, every camera that is missing, unreadable or not a Y4M
    /// file, and everything that is wrong with the cost profile.
    pub fn resolve(&self, overrides: &Overrides) -> Result<Vec<Plan>, ScenarioError> {
        let (costs, mut problems) = match self.costs() {
            Ok(costs) => (costs, Vec::new()),
            Err(problems) => (None, problems),
        };
        let plans = resolve::resolve(&self.spec, &self.base, costs.as_ref(), overrides);
        match plans {
            Ok(plans) if problems.is_empty() => return Ok(plans),
            Ok(_) => {}
            Err(findings) => problems.extend(located(&self.file, &self.source, findings)),
        }
        Err(ScenarioError::Invalid { problems })
    }

    /// The cells of the scenario's traversal matrix, with `seed` instead of its own if there is one.
    pub fn traversal(&self, seed: Option<u64>) -> TraversalPlan {
        matrix::plan(&self.spec, seed)
    }

    /// What work costs; `None` where CPUs are free.
    fn costs(&self) -> Result<Option<CostProfile>, Vec<Problem>> {
        match &self.spec.cpu {
            Cpu::Free => Ok(None),
            Cpu::Modelled => Ok(Some(CostProfile::reference())),
            Cpu::Profile(file) => CostProfile::read(&self.base.join(file)).map(Some),
        }
    }
}

fn read(path: &Path) -> Result<Scenario, ScenarioError> {
    let source = fs::read_to_string(path).map_err(|reason| unreadable(path, reason))?;
    Scenario::parse(&source, path)
}

fn located(file: &str, source: &str, findings: Vec<Finding>) -> Vec<Problem> {
    let locate = |finding| Problem::locate(file, source, finding);
    findings.into_iter().map(locate).collect()
}

fn unreadable(file: &Path, reason: io::Error) -> ScenarioError {
    let missing = reason.kind() == io::ErrorKind::NotFound;
    let fix = match nearby::file(file).filter(|_| missing) {
        Some(near) => format!("did you mean {}?", near.display()),
        None => "check the path, or name a built-in scenario".to_owned(),
    };
    ScenarioError::Unreadable {
        file: file.to_owned(),
        fix,
        reason,
    }
}

fn unknown(name: &str) -> ScenarioError {
    let mut fix = suggest::instead(name, library::names(), str::to_owned);
    if let Some(near) = nearby::file(Path::new(name)) {
        fix = format!("did you mean {}? Or {fix}", near.display());
    }
    ScenarioError::Unknown {
        name: name.to_owned(),
        fix,
    }
}
