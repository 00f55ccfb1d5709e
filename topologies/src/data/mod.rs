//! Data channels: files, state and chat, between participants or relayed by a server.
//!
//! - [`message`]: the header of a message; [`assembly`]: a file, put together and verified.
//! - [`streams`]: which channels a connection has; [`end`]: one end of a connection, with them.
//! - [`outlet`]: an outgoing channel with back-pressure; [`source`]: what sends a workload over one.
//! - [`sink`]: what a participant does with what comes; [`relay`]: what a server does with it.
//!
//! Every channel goes one way. An outgoing one then has nothing to tell but that it opened, drained
//! or closed, which somebody always listens to; on one that goes both ways, two servers' readers that
//! wait for each other's channel to drain would wait for ever, since the news of it is behind
//! messages that nobody reads.

pub mod assembly;
pub mod end;
pub mod message;
pub mod outlet;
pub mod relay;
pub mod sink;
pub mod source;
pub mod streams;

pub use end::{Role, with_data};
pub use relay::Relay;
