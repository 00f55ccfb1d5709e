//! The figures of whole calls, against closed forms and independent models.
//!
//! One binary, because every test binary links the whole WebRTC stack.

mod bandwidth;
mod built_in;
mod congestion;
mod cpu;
mod cpu_servers;
mod data;
mod ecn;
mod ice_tcp;
mod latency;
mod mcu;
mod media;
mod networks;
mod outcome;
mod packets;
mod pictures;
mod repair;
mod replay;
mod rfc8867;
mod sfu;
mod simulcast;
mod steps;
mod support;
mod trace;
mod watches;
