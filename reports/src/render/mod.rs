//! Renderings of a run: pure functions from records to text.

pub mod chart;
pub mod csv;
mod format;
pub mod html;
pub mod json;
pub(crate) mod junit;
pub mod markdown;
pub mod text;
