//! What a connection carries: the seam between negotiating a connection and using it.

use std::sync::Arc;

use async_trait::async_trait;
use webrtc::error::Result;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::PeerConnection;

/// The media of one end of one connection. Dropping it ends what it sends.
#[async_trait]
pub trait Media: Send + Sync {
    /// Gives the connection the tracks that it should have by now: before each offer.
    async fn before_offer(&mut self, connection: &Arc<dyn PeerConnection>) -> Result<()>;

    /// The same, before each answer.
    async fn before_answer(&mut self, connection: &Arc<dyn PeerConnection>) -> Result<()>;

    /// An exchange of descriptions ended; `offered` if this end had made the offer, so that all that
    /// was in the connection then may be sent. Returns whether another exchange is needed, for
    /// what is not in the connection yet.
    fn negotiated(&mut self, offered: bool) -> bool;

    /// ICE and DTLS are up.
    fn connected(&mut self);

    /// A track of the other end begins.
    async fn track(&mut self, track: Arc<dyn TrackRemote>);

    /// Somebody whose media may come over this connection left the call.
    fn left(&mut self, source: u16);
}

/// The media stream id of a source's tracks: tells receivers whose they are, and of a picture in
/// several sizes, which layer is in it.
pub fn stream_id(source: u16, layer: u8) -> String {
    match layer {
        0 => format!("source-{source}"),
        layer => format!("source-{source}.{layer}"),
    }
}

/// Whose tracks a media stream holds, and which layer.
pub fn source_of(stream_id: &str) -> Option<(u16, u8)> {
    let source = stream_id.strip_prefix("source-")?;
    match source.split_once('.') {
        Some((source, layer)) => Some((source.parse().ok()?, layer.parse().ok()?)),
        None => Some((source.parse().ok()?, 0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_tells_its_source_and_its_layer() {
        assert_eq!(source_of(&stream_id(17, 0)), Some((17, 0)));
        assert_eq!(source_of(&stream_id(17, 2)), Some((17, 2)));
        for nobodys in ["participant-17", "source-", "source-70000", "source-1.x"] {
            assert_eq!(source_of(nobodys), None);
        }
    }
}
