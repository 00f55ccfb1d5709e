//! Scenarios of rtclab: a strict TOML vocabulary resolved into plans.
//!
//! [`load`] a scenario by name or path, [`resolve`](Scenario::resolve) it, run the plans:
//!
//! ```
//! let scenario = scenarios::load("quickstart")?;
//! let plans = scenario.resolve(&scenarios::Overrides::default())?;
//! assert_eq!(plans[0].participants.len(), 4);
//! # Ok::<(), scenarios::ScenarioError>(())
//! ```
//!
//! - [`plan`]: what a run executes, valid by construction;
//! - `scenario`, `library`, `nearby`: where scenarios come from, files and built-ins;
//! - `resolve`, `apportion`, `camera`, `feedback`, `fidelity`, `grid`: from a scenario to the plans of its grid;
//! - `matrix`: from a scenario to the cells of its traversal matrix;
//! - `spec`, `presets`, `devices`: what a scenario may say, section by section;
//! - `costs`: what work costs, built in or from a file;
//! - `units`: quantities, exact and never without their unit;
//! - `document`, `suggest`, `error`: strict reading of TOML, and messages that help.

pub mod plan;

mod apportion;
mod camera;
mod costs;
mod devices;
mod document;
mod error;
mod feedback;
mod fidelity;
mod grid;
mod library;
mod matrix;
mod nearby;
mod presets;
mod resolve;
mod scenario;
mod spec;
mod suggest;
mod timeline;
mod units;

pub use error::{Problem, ScenarioError};
pub use library::{BuiltIn, list};
pub use plan::{
    Access, Allowance, AudioPlan, CongestionControl, CongestionPlan, CostProfile, CrossTraffic,
    DataKind, DataPlan, Device, Event, ExpiryCheck, Fidelity, Handover, Happening, IcePlan, Limit,
    LinkChanges, McuEncoders, McuPlan, NatType, NetworkPlan, Offerer, Outcome, Participant, Plan,
    Playout, Prices, QualityStep, Reliability, RepairPlan, ServersPlan, SfuPlan, StackPlan,
    StackProfile, Suite, Threshold, Topology, TransportPolicy, TraversalCell, TraversalPlan,
    TurnAccess, TurnCredentials, VideoPlan,
};
pub use resolve::Overrides;
pub use scenario::{Scenario, load};
pub use spec::limited_metrics;
