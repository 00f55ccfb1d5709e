//! Meshes of real peers in mid-call: who comes, who goes, offers that cross, networks that change.

mod glare;
mod joins;
mod leaves;
mod restart;
mod sfu;
mod stock;
mod support;
