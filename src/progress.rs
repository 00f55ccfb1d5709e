//! How far a run has come, on standard error: a bar on a terminal, otherwise a line per cell.

use std::io::IsTerminal;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cells::Step;
use crate::engine::Progress;

/// A run that takes no longer needs no bar.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

/// Steps of the bar for each cell.
const STEPS: u64 = 1_000;

/// How far all cells of a run have come together.
pub struct Display {
    bar: ProgressBar,
    started: Instant,
    form: Form,
    shown: Once,
    /// What a person calls each cell.
    names: Vec<String>,
    /// Steps done by each cell.
    steps: Vec<AtomicU64>,
    /// How many cells are done.
    done: AtomicUsize,
}

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A bar, late.
    Bar,
    /// A line for each cell that is done, for logs.
    Lines,
    Nothing,
}

impl Display {
    /// For cells of these names; shows nothing if `quiet`.
    pub fn new(names: Vec<String>, quiet: bool) -> Self {
        let form = match std::io::stderr().is_terminal() {
            _ if quiet => Form::Nothing,
            true => Form::Bar,
            false => Form::Lines,
        };
        let bar = ProgressBar::hidden();
        bar.set_length(names.len() as u64 * STEPS);
        let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {elapsed}, {eta} left");
        bar.set_style(style.expect("the template is a constant"));
        Display {
            bar,
            started: Instant::now(),
            form,
            shown: Once::new(),
            steps: names.iter().map(|_| AtomicU64::new(0)).collect(),
            names,
            done: AtomicUsize::new(0),
        }
    }

    /// Takes note of what happened to cell number `cell`.
    pub fn tell(&self, cell: usize, step: Step) {
        match step {
            Step::Reached(progress) => self.reached(cell, progress),
            Step::Done => {
                let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
                if self.form == Form::Lines {
                    eprintln!("{}", self.line(cell, done, self.started.elapsed()));
                }
            }
        }
    }

    /// Wipes the bar off the screen.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn reached(&self, cell: usize, progress: Progress) {
        self.steps[cell].store(steps(progress), Ordering::Relaxed);
        let all = self.steps.iter().map(|steps| steps.load(Ordering::Relaxed));
        self.bar.set_position(all.sum());
        if self.form == Form::Bar && self.started.elapsed() > SHOWN_AFTER {
            self.shown
                .call_once(|| self.bar.set_draw_target(ProgressDrawTarget::stderr()));
        }
    }

    /// What is said when `cell` is the `done`th to end, so long after the start of the run.
    fn line(&self, cell: usize, done: usize, elapsed: Duration) -> String {
        let (name, all) = (&self.names[cell], self.names.len());
        format!(
            "{name}: done ({done} of {all}, {:.1} s)",
            elapsed.as_secs_f64()
        )
    }
}

fn steps(progress: Progress) -> u64 {
    let share = progress.virtual_done.as_secs_f64() / progress.virtual_total.as_secs_f64();
    // A cell of no length is done: `min` turns the NaN of 0 / 0 into 1.
    (share.min(1.0) * STEPS as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(done_ms: u64, total_ms: u64) -> Progress {
        Progress {
            virtual_done: Duration::from_millis(done_ms),
            virtual_total: Duration::from_millis(total_ms),
        }
    }

    fn display() -> Display {
        let names = ["one", "two", "three", "four"];
        Display::new(names.map(str::to_owned).into(), true)
    }

    #[test]
    fn cells_add_up() {
        let display = display();
        let reached = |cell, progress| display.tell(cell, Step::Reached(progress));
        // A quarter of one cell, and all of another: 250 + 1000 of 4000 steps.
        reached(1, at(500, 2_000));
        reached(3, at(70, 70));
        assert_eq!(display.bar.position(), 1_250);
        assert_eq!(display.bar.length(), Some(4_000));
        // The newest report of a cell counts, not their sum.
        reached(1, at(1_000, 2_000));
        assert_eq!(display.bar.position(), 1_500);
    }

    #[test]
    fn no_cell_is_more_than_done() {
        assert_eq!(steps(at(3_000, 2_000)), STEPS);
        assert_eq!(steps(at(0, 0)), STEPS);
    }

    #[test]
    fn cells_that_are_done_are_counted() {
        let display = display();
        display.tell(3, Step::Done);
        display.tell(0, Step::Done);
        assert_eq!(display.done.load(Ordering::Relaxed), 2);
        let line = display.line(2, 3, Duration::from_millis(3_249));
        assert_eq!(line, "three: done (3 of 4, 3.2 s)");
    }
}
