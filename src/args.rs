//! What may be typed on the command line, as it was typed.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand, ValueEnum};
use scenarios::Topology;

/// Mesh, SFU or MCU? Real WebRTC peers behind emulated NATs, in virtual time, measured.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit codes: 0 good; 1 a gate or expectation failed; 2 the command line or the \
                  scenario is wrong; 3 the run failed."
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a scenario, print its figures and write them to files
    Run(RunArgs),
    /// Render the results of a run again, without running it
    Report(ReportArgs),
    /// Judge a run by the limits of its scenario, and against the run before
    Check(CheckArgs),
    /// Cross every pair of NAT behaviours with real peers, and compare with what theory says
    Nat(NatArgs),
    /// List the built-in scenarios
    List,
    /// Print a scenario, such as a built-in one to start from
    Show {
        /// Name of a built-in scenario, or a file
        scenario: String,
    },
    /// Measure what work costs on this machine, for runs whose CPUs are like it
    Calibrate(CalibrateArgs),
}

/// What to do with what was measured, beside printing it.
#[derive(Clone, Debug, clap::Args)]
pub struct CalibrateArgs {
    /// Write a cost profile, which scenarios name by `cpu = "FILE"`
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// What to run, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct RunArgs {
    /// Name of a built-in scenario, or a file
    pub scenario: String,
    /// Where the results go [default: out/NAME, with the scenario's name]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Run these seeds instead of the scenario's
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        value_parser = whole::<u64>,
        allow_negative_numbers = true
    )]
    pub seed: Option<Vec<u64>>,
    /// Run these topologies instead of the scenario's
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = topology())]
    pub topology: Option<Vec<Topology>>,
    /// Run these numbers of participants instead of the scenario's
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        value_parser = whole::<u32>,
        allow_negative_numbers = true
    )]
    pub participants: Option<Vec<u32>>,
    /// How many cells to run at the same time [default: as many as there are CPUs]
    #[arg(
        long,
        value_name = "N",
        value_parser = whole::<NonZeroUsize>,
        allow_negative_numbers = true
    )]
    pub jobs: Option<NonZeroUsize>,
    /// Write the packets of every cell, too, as capture-TOPOLOGY-N-SEED.pcapng
    #[arg(long)]
    pub pcap: bool,
    /// Write the last picture that each participant saw, too, as
    /// picture-TOPOLOGY-N-SEED-RECEIVER-sees-SOURCE.png
    #[arg(long)]
    pub pictures: bool,
    /// Print nothing but errors
    #[arg(long)]
    pub quiet: bool,
}

/// Which NATs to cross, and what to make of it.
#[derive(Clone, Debug, clap::Args)]
pub struct NatArgs {
    /// Scenario whose [nat] section says what is run: a file [default: the whole matrix]
    pub scenario: Option<String>,
    /// Write nat.json, junit.xml and nat.html, too
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// What to print
    #[arg(long, value_enum, default_value_t = NatFormat::Table)]
    pub format: NatFormat,
    /// Run this seed instead of the scenario's
    #[arg(long, value_name = "N", value_parser = whole::<u64>, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// How many cells to run at the same time [default: as many as there are CPUs]
    #[arg(
        long,
        value_name = "N",
        value_parser = whole::<NonZeroUsize>,
        allow_negative_numbers = true
    )]
    pub jobs: Option<NonZeroUsize>,
    /// Show no progress
    #[arg(long)]
    pub quiet: bool,
}

/// What a traversal matrix can be rendered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NatFormat {
    /// Grids of letters, and counts.
    Table,
    /// Everything that was recorded.
    Json,
    /// A test case for each cell.
    Junit,
    /// Heat maps, on a page with nothing beside it.
    Html,
    /// Counts and regressions, for a pull request.
    Markdown,
}

/// What to render, and to what.
#[derive(Clone, Debug, clap::Args)]
pub struct ReportArgs {
    /// Directory that `rtclab run` wrote, of which `run.json` is enough
    pub dir: PathBuf,
    /// What to make of it: html, svg, png and csv are files in DIR, json and markdown are printed
    #[arg(long, value_enum, default_value_t = ReportFormat::Html)]
    pub format: ReportFormat,
}

/// What to judge, by what, and how to say it.
#[derive(Clone, Debug, clap::Args)]
pub struct CheckArgs {
    /// Directory that `rtclab run` wrote, of which `run.json` is enough
    pub dir: PathBuf,
    /// Compare with this run of the same scenario, too, and fail if anything got worse
    #[arg(long, value_name = "DIR")]
    pub baseline: Option<PathBuf>,
    /// What to print
    #[arg(long, value_enum, default_value_t = CheckFormat::Table)]
    pub format: CheckFormat,
    /// Write that to a file, and print the table
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// How the verdicts of gates can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// For people.
    Table,
    /// For CI services.
    Junit,
    /// For a pull request: 65,536 bytes at most.
    Markdown,
    /// For other programs.
    Json,
}

/// What results can be rendered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// `report.html`.
    Html,
    /// `charts/*.svg`.
    Svg,
    /// `charts/*.png`.
    Png,
    /// The tables, and `charts.csv`.
    Csv,
    /// Tables and charts for programs, printed.
    Json,
    /// Comparison and sentences for documents, printed.
    Markdown,
}

const TOPOLOGIES: [Topology; 3] = [Topology::Mesh, Topology::Sfu, Topology::Mcu];

fn topology() -> impl TypedValueParser<Value = Topology> {
    PossibleValuesParser::new(TOPOLOGIES.map(Topology::name)).map(|name| {
        let known = TOPOLOGIES
            .into_iter()
            .find(|topology| topology.name() == name);
        known.expect("the parser lets only their names pass")
    })
}

/// A whole number, whose error says which there are; that of the standard library is of digits.
fn whole<T: FromStr + Bounds>(text: &str) -> Result<T, String> {
    let fix = || format!("write a whole number from {} to {}", T::LEAST, T::MOST);
    text.parse().map_err(|_| fix())
}

/// The numbers that a type of whole numbers has.
trait Bounds {
    const LEAST: u64;
    const MOST: u64;
}

impl Bounds for u64 {
    const LEAST: u64 = u64::MIN;
    const MOST: u64 = u64::MAX;
}

impl Bounds for u32 {
    const LEAST: u64 = u32::MIN as u64;
    const MOST: u64 = u32::MAX as u64;
}

impl Bounds for NonZeroUsize {
    const LEAST: u64 = 1;
    const MOST: u64 = usize::MAX as u64;
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn lists_are_separated_by_commas() {
        let typed = "rtclab run quickstart --participants 2,4,8 --topology mesh --seed 7,9";
        let Command::Run(run) = Args::parse_from(typed.split(' ')).command else {
            panic!("`run` was typed");
        };
        assert_eq!(run.participants, Some(vec![2, 4, 8]));
        assert_eq!(run.topology, Some(vec![Topology::Mesh]));
        assert_eq!(
            (run.seed, run.out, run.pcap),
            (Some(vec![7, 9]), None, false)
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for typed in [
            "--jobs 0",
            "--topology star",
            "--participants two",
            "--seed -1",
            "--seed=-1",
            "--participants -4",
            "--jobs -1",
            "--sed 1",
        ] {
            let words = format!("rtclab run quickstart {typed}");
            assert!(Args::try_parse_from(words.split(' ')).is_err(), "{typed}");
        }
    }
}
