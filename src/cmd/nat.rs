//! `rtclab nat`: crosses every pair of NATs with real peers, and compares with what theory says.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use reports::StoreError;
use reports::traversal::record::SCHEMA_VERSION;
use reports::traversal::{self as rendering, Cell, Matrix};
use scenarios::{Scenario, StackProfile, TraversalCell, TraversalPlan};
use topologies::traversal;

use crate::args::{NatArgs, NatFormat};
use crate::cells::{self, Step};
use crate::engine::Progress;
use crate::exit::Failure;
use crate::progress::Display;
use crate::{provenance, replay as replays};

/// The scenario of the whole matrix.
const WHOLE: &str = "name = \"everything\"\n[nat]\n";

/// Runs the matrix that `args` ask for, and prints it to `out`.
///
/// # Errors
///
/// [`Failure::Usage`] before anything is run, for a wrong scenario or directory; [`Failure::Run`]
/// when a cell cannot be run or the results cannot be written, which leaves nothing behind; and
/// [`Failure::Expectation`] after everything has been printed and written, if a cell is not as
/// expected.
pub fn nat(args: &NatArgs, out: &mut impl Write) -> Result<(), Failure> {
    let (scenario, plan) = resolve(args)?;
    if let Some(dir) = &args.out {
        rendering::check_writable(dir).map_err(|e| Failure::Usage(elsewhere(dir, e)))?;
    }
    let started = Instant::now();
    let cells = execute(args, &plan).map_err(Failure::Run)?;
    let wall = started.elapsed();
    let matrix = collect(args, &scenario, &plan, cells);
    if let Some(dir) = &args.out {
        rendering::write(dir, &matrix).map_err(|e| Failure::Run(elsewhere(dir, e)))?;
    }
    out.write_all(render(&matrix, args.format, wall).as_bytes())?;
    match matrix.regression() {
        Some(regression) => Err(Failure::Expectation(anyhow!(regression))),
        None => Ok(()),
    }
}

fn resolve(args: &NatArgs) -> Result<(Scenario, TraversalPlan), Failure> {
    let scenario = match &args.scenario {
        Some(scenario) => scenarios::load(scenario)?,
        None => Scenario::parse(WHOLE, Path::new("everything"))?,
    };
    let plan = scenario.traversal(args.seed);
    Ok((scenario, plan))
}

fn execute(args: &NatArgs, plan: &TraversalPlan) -> anyhow::Result<Vec<Cell>> {
    let jobs = args.jobs.unwrap_or_else(provenance::cpus);
    // Hundreds of cells are a bar or nothing: a line for each would bury everything else.
    let quiet = args.quiet || !io::stderr().is_terminal();
    let names = plan.cells.iter().map(|_| String::new());
    let progress = Display::new(names.collect(), quiet);
    let whole = Progress {
        virtual_done: Duration::from_secs(1),
        virtual_total: Duration::from_secs(1),
    };
    let run = |index, cell: &TraversalCell| {
        let outcome = traversal::run(plan, cell);
        progress.tell(index, Step::Reached(whole));
        Ok(outcome?)
    };
    let name = |cell: &TraversalCell| format!("{} x {}", cell.a.name, cell.b.name);
    let cells = cells::in_order(&plan.cells, jobs, &name, &run);
    progress.finish();
    cells.context("nothing was written")
}

fn collect(args: &NatArgs, scenario: &Scenario, plan: &TraversalPlan, cells: Vec<Cell>) -> Matrix {
    let profile = plan.cells.first().map(|cell| cell.plan.stack.profile);
    let stack = match profile {
        Some(StackProfile::Stock) => "stock",
        Some(StackProfile::Tuned) | None => "tuned",
    };
    Matrix {
        schema: SCHEMA_VERSION,
        scenario: scenario.name().to_owned(),
        seed: plan.seed,
        stack: stack.to_owned(),
        settings: traversal::settings(plan),
        replay: replay(args, plan.seed),
        cells,
    }
}

/// The command that gives the matrix again, without the directory that the scenario is in.
fn replay(args: &NatArgs, seed: u64) -> String {
    let file = args.scenario.as_deref().map(Path::new);
    let name = file
        .and_then(Path::file_name)
        .map(|name| name.to_string_lossy());
    match name {
        Some(name) => format!("rtclab nat {} --seed {seed}", replays::quoted(&name)),
        None => format!("rtclab nat --seed {seed}"),
    }
}

fn render(matrix: &Matrix, format: NatFormat, wall: Duration) -> String {
    match format {
        NatFormat::Table => rendering::table::render(matrix, wall.as_secs_f64()),
        NatFormat::Json => rendering::json(matrix),
        NatFormat::Junit => rendering::junit::render(matrix),
        NatFormat::Html => rendering::html::render(matrix),
        NatFormat::Markdown => rendering::markdown::render(matrix),
    }
}

/// Why the results cannot be where they belong, and what to do.
fn elsewhere(dir: &Path, error: StoreError) -> anyhow::Error {
    let dir = dir.display();
    anyhow::Error::new(error).context(format!(
        "the results cannot go to {dir} (choose another directory with --out)"
    ))
}
