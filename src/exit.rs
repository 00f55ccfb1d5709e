//! Exit codes, which scripts rely on.
//!
//! 0 is good, 2 a wrong command line (which `clap` reports itself) or scenario, 3 a run that
//! failed. 1 means that a gate or expectation of a run that succeeded failed: what there is to say
//! about that has been printed.

use std::io;
use std::process::ExitCode;

use scenarios::ScenarioError;

/// Why a command ended early.
#[derive(Debug)]
pub enum Failure {
    /// The command line or the scenario is wrong.
    Usage(anyhow::Error),
    /// A gate or expectation failed, as was said.
    Gate,
    /// The run went well, and what it gave is not what was expected.
    Expectation(anyhow::Error),
    /// The run itself failed.
    Run(anyhow::Error),
    /// What there was to say could not be printed.
    Print(io::Error),
}

/// The exit code, with the reason of a failure on standard error.
pub fn code(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Who reads has read enough, as in `rtclab list | head -1`.
        Err(Failure::Print(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(Failure::Gate) => ExitCode::from(1),
        Err(Failure::Expectation(error)) => fail(1, format_args!("{error:#}")),
        Err(Failure::Usage(error)) => fail(2, format_args!("{error:#}")),
        Err(Failure::Run(error)) => fail(3, format_args!("{error:#}")),
        Err(Failure::Print(error)) => fail(3, format_args!("cannot print: {error}")),
    }
}

fn fail(code: u8, reason: std::fmt::Arguments) -> ExitCode {
    eprintln!("error: {reason}");
    ExitCode::from(code)
}

impl From<ScenarioError> for Failure {
    fn from(error: ScenarioError) -> Self {
        Failure::Usage(error.into())
    }
}

impl From<io::Error> for Failure {
    /// Of printing, the only thing that a command does to a stream itself.
    fn from(error: io::Error) -> Self {
        Failure::Print(error)
    }
}
