//! The servers that every call needs, whatever its topology.
//!
//! - [`signaling`]: a WebSocket room server and its client: who is in the call, and their SDP.
//! - [`turn`]: STUN and TURN: which address a peer has outside its NAT, and a relay for those
//!   that find no direct path.
//! - [`ice_tcp`]: one TCP port that all connections of a media server share.
//!
//! Nothing here knows the simulator: time, timers and tasks come from a
//! [`Runtime`](webrtc::runtime::Runtime), streams and sockets through small traits, so that the
//! same servers run in virtual time and on a real network.

pub mod ice_tcp;
pub mod signaling;
pub mod turn;
