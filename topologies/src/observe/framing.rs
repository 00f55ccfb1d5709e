//! The packets in segments of ICE-TCP (RFC 4571), as they go by.

use sim::Packet;

use crate::addresses;

/// Bytes before each packet: its length (RFC 4571 section 2).
pub const FRAME_HEADER: usize = 2;

/// Whether a packet is of ICE-TCP: signalling is at the same port of another server.
pub fn is_ice_tcp(packet: &Packet) -> bool {
    let ends = [packet.source.ip(), packet.destination.ip()];
    packet.ice_tcp().is_some() && !ends.contains(&&addresses::SIGNALING)
}

/// One direction of a connection, as its segments pass one place.
#[derive(Clone, Debug, Default)]
pub struct Scanner {
    /// The sequence number that comes next; `None` before the connection begins.
    next: Option<u32>,
    /// The begin of a packet whose end has not come.
    partial: Vec<u8>,
}

impl Scanner {
    /// Takes a segment, hands every packet whose end it brings to `each`, and returns how many
    /// bytes of data were new. What came before is passed over, and so is what comes after a gap:
    /// TCP stacks here keep no such data.
    pub fn take(&mut self, packet: &Packet, mut each: impl FnMut(&[u8])) -> usize {
        let Some(segment) = packet.ice_tcp() else {
            return 0;
        };
        if segment.flags.syn {
            self.next = Some(segment.seq.wrapping_add(1));
            self.partial.clear();
            return 0;
        }
        let Some(next) = self.next else { return 0 };
        // Sequence numbers are compared modulo 2^32 (RFC 9293 section 3.4).
        let known = next.wrapping_sub(segment.seq) as usize;
        let Some(new) = segment.payload.get(known..) else {
            return 0;
        };
        self.next = Some(next.wrapping_add(new.len() as u32));
        self.partial.extend_from_slice(new);
        self.hand_out(&mut each);
        new.len()
    }

    fn hand_out(&mut self, each: &mut impl FnMut(&[u8])) {
        let mut from = 0;
        while let Some(packet) = first(&self.partial[from..]) {
            each(packet);
            from += FRAME_HEADER + packet.len();
        }
        self.partial.drain(..from);
    }
}

/// The packet that data begin with, if all of it is there.
fn first(data: &[u8]) -> Option<&[u8]> {
    let (header, rest) = data.split_first_chunk::<FRAME_HEADER>()?;
    rest.get(..usize::from(u16::from_be_bytes(*header)))
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddrV4;

    use sim::Payload;
    use sim::packet::ICE_TCP_PORT;
    use turmoil_net::{TcpFlags, TcpSegment};

    use super::*;

    /// The sequence number of the SYN: data begin at 0, as numbers wrap at 2^32.
    const SYN: u32 = u32::MAX;

    fn segment(seq: u32, syn: bool, data: &[u8]) -> Packet {
        let endpoint = SocketAddrV4::new([192, 0, 2, 1].into(), ICE_TCP_PORT);
        let segment = TcpSegment {
            src_port: ICE_TCP_PORT,
            dst_port: ICE_TCP_PORT,
            seq,
            ack: 0,
            flags: TcpFlags {
                syn,
                ..TcpFlags::default()
            },
            window: 0,
            payload: data.to_vec().into(),
        };
        Packet::new(endpoint, endpoint, Payload::Tcp(segment))
    }

    fn take(scanner: &mut Scanner, packet: &Packet) -> (usize, Vec<Vec<u8>>) {
        let mut packets = Vec::new();
        let new = scanner.take(packet, |data| packets.push(data.to_vec()));
        (new, packets)
    }

    #[test]
    fn packets_come_with_their_last_byte_and_once() {
        // RFC 4571 section 2: a length of two bytes, big-endian, before each packet.
        let stream = b"\x00\x03one\x00\x00\x00\x05three";
        let mut scanner = Scanner::default();
        assert_eq!(take(&mut scanner, &segment(0, false, stream)), (0, vec![]));
        assert_eq!(take(&mut scanner, &segment(SYN, true, b"")), (0, vec![]));
        assert_eq!(
            take(&mut scanner, &segment(0, false, &stream[..4])),
            (4, vec![])
        );
        // What follows a gap is not kept, and what is repeated is not new.
        assert_eq!(
            take(&mut scanner, &segment(6, false, &stream[6..])),
            (0, vec![])
        );
        let two = vec![b"one".to_vec(), vec![]];
        assert_eq!(
            take(&mut scanner, &segment(0, false, &stream[..8])),
            (4, two)
        );
        assert_eq!(
            take(&mut scanner, &segment(0, false, &stream[..8])),
            (0, vec![])
        );
        let three = vec![b"three".to_vec()];
        assert_eq!(
            take(&mut scanner, &segment(8, false, &stream[8..])),
            (6, three)
        );
    }
}
