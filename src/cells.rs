//! Runs the cells of a grid, several at the same time, and hands the results back in its order.

use std::any::Any;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result, anyhow};
use scenarios::Plan;

use crate::engine::{CellOutput, Engine, Progress, RunOptions};

/// What there is to tell of a cell.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// It has come so far.
    Reached(Progress),
    /// It has ended, and well.
    Done,
}

/// Runs every plan on a fresh thread, up to `jobs` at a time, and returns their outputs in the
/// order of the plans. `tell` is told which plan has come how far.
///
/// # Errors
///
/// When a cell fails or panics; of several, the first in the order of the plans. No further cells
/// are started then, but those that are under way end: they include all that come before, so that
/// the number of jobs does not decide which failure is reported.
pub fn run_all(
    engine: &impl Engine,
    plans: &[Plan],
    options: &RunOptions,
    jobs: NonZeroUsize,
    tell: &(dyn Fn(usize, Step) + Sync),
) -> Result<Vec<CellOutput>> {
    let run = |index: usize, plan: &Plan| {
        let progress = |progress| tell(index, Step::Reached(progress));
        let output = engine.run(plan, options, &progress);
        if output.is_ok() {
            tell(index, Step::Done);
        }
        output
    };
    in_order(plans, jobs, &name, &run)
}

/// Runs every item on a fresh thread, up to `jobs` at a time, and returns what they gave in the
/// order of the items. `run` is also told the number of its item; errors say its `name`.
///
/// # Errors
///
/// As [`run_all`].
pub fn in_order<T: Sync, R: Send>(
    items: &[T],
    jobs: NonZeroUsize,
    name: &(dyn Fn(&T) -> String + Sync),
    run: &(dyn Fn(usize, &T) -> Result<R> + Sync),
) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    let worker = || {
        while !failed.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { break };
            let output = guarded(|| run(index, item));
            let output = output.with_context(|| format!("{} failed", name(item)));
            if output.is_err() {
                failed.store(true, Ordering::Relaxed);
            }
            sender
                .send((index, output))
                .expect("the receiver outlives the workers");
        }
    };
    thread::scope(|scope| {
        for _ in 0..jobs.get().min(items.len()) {
            scope.spawn(worker);
        }
    });
    drop(sender);
    let mut outputs: Vec<_> = receiver.into_iter().collect();
    outputs.sort_by_key(|&(index, _)| index);
    outputs.into_iter().map(|(_, output)| output).collect()
}

/// What a person calls a cell.
pub fn name(plan: &Plan) -> String {
    format!(
        "{} of {}, seed {}",
        plan.label(),
        plan.participants.len(),
        plan.seed.0
    )
}

/// Runs on a thread of its own: a simulation wants a fresh one. A panic there is an error.
fn guarded<R: Send>(run: impl FnOnce() -> Result<R> + Send) -> Result<R> {
    thread::scope(|scope| scope.spawn(run).join())
        .unwrap_or_else(|panic| Err(anyhow!("a defect of rtclab: {}", panic_message(&*panic))))
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("panicked")
}
