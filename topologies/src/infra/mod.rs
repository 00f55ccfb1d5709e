//! The servers that every call needs, whatever its topology.
//!
//! - [`turn`]: STUN and TURN: which address a peer has outside its NAT, and a relay for those
//!   that find no direct path.
//!
//! Nothing here knows the simulator: time, timers and tasks come from a
//! [`Runtime`](webrtc::runtime::Runtime), streams and sockets through small traits, so that the
//! same servers run in virtual time and on a real network.

pub mod turn;
