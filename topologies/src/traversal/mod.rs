//! Cells of a traversal matrix: real calls, and what theory says of them.
//!
//! A cell is an ordinary call of two participants, with sound alone and on free CPUs, that ends as
//! soon as media has flowed for a while. What became of it is told by packets: a `relay` is a cell
//! whose SRTP crossed the TURN server, a `direct` one that whose SRTP did not.
//!
//! - [`expectation`]: what theory says, which knows neither emulator nor stack;
//! - `cell`: what a call says, as a record; `side`: several NATs in a row as one.

mod cell;
pub mod expectation;
mod side;

use std::collections::BTreeMap;
use std::time::Duration;

use reports::traversal::Cell;
use scenarios::{TraversalCell, TraversalPlan};

use crate::peer::stack;
use crate::run::{RunError, run_until_media};

/// How long media flows before a cell is over: some twenty packets each way.
const MEDIA: Duration = Duration::from_millis(500);

/// Runs a cell of `plan` and compares it with what is expected.
///
/// # Errors
///
/// [`RunError`] when the call cannot be run; a connection that fails is a result.
pub fn run(plan: &TraversalPlan, cell: &TraversalCell) -> Result<Cell, RunError> {
    let output = run_until_media(&cell.plan, MEDIA)?;
    Ok(cell::judge(plan, cell, &output.record))
}

/// Every setting of the stack and of ICE in force, by name, as text. All cells have the same.
pub fn settings(plan: &TraversalPlan) -> BTreeMap<String, String> {
    let Some(TraversalCell { plan, .. }) = plan.cells.first() else {
        return BTreeMap::new();
    };
    let mut settings = stack::describe(&plan.stack);
    let ice = plan.servers.ice;
    let pairs = [
        ("transport-policy", ice.policy.name().to_owned()),
        ("stun", ice.stun.to_string()),
        ("turn", ice.turn.name().to_owned()),
    ];
    settings.extend(pairs.map(|(name, value)| (name.to_owned(), value)));
    settings
}
