//! What is sent to repair a stream, back to what it repairs.
//!
//! Two kinds of repair packets come on streams of their own: retransmissions (RFC 4588) and FlexFEC.
//! The stack has receivers of both, in places where they do not fit together:
//!
//! - It unwraps a retransmission next to the application, behind its NACK generator, which goes on
//!   asking for what has come.
//! - It feeds its FlexFEC decoder with packets that carry the transport-wide sequence number, which
//!   they did not have when they were encoded, so what it rebuilds where senders adapt is damaged.
//!   And it takes repair packets away before their arrival is reported, so the sender takes them
//!   for lost.
//!
//! This interceptor does both, with the stack's FlexFEC decoder, behind what reports arrivals and in
//! front of the NACK generator.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rtc::interceptor::{
    AttributedPacket, FlexFec03Decoder, Interceptor, Packet, StreamInfo, TaggedPacket,
};
use rtc::rtp;
use rtc::rtp::header::Header;
use rtc::sansio::Protocol;
use rtc::shared::error::Error;

use super::Context;
use super::interceptors::passes;

/// The header extension for transport-wide sequence numbers.
const TRANSPORT_WIDE: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

/// The original sequence number in front of what is sent again, bytes (RFC 4588 section 4).
const ORIGINAL_SEQUENCE: usize = 2;

type Tell = dyn Fn(&Header, bool) + Send + Sync;

/// Who is told of packets that were repaired: with their headers, and whether they were rebuilt or
/// sent again.
#[derive(Clone)]
pub struct RepairLog(Arc<Tell>);

impl RepairLog {
    /// A log that tells the observatory of a host.
    pub fn new(context: &Context) -> Self {
        let (environment, observatory) = (&context.environment, &context.observatory);
        let (environment, observatory) = (Arc::clone(environment), Arc::clone(observatory));
        RepairLog(Arc::new(move |header: &Header, rebuilt| {
            let packet = (header.ssrc, header.timestamp, header.sequence_number);
            observatory.repaired(packet, environment.now(), rebuilt);
        }))
    }
}

/// Makes packets of media of repair packets, which go no further.
pub struct Repairs {
    log: RepairLog,
    /// Media streams by the streams on which their packets are sent again: SSRC and payload type.
    resent: BTreeMap<u32, (u32, u8)>,
    /// Media streams by their FlexFEC streams.
    protecting: BTreeMap<u32, u32>,
    /// By media stream.
    protected: BTreeMap<u32, Protected>,
    inbound: VecDeque<TaggedPacket>,
    outbound: VecDeque<TaggedPacket>,
}

/// A stream that FlexFEC protects.
struct Protected {
    decoder: FlexFec03Decoder,
    /// The id of [`TRANSPORT_WIDE`], if it was negotiated.
    transport_wide: Option<u8>,
}

impl Repairs {
    /// No stream is known.
    pub fn new(log: RepairLog) -> Self {
        Repairs {
            log,
            resent: BTreeMap::new(),
            protecting: BTreeMap::new(),
            protected: BTreeMap::new(),
            inbound: VecDeque::new(),
            outbound: VecDeque::new(),
        }
    }

    /// A packet of any stream.
    fn rtp(&mut self, packet: rtp::packet::Packet) -> Vec<rtp::packet::Packet> {
        let ssrc = packet.header.ssrc;
        if let Some(of) = self.resent.get(&ssrc) {
            let Some(original) = original(packet, *of) else {
                return Vec::new();
            };
            self.log.0(&original.header, false);
            return self.media(original);
        }
        match self.protecting.get(&ssrc).copied() {
            Some(media) => self.rebuild(media, packet),
            None => self.media(packet),
        }
    }

    /// A packet of media, and what it helps to rebuild.
    fn media(&mut self, packet: rtp::packet::Packet) -> Vec<rtp::packet::Packet> {
        let ssrc = packet.header.ssrc;
        let Some(protected) = self.protected.get(&ssrc) else {
            return vec![packet];
        };
        let bare = bare(&packet, protected.transport_wide);
        let mut packets = vec![packet];
        packets.extend(self.rebuild(ssrc, bare));
        packets
    }

