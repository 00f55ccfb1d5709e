//! What connections carry, and what encoders make of it.
//!
//! - [`gcc`]: the estimator, of [`trend`] (does a queue grow?), [`overuse`] (is that too much?),
//!   [`acked`] (what arrives?), [`aimd`] (so how much may be sent?), [`loss`] and [`marks`];
//!   [`coupled`]: those of one participant as one;
//! - [`estimate`]: where an estimator says what it found, and who else limits a connection;
//! - [`queue`]: what waits in a pacer;
//! - [`share`]: how streams share that; [`ladder`]: what is given up at low rates;
//!   [`layering`]: how the layers of one camera share what it may send.

pub mod acked;
pub mod aimd;
pub mod coupled;
pub mod estimate;
pub mod gcc;
pub mod ladder;
pub mod layering;
pub mod loss;
pub mod marks;
pub mod overuse;
pub mod queue;
pub mod share;
pub mod trend;

#[cfg(test)]
mod bottleneck;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub use bottleneck::epoch;
pub use coupled::{Flow, FlowStateExchange};
pub use estimate::{Estimate, Estimates, Watched, Watching};
pub use gcc::{Bounds, PACING, TrendGcc};
pub use ladder::{Ladder, Quality};
pub use layering::Layering;
pub use queue::{Gate, Side};
pub use share::{Shares, Streams, shares};
