//! From a sender's RTP stream to the stream that one receiver gets.

use rtc::rtp::header::Header;
use rtc::rtp::packet::Packet;

use crate::media::assemble::begins_keyframe;

/// Gives packets the SSRC and the sequence numbers of an outgoing stream. Timestamps stay.
///
/// A stream of video begins with a keyframe: nothing before it could be decoded. Gaps and reorder
/// of the incoming stream stay what they are, so that a repair that comes late fits in.
#[derive(Clone, Debug)]
pub struct Rewriter {
    ssrc: u32,
    next_sequence: u16,
    waits_for_keyframe: bool,
    run: Option<Run>,
}

/// Packets without an interruption, counted from its first one.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// The incoming sequence number of its newest packet.
    newest: u16,
    /// The place of that one.
    newest_place: u64,
    /// The outgoing sequence number of its first packet.
    base: u16,
}

impl Run {
    /// The place of a packet; `None` if it came before the run began.
    fn place(&mut self, incoming: u16) -> Option<u64> {
        // Half the range ahead is newer, the other half older (RFC 1982).
        let ahead = incoming.wrapping_sub(self.newest) as i16;
        let place = self.newest_place.checked_add_signed(ahead.into())?;
        if place > self.newest_place {
            (self.newest, self.newest_place) = (incoming, place);
        }
        Some(place)
    }
}

impl Rewriter {
    /// A stream that begins with `first_sequence`, for video with a keyframe.
    pub fn new(ssrc: u32, first_sequence: u16, video: bool) -> Self {
        Rewriter {
            ssrc,
            next_sequence: first_sequence,
            waits_for_keyframe: video,
            run: None,
        }
    }

    /// Whether nothing goes through until a keyframe begins.
    pub fn waits_for_keyframe(&self) -> bool {
        self.waits_for_keyframe && self.run.is_none()
    }

    /// The stream is interrupted: it goes on without a gap, for video with a keyframe.
    pub fn pause(&mut self) {
        self.run = None;
    }

    /// The packet as it goes out; `None` if it does not.
    pub fn rewrite(&mut self, packet: &Packet) -> Option<Packet> {
        let incoming = packet.header.sequence_number;
        let run = match &mut self.run {
            Some(run) => run,
            None if self.waits_for_keyframe && !begins_keyframe(&packet.payload) => return None,
            None => self.run.insert(Run {
                newest: incoming,
                newest_place: 0,
                base: self.next_sequence,
            }),
        };
        let sequence_number = run.base.wrapping_add(run.place(incoming)? as u16);
        self.next_sequence = run
            .base
            .wrapping_add(run.newest_place as u16)
            .wrapping_add(1);
        Some(self.packet(packet, sequence_number))
    }

    /// A header of our own: what an incoming one carries beyond this is for its own leg.
    fn packet(&self, packet: &Packet, sequence_number: u16) -> Packet {
        Packet {
            header: Header {
                version: 2,
                marker: packet.header.marker,
                payload_type: packet.header.payload_type,
                sequence_number,
                timestamp: packet.header.timestamp,
                ssrc: self.ssrc,
                ..Header::default()
            },
            payload: packet.payload.clone(),
        }
    }
}

/// Tells packets that came twice: a repair that was asked for more than once.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    newest: Option<u16>,
    /// Bit i: whether `newest - i` came.
    window: u128,
}

impl Seen {
    /// Notes a sequence number; `false` if it came before, or is too old to tell.
    pub fn is_new(&mut self, sequence: u16) -> bool {
        let Some(newest) = self.newest else {
            (self.newest, self.window) = (Some(sequence), 1);
            return true;
        };
        let ahead = sequence.wrapping_sub(newest);
        if (1..0x8000).contains(&ahead) {
            self.window = self.window.checked_shl(u32::from(ahead)).unwrap_or(0) | 1;
            self.newest = Some(sequence);
            return true;
        }
        let behind = u32::from(newest.wrapping_sub(sequence));
        let Some(bit) = 1u128.checked_shl(behind) else {
            return false;
        };
        let new = self.window & bit == 0;
        self.window |= bit;
        new
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    /// NAL unit types (H.264, table 7-1): a slice, and a sequence parameter set.
    const SLICE: &[u8] = &[0x61, 0x9a];
    const SPS: &[u8] = &[0x67, 0x42];

    fn packet(sequence_number: u16, payload: &'static [u8]) -> Packet {
        let mut packet = Packet::default();
        packet.header.sequence_number = sequence_number;
        packet.header.timestamp = u32::from(sequence_number) * 3_000;
        packet.payload = Bytes::from_static(payload);
        packet
    }

    fn sequence(rewriter: &mut Rewriter, incoming: u16, payload: &'static [u8]) -> Option<u16> {
        let packet = rewriter.rewrite(&packet(incoming, payload))?;
        assert_eq!(packet.header.ssrc, 7);
        assert_eq!(packet.header.timestamp, u32::from(incoming) * 3_000);
        Some(packet.header.sequence_number)
    }

    #[test]
    fn video_begins_with_a_keyframe_and_then_keeps_gaps_and_order() {
        let mut stream = Rewriter::new(7, 65_534, true);
        assert_eq!(sequence(&mut stream, 9, SLICE), None);
        assert!(stream.waits_for_keyframe());
        // 10 becomes 65534, so 12 becomes 65536 = 0, and a late 11 fits between.
        assert_eq!(sequence(&mut stream, 10, SPS), Some(65_534));
        assert!(!stream.waits_for_keyframe());
        assert_eq!(sequence(&mut stream, 12, SLICE), Some(0));
        assert_eq!(sequence(&mut stream, 11, SLICE), Some(65_535));
        // What came before the keyframe stays out, however late it comes.
        assert_eq!(sequence(&mut stream, 9, SLICE), None);
    }

    #[test]
    fn after_a_pause_it_goes_on_without_a_gap_at_the_next_keyframe() {
        let mut stream = Rewriter::new(7, 100, true);
        assert_eq!(sequence(&mut stream, 10, SPS), Some(100));
        assert_eq!(sequence(&mut stream, 11, SLICE), Some(101));
        stream.pause();
        assert_eq!(sequence(&mut stream, 500, SLICE), None);
        assert_eq!(sequence(&mut stream, 501, SPS), Some(102));
        assert_eq!(sequence(&mut stream, 502, SLICE), Some(103));
    }

    #[test]
    fn sound_begins_with_any_packet() {
        let mut stream = Rewriter::new(7, 5, false);
        assert_eq!(sequence(&mut stream, 1_000, SLICE), Some(5));
    }

    #[test]
    fn a_run_goes_on_beyond_half_the_range_of_sequence_numbers() {
        let mut stream = Rewriter::new(7, 0, false);
        for incoming in 0..=u16::MAX {
            assert_eq!(sequence(&mut stream, incoming, SLICE), Some(incoming));
        }
        // Wrapped; also a late one from before the wrap is still new enough.
        assert_eq!(sequence(&mut stream, 0, SLICE), Some(0));
        assert_eq!(sequence(&mut stream, u16::MAX, SLICE), Some(u16::MAX));
    }

    #[test]
    fn what_came_twice_is_told() {
        let mut seen = Seen::default();
        assert!(seen.is_new(65_535));
        assert!(seen.is_new(1));
        assert!(seen.is_new(0));
        for again in [65_535, 0, 1] {
            assert!(!seen.is_new(again), "{again}");
        }
        // 127 behind the newest is the last that is remembered.
        assert!(seen.is_new(128));
        assert!(!seen.is_new(1));
        assert!(!seen.is_new(0));
        assert!(seen.is_new(2));
    }
}
