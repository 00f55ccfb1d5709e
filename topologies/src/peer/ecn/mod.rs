//! Explicit congestion notification for RTP (RFC 3168, RFC 6679, RFC 8888), around a stack that has
//! the fields for it and does not use them.
//!
//! - [`socket`]: marks media as capable on its way out, and notes the codepoints of what comes;
//! - [`codepoints`]: what came, by stream and sequence number;
//! - [`feedback`]: writes that into the feedback that the stack sends, which says Not-ECT of every
//!   packet, and reads when feedback that came was written;
//! - [`repairs`]: what is repaired is in feedback, too;
//! - [`arrivals`]: says by that when packets arrived, of which the stack has the time before it.
//!
//! Both ends of a connection do so by the plan: nothing is negotiated, and no path is tried first
//! (RFC 6679 sections 6 and 7.2).

pub mod arrivals;
pub mod codepoints;
pub mod feedback;
pub mod repairs;
pub mod socket;

pub use arrivals::OnReportTime;
pub use codepoints::Codepoints;
pub use feedback::{FeedbackCodepoints, ReportTime};
pub use repairs::WithRepairs;
pub use socket::CapableMedia;
