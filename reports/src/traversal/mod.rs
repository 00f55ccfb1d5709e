//! The traversal matrix: what its cells record, and its renderings.
//!
//! - [`record`]: the contract between the runs and the renderings, and what `nat.json` holds;
//! - [`summary`]: counts, and what regressed;
//! - [`table`], [`html`], [`markdown`], [`junit`]: for a terminal, a browser, a pull request, a CI
//!   service.

mod files;
mod grid;
pub mod html;
pub mod junit;
pub mod markdown;
pub mod record;
pub mod summary;
pub mod table;

#[cfg(test)]
mod tests;

pub use files::{FILES, check_writable, json, write};
pub use record::{Behavior, Cell, Deviation, Matrix, Outcome, Phases, Side};
