//! Repair packets in feedback.

use std::time::Instant;

use rtc::interceptor::{Interceptor, StreamInfo, TaggedPacket};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;

/// An interceptor that takes streams of repair packets for streams like others.
///
/// The stack binds media streams alone, so its RFC 8888 feedback tells nothing of what is sent again
/// and of FlexFEC, and what arrives seems to be less the more is repaired. Transport-wide feedback
/// goes by numbers that all packets have.
pub struct WithRepairs<I>(pub I);

/// The streams that repair a stream, as such.
fn repairs(info: &StreamInfo) -> impl Iterator<Item = StreamInfo> {
    let own = [info.ssrc_rtx, info.ssrc_fec].into_iter().flatten();
    own.map(|ssrc| StreamInfo {
        ssrc,
        ..info.clone()
    })
}

impl<I: Interceptor> Protocol<TaggedPacket, TaggedPacket, ()> for WithRepairs<I> {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        self.0.handle_read(message)
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.0.poll_read()
    }

    fn handle_write(&mut self, message: TaggedPacket) -> Result<(), Error> {
        self.0.handle_write(message)
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.0.poll_write()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        self.0.handle_timeout(now)
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.0.poll_timeout()
    }
}

impl<I: Interceptor> Interceptor for WithRepairs<I> {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        self.0.bind_local_stream(info);
        repairs(info).for_each(|repair| self.0.bind_local_stream(&repair));
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        self.0.unbind_local_stream(info);
        repairs(info).for_each(|repair| self.0.unbind_local_stream(&repair));
    }

    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        self.0.bind_remote_stream(info);
        repairs(info).for_each(|repair| self.0.bind_remote_stream(&repair));
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        self.0.unbind_remote_stream(info);
        repairs(info).for_each(|repair| self.0.unbind_remote_stream(&repair));
    }
}
