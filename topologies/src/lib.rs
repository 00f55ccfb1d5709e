//! Real WebRTC calls: peers, media, infrastructure, and topologies.

pub mod infra;
pub mod media;
