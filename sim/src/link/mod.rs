//! Access links: two one-way [`Pipe`]s, each a pipeline of small stages.
//!
//! ```text
//! offer -> buffer -> rate -> loss -> delay -> jitter -> order -> deliver
//! ```
//!
//! - [`config`]: what a link is; [`validate`]: what makes a pipe possible; [`presets`]: sourced
//!   links by name.
//! - [`pipe`]: the stages put together. A pipe is told the time and answers with a [`Verdict`]; it
//!   holds no packets and schedules nothing.
//! - The stages: `buffer` (drop-tail, in bytes), `rate` (exact serialisation), `loss` (Bernoulli,
//!   Gilbert-Elliott), `jitter` (half-normal extra delay, and the reorder policy).
//!
//! [`Pipe`]: pipe::Pipe
//! [`Verdict`]: pipe::Verdict

mod buffer;
pub mod config;
mod jitter;
mod loss;
pub mod pipe;
pub mod presets;
mod rate;
pub mod validate;
