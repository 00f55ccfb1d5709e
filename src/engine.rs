//! What runs a cell: the seam between the command line and the calls.

use anyhow::Result;
use scenarios::Plan;

pub use topologies::{CellOutput, Progress, RunOptions, Screen};

/// Runs one cell after the other, several at the same time on several threads.
pub trait Engine: Sync {
    /// Runs the cell that `plan` describes on the calling thread, reporting progress now and then.
    ///
    /// # Errors
    ///
    /// When the call could not be run, not when it went badly: that is a result.
    fn run(
        &self,
        plan: &Plan,
        options: &RunOptions,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<CellOutput>;
}

/// Real calls in virtual time.
#[derive(Clone, Copy, Debug)]
pub struct Topologies;

impl Engine for Topologies {
    fn run(
        &self,
        plan: &Plan,
        options: &RunOptions,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<CellOutput> {
        Ok(topologies::run(plan, options, progress)?)
    }
}
