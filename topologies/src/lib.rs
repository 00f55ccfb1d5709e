//! Real WebRTC calls of rtclab, and the servers that they need.
//!
//! - [`infra`]: signalling, STUN and TURN.

pub mod infra;
