//! `rtclab run`: runs the grid of a scenario, prints its figures and writes them to files.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use anyhow::Context;
use reports::render::check;
use reports::{Capture, Grid, Limit, Output, Run, Source, StoreError, gates, render, store};
use scenarios::{Overrides, Plan, Scenario, Topology};

use crate::args::RunArgs;
use crate::cells;
use crate::engine::{CellOutput, Engine, RunOptions, Screen};
use crate::exit::Failure;
use crate::progress::Display;
use crate::{provenance, replay};

/// Runs what `args` ask for on `engine`, and prints the figures to `out`.
///
/// # Errors
///
/// [`Failure::Usage`] before anything is run, for a wrong scenario or directory;
/// [`Failure::Run`] when a cell fails or its results cannot be written. Nothing is written then.
pub fn run(args: &RunArgs, engine: &impl Engine, out: &mut impl Write) -> Result<(), Failure> {
    let job = Job::resolve(args)?;
    store::check_writable(&job.dir).map_err(|error| Failure::Usage(job.elsewhere(error)))?;
    if cfg!(debug_assertions) && !args.quiet {
        eprintln!("hint: this is a debug build; calls run several times faster with --release");
    }
    let (started, clock) = (SystemTime::now(), Instant::now());
    let outputs = execute(args, engine, &job.plans).map_err(Failure::Run)?;

    let results = Results::collect(&job, outputs);
    let provenance = provenance::gather(started, clock.elapsed());
    let output = Output {
        run: &results.run,
        measured: &results.measured,
        provenance: &provenance,
        captures: &results.captures,
    };
    store::write(&job.dir, &output).map_err(|error| Failure::Run(job.elsewhere(error)))?;
    if !args.quiet {
        let replay = job.replay(&args.scenario);
        writeln!(
            out,
            "{}",
            render::text::render(&results.run, &replay).trim_end()
        )?;
        if !results.run.limits.is_empty() {
            // Only measured here: the exit code of a run says nothing of its limits.
            let verdicts =
                gates::judge(&results.run).map_err(|error| Failure::Run(error.into()))?;
            writeln!(out, "\n{}", check::broken(&verdicts).trim_end())?;
        }
        writeln!(out, "results: {}", job.dir.display())?;
    }
    Ok(())
}

/// What is to be run, and where the results go.
struct Job {
    scenario: Scenario,
    /// As it was typed, without the directories above it.
    file_name: String,
    overrides: Overrides,
    /// Whether the overrides but the seeds change nothing.
    unchanged: bool,
    plans: Vec<Plan>,
    dir: PathBuf,
}

impl Job {
    fn resolve(args: &RunArgs) -> Result<Self, Failure> {
        let scenario = scenarios::load(&args.scenario)?;
        let overrides = Overrides {
            topologies: args.topology.clone(),
            participants: args.participants.clone(),
            seeds: args.seed.clone(),
        };
        let plans = scenario.resolve(&overrides)?;
        let seed_only = Overrides {
            seeds: args.seed.clone(),
            ..Overrides::default()
        };
        let unchanged = scenario.resolve(&seed_only).is_ok_and(|all| all == plans);
        let file_name = Path::new(&args.scenario).file_name();
        Ok(Job {
            file_name: file_name.unwrap_or_default().to_string_lossy().into_owned(),
            overrides,
            unchanged,
            plans,
            dir: args
                .out
                .clone()
                .unwrap_or_else(|| Path::new("out").join(scenario.name())),
            scenario,
        })
    }

    /// The command that gives the run again, where the scenario goes by this name.
    fn replay(&self, scenario: &str) -> String {
        replay::command(scenario, &self.overrides, self.unchanged, &self.plans)
    }

    /// Why the results cannot be where they belong, and what to do.
    fn elsewhere(&self, error: StoreError) -> anyhow::Error {
        let dir = self.dir.display();
        anyhow::Error::new(error).context(format!(
            "the results cannot go to {dir} (choose another directory with --out)"
        ))
    }

    fn grid(&self) -> Grid {
        Grid {
            topologies: distinct(self.plans.iter().map(Plan::label)),
            participants: distinct(self.plans.iter().map(|plan| plan.participants.len() as u32)),
            seeds: distinct(self.plans.iter().map(|plan| plan.seed.0)),
        }
    }
}

/// Each value once, in the order of its first appearance.
fn distinct<T: Ord + Clone>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    values.filter(|value| seen.insert(value.clone())).collect()
}

fn execute(
    args: &RunArgs,
    engine: &impl Engine,
    plans: &[Plan],
) -> anyhow::Result<Vec<CellOutput>> {
    let options = RunOptions {
        pcap: args.pcap,
        pictures: args.pictures,
    };
    let jobs = args.jobs.unwrap_or_else(provenance::cpus);
    let progress = Display::new(plans.iter().map(cells::name).collect(), args.quiet);
    let outputs = cells::run_all(engine, plans, &options, jobs, &|cell, step| {
        progress.tell(cell, step);
    });
    progress.finish();
    outputs.context("nothing was written")
}

/// What the cells gave, sorted into what is kept together.
struct Results {
    run: Run,
    measured: Vec<reports::record::Measured>,
    captures: Vec<Capture>,
}

impl Results {
    fn collect(job: &Job, outputs: Vec<CellOutput>) -> Self {
        let source = Source {
            name: job.scenario.name().to_owned(),
            hash: job.scenario.hash(),
            text: job.scenario.source().to_owned(),
        };
        // The directory that the scenario is in says nothing about the run: with it, the same
        // scenario run from elsewhere would give another file.
        let mut run = Run::new(source, job.grid(), job.replay(&job.file_name), Vec::new());
        run.program = Some(provenance::program());
        run.limits = job.scenario.limits().iter().map(limit).collect();
        let mut results = Results {
            run,
            measured: Vec::new(),
            captures: Vec::new(),
        };
        for (plan, output) in job.plans.iter().zip(outputs) {
            results.run.cells.push(output.record);
            results.measured.push(output.measured);
            results
                .captures
                .extend(output.pcap.map(|bytes| capture(plan, bytes)));
            let pictures = output.pictures.into_iter();
            let picture = |screen| picture(plan, screen);
            results.captures.extend(pictures.map(picture));
        }
        results
    }
}

/// A limit of the scenario as the results carry it.
fn limit(limit: &scenarios::Limit) -> Limit {
    let names = |all: &Vec<Topology>| {
        all.iter()
            .map(|topology| topology.name().to_owned())
            .collect()
    };
    Limit {
        metric: limit.metric.clone(),
        min: limit.min,
        max: limit.max,
        topologies: limit.topologies.as_ref().map(names),
        participants: limit.participants.clone(),
        group: limit.group.clone(),
    }
}

/// What the files of a cell are called, behind what they are.
fn file_stem(plan: &Plan) -> String {
    let label = plan.label().replace(' ', "-");
    format!("{label}-{}-{}", plan.participants.len(), plan.seed.0)
}

fn capture(plan: &Plan, bytes: Vec<u8>) -> Capture {
    Capture {
        file_name: format!("capture-{}.pcapng", file_stem(plan)),
        bytes,
    }
}

fn picture(plan: &Plan, screen: Screen) -> Capture {
    let stem = file_stem(plan);
    let Screen {
        receiver,
        source,
        png,
    } = screen;
    Capture {
        file_name: format!("picture-{stem}-{receiver}-sees-{source}.png"),
        bytes: png,
    }
}

#[cfg(test)]
mod tests;
