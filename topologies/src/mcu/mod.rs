//! An MCU's work as pure pieces: no connection, no clock, no tasks. Everything is told the time.
//!
//! | module | what it is for |
//! |---|---|
//! | [`layout`] | where each participant is in the composed picture |
//! | [`gallery`] | the newest picture of each, scaled once |
//! | [`canvas`] | the composed picture |

pub mod canvas;
pub mod gallery;
pub mod layout;

pub use canvas::{Canvas, Work};
pub use gallery::Gallery;
pub use layout::Layout;
