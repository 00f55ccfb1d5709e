//! The commands, one file each.

pub mod calibrate;
pub mod check;
pub mod list;
pub mod nat;
pub mod report;
pub mod run;
pub mod show;
