//! An MCU's work as pure pieces: no connection, no clock, no tasks. Everything is told the time.
//!
//! | module | what it is for |
//! |---|---|
//! | [`layout`] | where each participant is in the composed picture |

pub mod layout;

pub use layout::Layout;
