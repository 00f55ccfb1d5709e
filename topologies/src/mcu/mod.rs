//! An MCU's work as pure pieces: no connection, no clock, no tasks. Everything is told the time.
//!
//! | module | what it is for |
//! |---|---|
//! | [`layout`] | where each participant is in the composed picture |
//! | [`gallery`] | the newest picture of each, scaled once |
//! | [`canvas`] | the composed picture |
//! | [`tick`] | when to compose, and for whom to wait |
//! | [`voice`] | the sound of one sender, decoded at the tick |
//! | [`mixer`] | what each listener hears: all others |
//! | [`limiter`] | keeping a mix within 16 bits |

pub mod canvas;
pub mod gallery;
pub mod layout;
pub mod limiter;
pub mod mixer;
pub mod tick;
pub mod voice;

pub use canvas::{Canvas, Work};
pub use gallery::Gallery;
pub use layout::Layout;
pub use limiter::Limiter;
pub use mixer::Mixer;
pub use tick::{MixingClock, TickCounts, TickSettings};
pub use voice::Voice;
