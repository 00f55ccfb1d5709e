//! Renderings of a run: pure functions from records to text.

pub mod chart;
pub mod check;
pub mod csv;
mod decisions;
mod format;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod text;
