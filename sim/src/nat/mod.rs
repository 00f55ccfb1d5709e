//! Network address translators, in the terms of RFC 4787.

pub mod config;
