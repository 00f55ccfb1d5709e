//! A progress bar on standard error, for people who wait.

use std::io::IsTerminal;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::engine::Progress;

/// A run that takes no longer needs no bar.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

/// Steps of the bar for each cell.
const STEPS: u64 = 1_000;

/// How far all cells of a run have come together; shown on a terminal only, and late.
pub struct Bar {
    bar: ProgressBar,
    started: Instant,
    wanted: bool,
    shown: Once,
    /// Steps done by each cell.
    cells: Vec<AtomicU64>,
}

impl Bar {
    /// A bar for so many cells, never shown if `quiet`.
    pub fn new(cells: usize, quiet: bool) -> Self {
        let bar = ProgressBar::hidden();
        bar.set_length(cells as u64 * STEPS);
        let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {elapsed}, {eta} left");
        bar.set_style(style.expect("the template is a constant"));
        Bar {
            bar,
            started: Instant::now(),
            wanted: !quiet && std::io::stderr().is_terminal(),
            shown: Once::new(),
            cells: (0..cells).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Cell number `cell` has come this far.
    pub fn report(&self, cell: usize, progress: Progress) {
        self.cells[cell].store(steps(progress), Ordering::Relaxed);
        let done = self
            .cells
            .iter()
            .map(|steps| steps.load(Ordering::Relaxed))
            .sum();
        self.bar.set_position(done);
        if self.wanted && self.started.elapsed() > SHOWN_AFTER {
            self.shown
                .call_once(|| self.bar.set_draw_target(ProgressDrawTarget::stderr()));
        }
    }

    /// Wipes the bar off the screen.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
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

    #[test]
    fn cells_add_up() {
        let bar = Bar::new(4, true);
        // A quarter of one cell, and all of another: 250 + 1000 of 4000 steps.
        bar.report(1, at(500, 2_000));
        bar.report(3, at(70, 70));
        assert_eq!(bar.bar.position(), 1_250);
        assert_eq!(bar.bar.length(), Some(4_000));
        // The newest report of a cell counts, not their sum.
        bar.report(1, at(1_000, 2_000));
        assert_eq!(bar.bar.position(), 1_500);
    }

    #[test]
    fn no_cell_is_more_than_done() {
        assert_eq!(steps(at(3_000, 2_000)), STEPS);
        assert_eq!(steps(at(0, 0)), STEPS);
    }
}
