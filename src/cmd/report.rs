//! `rtclab report`: renders the results of a run again, without running it.

use std::io::Write;
use std::path::Path;

use reports::render::{chart, json, markdown};
use reports::{Format, Run, StoreError, store};

use crate::args::{ReportArgs, ReportFormat};
use crate::exit::Failure;

/// Renders what `args` ask for, and prints it to `out`, or the names of the files that have it.
///
/// # Errors
///
/// [`Failure::Usage`] if the directory does not hold a run that this program reads, or files
/// cannot be written there. Nothing is written then.
pub fn report(args: &ReportArgs, out: &mut impl Write) -> Result<(), Failure> {
    let run = store::read(&args.dir).map_err(usage)?;
    match args.format {
        ReportFormat::Html => files(&args.dir, &run, Format::Html, out),
        ReportFormat::Svg => files(&args.dir, &run, Format::Svg, out),
        ReportFormat::Png => files(&args.dir, &run, Format::Png, out),
        ReportFormat::Csv => files(&args.dir, &run, Format::Csv, out),
        ReportFormat::Json => print(out, &json::render(&run, &chart::all(&run))),
        ReportFormat::Markdown => print(out, &markdown::render(&run, &chart::all(&run))),
    }
}

fn files(dir: &Path, run: &Run, format: Format, out: &mut impl Write) -> Result<(), Failure> {
    for name in store::render(dir, run, format).map_err(usage)? {
        writeln!(out, "{}", dir.join(name).display())?;
    }
    Ok(())
}

fn print(out: &mut impl Write, text: &str) -> Result<(), Failure> {
    Ok(out.write_all(text.as_bytes())?)
}

fn usage(error: StoreError) -> Failure {
    Failure::Usage(error.into())
}
