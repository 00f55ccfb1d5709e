//! Scenarios of rtclab: a strict TOML vocabulary resolved into plans.
//!
//! - [`plan`]: what a run executes, valid by construction.

pub mod plan;

pub use plan::{
    AudioPlan, Participant, Plan, ServersPlan, StackPlan, StackProfile, Topology, VideoPlan,
};
