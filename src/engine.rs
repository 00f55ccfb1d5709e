//! What runs a cell: the seam between the command line and the calls.

use std::time::Duration;

use anyhow::Result;
use reports::record::{CellRecord, Measured};
use scenarios::Plan;

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

/// What to record of a cell beyond the figures.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions {
    /// Whether to capture the packets.
    #[allow(dead_code)] // Until `Topologies` runs calls.
    pub pcap: bool,
}

/// How far a cell has come, in virtual time from the start of the call.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// How much is done.
    pub virtual_done: Duration,
    /// How much there is to do.
    pub virtual_total: Duration,
}

/// What a cell gave.
#[derive(Clone, Debug)]
pub struct CellOutput {
    /// The records: the same for equal plans.
    pub record: CellRecord,
    /// What the machine spent on it.
    pub measured: Measured,
    /// The packets as pcapng, if asked for.
    pub pcap: Option<Vec<u8>>,
}

/// Real calls in virtual time.
#[derive(Clone, Copy, Debug)]
pub struct Topologies;

impl Engine for Topologies {
    fn run(
        &self,
        plan: &Plan,
        options: &RunOptions,
        _progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<CellOutput> {
        anyhow::bail!(
            "this build cannot run {} calls (asked for {options:?})",
            plan.topology
        )
    }
}
