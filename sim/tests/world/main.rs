//! The emulated world through its public interface, against closed forms and independent models.
//!
//! One binary, because every test binary links the whole WebRTC stack.

mod conservation;
mod cpu;
mod cross;
mod determinism;
mod ecn;
mod faults;
mod fixture;
mod fragments;
mod icmp;
mod lanes;
mod links;
mod nat;
mod pcap;
mod stun;
mod tcp;
mod timers;
