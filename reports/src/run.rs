//! A whole run: what it executed, what it recorded, and where it came from.

use serde::{Deserialize, Serialize};

use crate::record::{CellRecord, SCHEMA_VERSION};

/// The content of `run.json`: the same for the same program, scenario and seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Version of this schema: [`SCHEMA_VERSION`].
    pub schema: u32,
    /// The scenario.
    pub scenario: Source,
    /// Which of its cells were run.
    pub grid: Grid,
    /// The command that gives these records again, to be typed where the scenario's file is.
    pub replay: String,
    /// A record per cell, in the order of the grid.
    pub cells: Vec<CellRecord>,
}

impl Run {
    /// A run in the present schema.
    pub fn new(scenario: Source, grid: Grid, replay: String, cells: Vec<CellRecord>) -> Self {
        Run {
            schema: SCHEMA_VERSION,
            scenario,
            grid,
            replay,
            cells,
        }
    }
}

/// A scenario as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// Names of topologies.
    pub topologies: Vec<String>,
    /// Numbers of participants.
    pub participants: Vec<u32>,
    /// Seeds.
    pub seeds: Vec<u64>,
}

/// The content of `provenance.json`: who ran what, where and when. Differs from run to run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