    /// What can be rebuilt of a media stream now that `packet` has come, too.
    fn rebuild(&mut self, media: u32, packet: rtp::packet::Packet) -> Vec<rtp::packet::Packet> {
        let Some(protected) = self.protected.get_mut(&media) else {
            return Vec::new();
        };
        let rebuilt = protected.decoder.decode(packet);
        for packet in &rebuilt {
            self.log.0(&packet.header, true);
        }
        rebuilt
    }
}

/// What was sent again: a packet of that stream and payload type. `None` if it is empty, as one that
/// only probes.
fn original(
    packet: rtp::packet::Packet,
    (ssrc, payload_type): (u32, u8),
) -> Option<rtp::packet::Packet> {
    let mut payload = packet.payload;
    if payload.len() <= ORIGINAL_SEQUENCE {
        return None;
    }
    let sequence = payload.split_to(ORIGINAL_SEQUENCE);
    Some(rtp::packet::Packet {
        header: Header {
            ssrc,
            payload_type,
            sequence_number: u16::from_be_bytes([sequence[0], sequence[1]]),
            ..packet.header
        },
        payload,
    })
}

/// The packet as it was before it was numbered for the transport.
fn bare(packet: &rtp::packet::Packet, transport_wide: Option<u8>) -> rtp::packet::Packet {
    let header = &packet.header;
    let mut bare = Header {
        version: header.version,
        marker: header.marker,
        payload_type: header.payload_type,
        sequence_number: header.sequence_number,
        timestamp: header.timestamp,
        ssrc: header.ssrc,
        ..Default::default()
    };
    let kept = header.extensions.iter();
    for extension in kept.filter(|extension| Some(extension.id) != transport_wide) {
        let payload = extension.payload.clone();
        bare.set_extension(extension.id, payload)
            .expect("it was in a header of the same kind");
    }
    rtp::packet::Packet {
        header: bare,
        payload: packet.payload.clone(),
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for Repairs {
    passes!(queues);
    passes!(writes);

    fn handle_read(&mut self, mut message: TaggedPacket) -> Result<(), Error> {
        let Packet::Rtp(packet) = &mut message.message.packet else {
            self.inbound.push_back(message);
            return Ok(());
        };
        let (now, transport) = (message.now, message.transport);
        for packet in self.rtp(std::mem::take(packet)) {
            self.inbound.push_back(TaggedPacket {
                now,
                transport,
                message: AttributedPacket::new(Packet::Rtp(packet)),
            });
        }
        Ok(())
    }
}

impl Interceptor for Repairs {
    fn bind_local_stream(&mut self, _info: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _info: &StreamInfo) {}

    fn bind_remote_stream(&mut self, info: &StreamInfo) {
        let media = info.ssrc;
        if let (Some(ssrc), Some(_)) = (info.ssrc_rtx, info.payload_type_rtx) {
            self.resent.insert(ssrc, (media, info.payload_type));
        }
        if let (Some(ssrc), Some(_)) = (info.ssrc_fec, info.payload_type_fec) {
            let mut extensions = info.rtp_header_extensions.iter();
            let transport_wide = extensions.find(|extension| extension.uri == TRANSPORT_WIDE);
            let protected = Protected {
                decoder: FlexFec03Decoder::new(ssrc, media),
                transport_wide: transport_wide.and_then(|e| u8::try_from(e.id).ok()),
            };
            self.protecting.insert(ssrc, media);
            self.protected.insert(media, protected);
        }
    }

    fn unbind_remote_stream(&mut self, info: &StreamInfo) {
        self.resent.retain(|_, (media, _)| *media != info.ssrc);
        self.protecting.retain(|_, media| *media != info.ssrc);
        self.protected.remove(&info.ssrc);
    }
}

#[cfg(test)]
mod tests;
