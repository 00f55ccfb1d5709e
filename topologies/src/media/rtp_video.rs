//! Frames to RTP packets.

use bytes::Bytes;
use rtc::rtp::codec::h264::H264Payloader;
use rtc::rtp::header::Header;
use rtc::rtp::packet::Packet;
use rtc::rtp::packetizer::Payloader;

/// Ticks per second of an H.264 RTP timestamp (RFC 6184, 8.2.1).
pub const VIDEO_CLOCK: u32 = 90_000;

/// Packetises one stream of H.264 (RFC 6184, non-interleaved mode).
///
/// Unlike the packetizer of the `rtc` crate it draws nothing at random and takes the timestamp of
/// each frame from the caller, who knows when it was captured.
#[derive(Debug)]
pub struct VideoPacketizer {
    payloader: H264Payloader,
    max_payload: usize,
    ssrc: u32,
    payload_type: u8,
    sequence: u16,
}

impl VideoPacketizer {
    /// A packetizer whose payloads have at most `max_payload` bytes; `first_sequence` and `ssrc`
    /// should be random (RFC 3550, 5.1).
    pub fn new(ssrc: u32, payload_type: u8, first_sequence: u16, max_payload: usize) -> Self {
        VideoPacketizer {
            payloader: H264Payloader::default(),
            max_payload,
            ssrc,
            payload_type,
            sequence: first_sequence,
        }
    }

    /// The packets of one frame (Annex B), the last one with the marker bit. `timestamp` counts
    /// ticks of [`VIDEO_CLOCK`] and wraps.
    pub fn packetize(&mut self, frame: &Bytes, timestamp: u32) -> Vec<Packet> {
        let payloads = self
            .payloader
            .payload(self.max_payload, frame)
            .expect("the H.264 payloader has no error path");
        let last = payloads.len().saturating_sub(1);
        let packet = |(i, payload)| Packet {
            header: self.header(i == last, timestamp),
            payload,
        };
        payloads.into_iter().enumerate().map(packet).collect()
    }

    fn header(&mut self, marker: bool, timestamp: u32) -> Header {
        let sequence_number = self.sequence;
        self.sequence = sequence_number.wrapping_add(1);
        Header {
            version: 2,
            marker,
            payload_type: self.payload_type,
            sequence_number,
            timestamp,
            ssrc: self.ssrc,
            ..Header::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_frame_is_one_timestamp_and_ends_with_the_marker() {
        // Parameter sets go together (STAP-A, type 24), the slice of 250 bytes into fragments
        // (FU-A, type 28) of at most 98 bytes after the first byte: three.
        let mut frame = vec![
            0, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0x68, 3, 4, 0, 0, 0, 1, 0x65,
        ];
        frame.extend([0x80; 249]);
        let mut packetizer = VideoPacketizer::new(7, 102, u16::MAX, 100);
        let packets = packetizer.packetize(&frame.into(), 5_000);
        let types: Vec<u8> = packets.iter().map(|p| p.payload[0] & 0x1f).collect();
        assert_eq!(types, [24, 28, 28, 28]);
        assert!(
            packets
                .iter()
                .all(|p| p.payload.len() <= 100 && p.header.timestamp == 5_000)
        );
        assert!(
            packets
                .iter()
                .all(|p| p.header.ssrc == 7 && p.header.payload_type == 102)
        );
        let sequence: Vec<u16> = packets.iter().map(|p| p.header.sequence_number).collect();
        assert_eq!(sequence, [u16::MAX, 0, 1, 2]);
        let markers: Vec<bool> = packets.iter().map(|p| p.header.marker).collect();
        assert_eq!(markers, [false, false, false, true]);
    }
}
