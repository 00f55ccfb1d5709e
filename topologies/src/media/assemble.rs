//! RTP packets to frames.

use bytes::{Bytes, BytesMut};
use rtc::rtp::codec::h264::{
    FU_START_BITMASK, FUA_HEADER_SIZE, FUA_NALU_TYPE, H264Packet, NALU_TYPE_BITMASK, SPS_NALU_TYPE,
    STAPA_HEADER_SIZE, STAPA_NALU_LENGTH_SIZE, STAPA_NALU_TYPE,
};
use rtc::rtp::packet::Packet;
use rtc::rtp::packetizer::Depacketizer;

/// A NAL unit of type 1: a slice of a picture that refers to others (H.264, table 7-1).
const SLICE_NALU_TYPE: u8 = 1;

/// Bytes of the start code before each NAL unit.
const START_CODE: usize = 4;

/// Puts the packets of one H.264 stream (one SSRC) back together.
///
/// Packets come in order of sequence, after a jitter buffer; duplicates and latecomers are dropped.
/// A frame is released with its marker packet, not when the next frame begins, and only if every
/// one of its packets came: what is released is what was sent.
///
/// After a loss it cannot be told from sequence numbers whether the missing packets belonged to
/// this frame or the one before, so a frame is taken as whole only if it begins as a picture does:
/// with a sequence parameter set, or with the first macroblock of a slice that needs none.
#[derive(Debug, Default)]
pub struct FrameAssembler {
    last: Option<LastPacket>,
    building: Option<Building>,
    /// Something was lost since the last frame was released.
    lost: bool,
}

/// What one packet led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assembly {
    /// How many packets before this one never came: the frames that they belonged to are lost, and
    /// the decoder needs a keyframe (PLI).
    pub missing: u16,
    /// Whether this packet is malformed and its frame lost; that, too, asks for a keyframe.
    pub malformed: bool,
    /// The frame that the packet completed.
    pub frame: Option<AssembledFrame>,
}

/// A complete frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssembledFrame {
    /// In ticks of the video clock, as sent.
    pub rtp_timestamp: u32,
    /// NAL units, each after a start code of four bytes.
    pub data: Bytes,
    /// How many packets it came in.
    pub packets: u32,
    /// Whether packets between it and the frame before were lost: unless it is a keyframe, what it
    /// refers to is not there.
    pub after_loss: bool,
}

#[derive(Debug)]
struct LastPacket {
    sequence: u16,
    /// Whether it ended a frame.
    marker: bool,
}

#[derive(Debug)]
struct Building {
    timestamp: u32,
    depacketizer: H264Packet,
    data: BytesMut,
    packets: u32,
}

impl AssembledFrame {
    /// Whether decoding can start with it: it begins with a sequence parameter set, as keyframes
    /// do.
    pub fn starts_anew(&self) -> bool {
        let first = self.data.get(START_CODE);
        first.is_some_and(|header| header & NALU_TYPE_BITMASK == SPS_NALU_TYPE)
    }
}

impl FrameAssembler {
    /// An assembler that has seen no packet.
    pub fn new() -> Self {
        FrameAssembler::default()
    }

    /// Takes the next packet.
    pub fn push(&mut self, packet: &Packet) -> Assembly {
        let header = &packet.header;
        let Some(missing) = self.missing_before(header.sequence_number) else {
            return Assembly::default();
        };
        if missing > 0 {
            self.building = None;
            self.lost = true;
        }
        let after_marker = missing == 0 && self.last.as_ref().is_some_and(|last| last.marker);
        // Padding carries nothing, and neither ends a frame nor begins one.
        let padding = packet.payload.is_empty();
        let marker = if padding { after_marker } else { header.marker };
        self.last = Some(LastPacket {
            sequence: header.sequence_number,
            marker,
        });
        if padding {
            return Assembly {
                missing,
                ..Assembly::default()
            };
        }
        if after_marker || self.building.is_none() && begins_picture(&packet.payload) {
            self.building = Some(Building::new(header.timestamp));
        }
        match self.append(packet) {
            Ok(frame) => Assembly {
                missing,
                malformed: false,
                frame,
            },
            Err(Malformed) => {
                self.building = None;
                self.lost = true;
                Assembly {
                    missing,
                    malformed: true,
                    frame: None,
                }
            }
        }
    }

