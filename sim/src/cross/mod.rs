//! Cross traffic: what others send over the same link.
//!
//! - [`config`]: what a flow is. [`pace`]: when a flow that does not listen sends; [`sender`] and
//!   [`receiver`]: a TCP transfer without end, by the clock of its acknowledgements.
//!
//! All of it is pure and told the time; `kernel::cross` puts its packets on links.

pub mod config;
pub(crate) mod pace;
pub(crate) mod receiver;
pub(crate) mod sender;
