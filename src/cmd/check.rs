//! `rtclab check`: judges a run by the limits of its scenario, and against a baseline.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, anyhow};
use reports::gates::Outcome;
use reports::render::check::{self, Findings};
use reports::{Run, compare, gates, store};

use crate::args::{CheckArgs, CheckFormat};
use crate::exit::Failure;

/// Judges what `args` ask for, and prints the verdicts to `out`, or the table if the verdicts go to
/// a file.
///
/// # Errors
///
/// [`Failure::Gate`] if a gate failed, once that has been said; [`Failure::Usage`] if a directory
/// does not hold a run that this program reads, two runs cannot be compared, or there is nothing to
/// judge by.
pub fn check(args: &CheckArgs, out: &mut impl Write) -> Result<(), Failure> {
    let findings = find(args).map_err(Failure::Usage)?;
    let document = match args.format {
        CheckFormat::Table => check::text(&findings),
        CheckFormat::Junit => check::junit(&findings),
        CheckFormat::Markdown => check::markdown(&findings),
        CheckFormat::Json => check::json(&findings),
    };
    match &args.out {
        None => out.write_all(document.as_bytes())?,
        Some(file) => {
            fs::write(file, document)
                .with_context(|| format!("cannot write {}", file.display()))
                .map_err(Failure::Usage)?;
            out.write_all(check::text(&findings).as_bytes())?;
        }
    }
    match findings.is_good() {
        true => Ok(()),
        false => Err(Failure::Gate),
    }
}

fn find(args: &CheckArgs) -> anyhow::Result<Findings> {
    let run = store::read(&args.dir)?;
    let of = |dir: &Path| format!("{} cannot be judged", dir.display());
    let verdicts = gates::judge(&run).with_context(|| of(&args.dir))?;
    let comparison = match &args.baseline {
        Some(dir) => Some(compare_with(dir, &run)?),
        None => None,
    };
    let applies = verdicts
        .iter()
        .any(|verdict| verdict.outcome != Outcome::NotApplicable);
    if comparison.is_none() && !applies {
        return Err(anyhow!(
            "there is nothing to judge {} by: give the scenario a section [limits] and run it \
             again, or compare with --baseline DIR",
            args.dir.display()
        ));
    }
    Ok(Findings {
        scenario: run.scenario.name.clone(),
        verdicts,
        comparison,
    })
}

fn compare_with(dir: &Path, run: &Run) -> anyhow::Result<compare::Comparison> {
    let baseline = store::read(dir).context("the baseline")?;
    compare::compare(&baseline, run)
        .with_context(|| format!("{} is no baseline of these results", dir.display()))
}
