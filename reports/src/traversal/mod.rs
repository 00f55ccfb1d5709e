//! The traversal matrix: what its cells record, and its renderings.
//!
//! - [`record`]: the contract between the runs and the renderings, and what `nat.json` holds;
//! - [`summary`]: counts, and what regressed;
//! - [`table`], [`html`], [`markdown`], [`junit`]: for a terminal, a browser, a pull request, a CI
//!   service.

pub mod record;

pub use record::{Behavior, Cell, Deviation, Matrix, Outcome, Phases, Side};
