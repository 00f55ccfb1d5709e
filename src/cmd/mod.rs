//! The commands, one file each.

pub mod calibrate;
pub mod list;
pub mod run;
pub mod show;
