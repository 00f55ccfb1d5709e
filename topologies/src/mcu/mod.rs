//! An MCU's work as pure pieces: no connection, no clock, no tasks. Everything is told the time.
//!
//! | module | what it is for |
//! |---|---|
//! | [`layout`] | where each participant is in the composed picture |
//! | [`gallery`] | the newest picture of each, scaled once |
//! | [`canvas`] | the composed picture |
//! | [`tick`] | when to compose, and for whom to wait |

pub mod canvas;
pub mod gallery;
pub mod layout;
pub mod tick;

pub use canvas::{Canvas, Work};
pub use gallery::Gallery;
pub use layout::Layout;
pub use tick::{MixingClock, TickCounts, TickSettings};