    /// How many packets are missing before `sequence`; `None` if it is late or a duplicate.
    fn missing_before(&self, sequence: u16) -> Option<u16> {
        let Some(last) = &self.last else {
            return Some(0);
        };
        let ahead = sequence.wrapping_sub(last.sequence);
        // Half the range ahead is new, the other half old (RFC 1982).
        (1..0x8000).contains(&ahead).then(|| ahead - 1)
    }

    /// Adds a packet to the frame being built, if there is one, and ends it at the marker.
    fn append(&mut self, packet: &Packet) -> Result<Option<AssembledFrame>, Malformed> {
        let Some(building) = &mut self.building else {
            return Ok(None);
        };
        building.append(packet)?;
        if !packet.header.marker {
            return Ok(None);
        }
        let after_loss = std::mem::take(&mut self.lost);
        let building = self.building.take();
        Ok(building.map(|building| building.finish(after_loss)))
    }
}

/// The packet cannot belong to the frame it seems to belong to.
struct Malformed;

impl Building {
    fn new(timestamp: u32) -> Self {
        Building {
            timestamp,
            depacketizer: H264Packet::default(),
            data: BytesMut::new(),
            packets: 0,
        }
    }

    fn append(&mut self, packet: &Packet) -> Result<(), Malformed> {
        // A frame without a marker; our senders always set it, and RFC 6184, 5.1 asks for it.
        if packet.header.timestamp != self.timestamp || !is_sound(&packet.payload) {
            return Err(Malformed);
        }
        let nal_units = self
            .depacketizer
            .depacketize(&packet.payload)
            .map_err(|_| Malformed)?;
        self.data.extend_from_slice(&nal_units);
        self.packets += 1;
        Ok(())
    }

    fn finish(self, after_loss: bool) -> AssembledFrame {
        AssembledFrame {
            rtp_timestamp: self.timestamp,
            data: self.data.freeze(),
            packets: self.packets,
            after_loss,
        }
    }
}

/// Whether a payload is the first of its picture, judged by itself.
fn begins_picture(payload: &[u8]) -> bool {
    let nalu_type = payload[0] & NALU_TYPE_BITMASK;
    // `first_mb_in_slice` comes first and is coded as a single 1 bit where it is 0 (H.264, 7.3.3).
    let at_first_macroblock = |at: usize| payload.get(at).is_some_and(|byte| byte & 0x80 != 0);
    match nalu_type {
        SPS_NALU_TYPE => true,
        SLICE_NALU_TYPE => at_first_macroblock(1),
        STAPA_NALU_TYPE => payload
            .get(STAPA_HEADER_SIZE + STAPA_NALU_LENGTH_SIZE)
            .is_some_and(|header| header & NALU_TYPE_BITMASK == SPS_NALU_TYPE),
        FUA_NALU_TYPE => payload.get(1).is_some_and(|header| {
            header & FU_START_BITMASK != 0
                && header & NALU_TYPE_BITMASK == SLICE_NALU_TYPE
                && at_first_macroblock(FUA_HEADER_SIZE)
        }),
        _ => false,
    }
}

/// Whether a payload is the first of a keyframe: our encoder, like all that send to receivers who
/// may join at any time, repeats the sequence parameter set with each.
pub fn begins_keyframe(payload: &[u8]) -> bool {
    let Some(first) = payload.first() else {
        return false;
    };
    match first & NALU_TYPE_BITMASK {
        SPS_NALU_TYPE => true,
        STAPA_NALU_TYPE => begins_picture(payload),
        _ => false,
    }
}

/// Whether the lengths in an aggregate add up: the depacketizer reads past its end otherwise.
fn is_sound(payload: &[u8]) -> bool {
    if payload[0] & NALU_TYPE_BITMASK != STAPA_NALU_TYPE {
        return true;
    }
    let mut rest = &payload[STAPA_HEADER_SIZE..];
    while let Some((length, units)) = rest.split_first_chunk::<STAPA_NALU_LENGTH_SIZE>() {
        let Some(after) = units.get(usize::from(u16::from_be_bytes(*length))..) else {
            return false;
        };
        rest = after;
    }
    rest.is_empty()
}
