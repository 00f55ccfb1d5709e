//! The worlds that the benchmarks measure, and the traffic in them.
//!
//! - [`world`]: hosts of the kernel behind NATs and links, and packets exchanged between all
//!   pairs of them.
//!
//! Benchmarks of other simulators build theirs beside the benchmark, so that this library needs
//! nothing but the simulator.

pub mod world;
