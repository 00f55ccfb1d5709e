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
//! - What few links have: [`changes`] that are known from the start, `course` (how a rate goes on),
//!   [`trace`] (Mahimahi's); `codel` (RFC 8289), and `held`, its transmitter.
//!
//! [`Pipe`]: pipe::Pipe
//! [`Verdict`]: pipe::Verdict

mod buffer;
pub mod changes;
mod codel;
pub mod config;
mod course;
mod held;
mod jitter;
mod loss;
pub mod pipe;
pub mod presets;
mod rate;
pub mod trace;
pub mod validate;
