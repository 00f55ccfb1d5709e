//! The audio probe: mouth-to-ear latency from the sound itself, through Opus and through mixing.
//!
//! Every sender has a carrier of its own, `400 + 150 * sender` Hz, up to 7,750 Hz for 50 senders.
//! Every 500 ms it sends a word of ten positions, 34.5 ms apart; a position holds a burst of 30 ms of
//! the carrier under a Hann window, or silence. The first and the last always hold one; the eight
//! between them tell the number of the word modulo 14, in a code in which no lost or concealed
//! packet turns one number into another. So one word is enough to know when it was sent, for
//! latencies up to 6.5 s, and a word with a lost, concealed or shifted part is rejected, not
//! misread; one that a codec bends may be, see [`Agreement`]. Senders begin their words staggered,
//! so that a mix of all 50 keeps below full scale. Mixing must not change the level: a detector
//! knows how loud a burst is.
//!
//! The detector correlates with the burst at each sender's carrier (a matched filter): a Hann
//! window of 30 ms is 67 Hz wide to each side, less than half the spacing of the carriers. Its
//! estimate is the centre of symmetry of the whole word's envelope, so it has no bias of its own; a
//! codec's algorithmic delay is part of the latency, as it is to a listener.

mod agreement;
mod detector;
mod plan;
mod source;

pub use agreement::Agreement;
pub use detector::{Detection, ProbeDetector};
pub use plan::{CYCLE_FRAMES, FIRST_FRAMES, SENDERS, word_in};
pub use source::ProbeSource;
