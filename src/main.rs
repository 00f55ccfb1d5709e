//! Mesh, SFU or MCU? Real WebRTC peers behind emulated NATs, in virtual time, measured.
//!
//! The command line: parse, dispatch, progress, exit code. What a call is lives in `topologies`,
//! what a scenario may say in `scenarios`, and what is made of the records in `reports`.

mod args;
mod cells;
mod cmd;
mod engine;
mod exit;
mod progress;
mod provenance;
mod replay;

use std::io;
use std::process::ExitCode;

use args::{Args, Command};
use clap::Parser;
use exit::Failure;

fn main() -> ExitCode {
    exit::code(dispatch(Args::parse()))
}

fn dispatch(args: Args) -> Result<(), Failure> {
    let out = &mut io::stdout().lock();
    match args.command {
        Command::Run(run) => cmd::run::run(&run, &engine::Topologies, out),
        Command::Report(report) => cmd::report::report(&report, out),
        Command::Check(check) => cmd::check::check(&check, out),
        Command::Calibrate(args) => cmd::calibrate::calibrate(&args, out),
        Command::Nat(args) => cmd::nat::nat(&args, out),
        Command::List => cmd::list::list(out),
        Command::Show { scenario } => cmd::show::show(&scenario, out),
    }
}
