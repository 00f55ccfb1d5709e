//! A playout buffer: absorbs jitter, restores order, waits for repairs.
//!
//! The stack has a jitter buffer too ([`super::interceptors::JitterBuffer`]), with two defects. It
//! measures how far a timestamp is from the first one of the stream and takes more than 10 s for a
//! restart, so once in 10 s of any stream it forgets what it holds: three frames lost, a keyframe
//! asked for, a quarter of a second frozen. This buffer compares a packet with the one before it.
//! And what any interceptor lets go on a timer, the stack's driver hands out with the next packet
//! that happens to arrive, milliseconds later. This buffer therefore sits behind the stack, in
//! front of the decoder.
//!
//! - `buffer`: what waits, and which packet goes when.
//! - `timeline`: how late a packet is.
//! - `lateness`: what a buffer that adapts learns from it.
//! - `depth`: how long packets wait.
//! - `patience`: how long a missing packet of a picture is waited for.

use std::sync::Arc;

use rtc::rtp::packet::Packet;
use webrtc::media_stream::track_remote::{TrackRemote, TrackRemoteEvent};

use super::environment::{Environment, sleep_until_some};
pub use buffer::PlayoutBuffer;

mod buffer;
mod depth;
mod lateness;
mod patience;
mod timeline;

/// A packet that is due.
#[derive(Clone, Debug)]
pub struct Due {
    /// The packet.
    pub packet: Packet,
    /// It stands in for the one before it, which did not come, and has its timestamp.
    pub redundant: bool,
    /// It is let go later than it was due, at once with others: one before it was waited for.
    pub held: bool,
    /// What is missing before it was given up for the keyframe that it begins.
    pub anew: bool,
}

/// The packets of a track, when they are due.
pub struct Playout {
    environment: Arc<dyn Environment>,
    track: Arc<dyn TrackRemote>,
    buffer: Option<PlayoutBuffer>,
}

impl Playout {
    /// Packets come out of `buffer`; without one, as the stack hands them out.
    pub fn new(
        environment: Arc<dyn Environment>,
        track: Arc<dyn TrackRemote>,
        buffer: Option<PlayoutBuffer>,
    ) -> Self {
        Playout {
            environment,
            track,
            buffer,
        }
    }

    /// The next packet; `None` when the track has ended.
    pub async fn next(&mut self) -> Option<Due> {
        loop {
            let Some(buffer) = &mut self.buffer else {
                match self.track.poll().await? {
                    TrackRemoteEvent::OnRtpPacket(packet) => return Some(Due::itself(packet)),
                    _ => continue,
                }
            };
            let now = self.environment.now();
            if let Some(due) = buffer.pop_redundant(now).or_else(|| buffer.pop(now)) {
                return Some(due);
            }
            let wait = sleep_until_some(self.environment.as_ref(), buffer.next_due());
            tokio::select! {
                biased;
                event = self.track.poll() => if let TrackRemoteEvent::OnRtpPacket(packet) = event? {
                    buffer.push(self.environment.now(), packet);
                },
                () = wait => {}
            }
        }
    }
}

impl Due {
    fn itself(packet: Packet) -> Self {
        Due {
            packet,
            redundant: false,
            held: false,
            anew: false,
        }
    }
}

#[cfg(test)]
mod tests;
