//! A whole run: what it executed, what it recorded, and where it came from.

use std::fmt::Write;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::record::{CellRecord, SCHEMA_VERSION, kind_of};

/// The content of `run.json`: the same for the same program, scenario and seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Version of the schema that it was written in: [`SCHEMA_VERSION`], or an older one.
    pub schema: u32,
    /// Name and version of the program that recorded it; `None` before schema 3.
    #[serde(default)]
    pub program: Option<String>,
    /// The scenario.
    pub scenario: Source,
    /// Which of its cells were run.
    pub grid: Grid,
    /// The command that gives these records again, to be typed where the scenario's file is.
    pub replay: String,
    /// What the scenario limits; none before schema 3.
    #[serde(default)]
    pub limits: Vec<Limit>,
    /// A record per cell, in the order of the grid.
    pub cells: Vec<CellRecord>,
    /// Where the file has the digest of all this, which the store writes and verifies.
    #[serde(default, skip_serializing, rename = "sha256")]
    #[cfg_attr(test, schemars(with = "String", required))]
    seal: IgnoredAny,
}

impl Run {
    /// SHA-256 of everything recorded, in hexadecimal, over its compact JSON: that another program
    /// laid out the file anew does not change it, and any other edit does.
    pub(crate) fn digest(&self) -> String {
        let bytes = serde_json::to_vec(self).expect("records have text keys only");
        let digest = Sha256::digest(bytes);
        digest.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// A run in the present schema, without limits, of an unnamed program.
    pub fn new(scenario: Source, grid: Grid, replay: String, cells: Vec<CellRecord>) -> Self {
        Run {
            schema: SCHEMA_VERSION,
            program: None,
            scenario,
            grid,
            replay,
            limits: Vec::new(),
            cells,
            seal: IgnoredAny,
        }
    }
}

/// A scenario as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The scenario's name.
    pub name: String,
    /// SHA-256 of the text, in hexadecimal.
    pub hash: String,
    /// The text, verbatim.
    pub text: String,
}

/// The cells of a run: all topologies x all numbers of participants x all seeds, in this order,
/// as they were resolved from the scenario and the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// Names of topologies.
    pub topologies: Vec<String>,
    /// Numbers of participants.
    pub participants: Vec<u32>,
    /// Seeds.
    pub seeds: Vec<u64>,
}

/// Bounds of one metric, for all cells of a run or some of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The metric, as a column of `summary.csv` is called; its unit is in the name.
    pub metric: String,
    /// The least that is good; a limit has this, or `max`, or both.
    pub min: Option<f64>,
    /// The most that is good.
    pub max: Option<f64>,
    /// Names of the topologies that it holds for; `None` for all.
    pub topologies: Option<Vec<String>>,
    /// The numbers of participants that it holds for; `None` for all.
    pub participants: Option<Vec<u32>>,
    /// The group whose members it is about; `None` for the whole call.
    pub group: Option<String>,
}

impl Limit {
    /// Whether the limit is about cells of this topology, or variant of one, and size.
    pub fn covers(&self, topology: &str, participants: u32) -> bool {
        let topologies = self.topologies.as_ref();
        let sizes = self.participants.as_ref();
        topologies.is_none_or(|names| names.iter().any(|name| *name == kind_of(topology)))
            && sizes.is_none_or(|sizes| sizes.contains(&participants))
    }
}

/// The content of `provenance.json`: who ran what, where and when. Differs from run to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The program's name and version.
    pub program: String,
    /// How it was built: `release` or `debug`.
    pub profile: String,
    /// What it was built for: architecture and operating system.
    pub target: String,
    /// Operating system of the host, with its release where it is known.
    pub host_os: String,
    /// CPU model of the host, where it is known.
    pub cpu_model: Option<String>,
    /// How many CPUs the program may use.
    pub cpus: usize,
    /// When the run started: RFC 3339, UTC.
    pub started: String,
    /// The command line, as it was given.
    pub command_line: Vec<String>,
    /// Wall time of the run, s.
    pub wall_s: f64,
}
