//! Renderings of a run: pure functions from records to text.

pub mod csv;
mod format;
pub mod text;
