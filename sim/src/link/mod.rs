//! Access links.

pub mod config;
