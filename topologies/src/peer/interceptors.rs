//! What we add to the stack's chain of interceptors.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use rtc::interceptor::{
    Attribute, Interceptor, JitterBufferBuilder, JitterBufferInterceptor, Packet, StreamInfo,
    TaggedPacket,
};
use rtc::rtcp;
use rtc::rtcp::payload_feedbacks::full_intra_request::FullIntraRequest;
use rtc::rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication;
use rtc::rtcp::payload_feedbacks::receiver_estimated_maximum_bitrate::ReceiverEstimatedMaximumBitrate;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;

/// What interceptors of ours have in common, in their `impl Protocol`. They have two queues, `inbound`
/// and `outbound`, of what goes on to the next one.
macro_rules! passes {
    (queues) => {
        type Rout = ::rtc::interceptor::TaggedPacket;
        type Wout = ::rtc::interceptor::TaggedPacket;
        type Eout = ();
        type Error = ::rtc::shared::error::Error;
        type Time = ::std::time::Instant;

        fn poll_read(&mut self) -> Option<Self::Rout> {
            self.inbound.pop_front()
        }

        fn poll_write(&mut self) -> Option<Self::Wout> {
            self.outbound.pop_front()
        }
    };
    (reads) => {
        fn handle_read(&mut self, message: Self::Rout) -> Result<(), Self::Error> {
            self.inbound.push_back(message);
            Ok(())
        }
    };
    (writes) => {
        fn handle_write(&mut self, message: Self::Wout) -> Result<(), Self::Error> {
            self.outbound.push_back(message);
            Ok(())
        }
    };
}
pub(crate) use passes;

/// Hands keyframe requests (PLI and FIR) and limits (REMB) to the application; the chain ends all
/// other RTCP.
///
/// It belongs next to the application, after every interceptor that reads RTCP.
#[derive(Default)]
pub struct KeyframeRequests {
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

/// Whether a packet is one that the application reacts to.
fn is_request(packet: &dyn rtcp::Packet) -> bool {
    let limits = packet.as_any().is::<ReceiverEstimatedMaximumBitrate>();
    limits || asks_for_keyframe(packet)
}

/// Whether a packet says that a receiver cannot go on without a keyframe.
pub fn asks_for_keyframe(packet: &dyn rtcp::Packet) -> bool {
    let packet = packet.as_any();
    packet.is::<PictureLossIndication>() || packet.is::<FullIntraRequest>()
}

/// Among these, how much the other end wants at most, bits per second.
pub fn limit_in(packets: &[Box<dyn rtcp::Packet>]) -> Option<f64> {
    let mut limits = packets.iter().filter_map(|packet| {
        let packet = packet.as_any();
        packet.downcast_ref::<ReceiverEstimatedMaximumBitrate>()
    });
    limits.next_back().map(|limit| f64::from(limit.bitrate))
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for KeyframeRequests {
    passes!(queues);
    passes!(writes);

    fn handle_read(&mut self, mut message: TaggedPacket) -> Result<(), Error> {
        if let Packet::Rtcp(packets) = &mut message.message.packet {
            packets.retain(|packet| is_request(packet.as_ref()));
            if packets.is_empty() {
                return Ok(());
            }
            message.message.add(Attribute::DeliverToApplication);
        }
        self.inbound.push_back(message);
        Ok(())
    }
}

impl Interceptor for KeyframeRequests {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _info: &StreamInfo) {}
}

/// Holds what a new stream brings in its first instant until a later one.
///
/// The stack's driver drops packets of tracks that it has not announced yet, and what comes through
/// a relay it hands out before it announces.
#[derive(Default)]
pub struct FirstPackets {
    /// When each stream began.
    began: BTreeMap<u32, Instant>,
    held: VecDeque<TaggedPacket>,
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

impl FirstPackets {
    fn release(&mut self, now: Instant) {
        while let Some(held) = self.held.pop_front_if(|held| held.now < now) {
            self.inbound.push_back(held);
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for FirstPackets {
    passes!(queues);
    passes!(writes);

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        let now = message.now;
        self.release(now);
        let began = match &message.message.packet {
            Packet::Rtp(packet) => *self.began.entry(packet.header.ssrc).or_insert(now),
            _ => {
                self.inbound.push_back(message);
                return Ok(());
            }
        };
        match began == now {
            true => self.held.push_back(message),
            false => self.inbound.push_back(message),
        }
        Ok(())
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        self.release(now);
        Ok(())
    }
}

impl Interceptor for FirstPackets {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _info: &StreamInfo) {}

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        self.began.remove(&info.ssrc);
    }
}

/// The stack's jitter buffer for the streams of one clock rate: video and audio wait differently,
/// and the stack's buffer has one depth for a connection.
pub struct JitterBuffer {
    buffer: JitterBufferInterceptor,
    clock_rate: u32,
}

impl JitterBuffer {
    /// A buffer that holds packets of streams with this RTP clock rate for `depth`.
    pub fn new(clock_rate: u32, depth: Duration) -> Self {
        JitterBuffer {
            buffer: JitterBufferBuilder::new().with_depth(depth).build(),
            clock_rate,
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for JitterBuffer {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, message: TaggedPacket) -> Result<(), Error> {
        self.buffer.handle_read(message)
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.buffer.poll_read()
    }

    fn handle_write(&mut self, message: TaggedPacket) -> Result<(), Error> {
        self.buffer.handle_write(message)
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.buffer.poll_write()
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), Error> {
        self.buffer.handle_timeout(now)
    }

    fn poll_timeout(&mut self) -> Option<Instant> {
        self.buffer.poll_timeout()
    }
}

impl Interceptor for JitterBuffer {
    fn bind_local_stream(&mut self, info: &StreamInfo) {
        self.buffer.bind_local_stream(info);
    }

    fn unbind_local_stream(&mut self, info: &StreamInfo) {
        self.buffer.unbind_local_stream(info);
    }

    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        if info.clock_rate == self.clock_rate {
            self.buffer.bind_remote_stream(info);
        }
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        if info.clock_rate == self.clock_rate {
            self.buffer.unbind_remote_stream(info);
        }
    }
}
