//! Acknowledges repeated TCP segments, which `turmoil-net` drops in silence.
//!
//! RFC 9293 section 3.10.7.4 answers a segment that was received before with an acknowledgement.
//! Without that, one lost acknowledgement that no later one makes up for ends the connection: the
//! sender repeats what its peer has, hears nothing, and gives up. So what each stack acknowledged
//! last is noted on its way out, and said again when a segment comes in that lies before it.

use std::net::SocketAddrV4;

use rustc_hash::FxHashMap;
use turmoil_net::{TcpFlags, TcpSegment};

/// One direction of a connection: the side that acknowledges, and its peer.
type Direction = (SocketAddrV4, SocketAddrV4);

/// What each side of each connection acknowledged last.
#[derive(Debug, Default)]
pub(crate) struct Acknowledgements {
    last: FxHashMap<Direction, TcpSegment>,
}

impl Acknowledgements {
    /// A stack sends a segment.
    pub(crate) fn sent(&mut self, from: SocketAddrV4, to: SocketAddrV4, segment: &TcpSegment) {
        if segment.flags.rst || !segment.flags.ack {
            // The connection is over, or a new one begins.
            self.last.remove(&(from, to));
            return;
        }
        let acknowledgement = TcpSegment {
            seq: end(segment),
            flags: TcpFlags {
                ack: true,
                ..TcpFlags::default()
            },
            payload: Default::default(),
            ..*segment
        };
        self.last.insert((from, to), acknowledgement);
    }

    /// A segment came to `at` from `peer`: the acknowledgement that answers it if all of it was
    /// acknowledged before. Segments without sequence space are never answered.
    pub(crate) fn repeat(
        &self,
        at: SocketAddrV4,
        peer: SocketAddrV4,
        segment: &TcpSegment,
    ) -> Option<TcpSegment> {
        let last = self.last.get(&(at, peer))?;
        // Sequence numbers are compared modulo 2^32 (RFC 9293 section 3.4).
        let news = end(segment).wrapping_sub(last.ack) as i32;
        (end(segment) != segment.seq && news <= 0).then(|| last.clone())
    }
}

/// The sequence number after a segment's last one; SYN and FIN take one each.
fn end(segment: &TcpSegment) -> u32 {
    let flags = u32::from(segment.flags.syn) + u32::from(segment.flags.fin);
    segment
        .seq
        .wrapping_add(segment.payload.len() as u32 + flags)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn endpoint(last: u8) -> SocketAddrV4 {
        SocketAddrV4::new([192, 0, 2, last].into(), 80)
    }

    fn data(seq: u32, ack: u32, length: usize) -> TcpSegment {
        TcpSegment {
            src_port: 80,
            dst_port: 80,
            seq,
            ack,
            flags: TcpFlags {
                ack: true,
                ..TcpFlags::default()
            },
            window: 1_000,
            payload: Bytes::from(vec![0; length]),
        }
    }

    #[test]
    fn only_what_was_acknowledged_is_acknowledged_again() {
        // Acknowledged up to 3, across the wrap of sequence numbers at 2^32: the ten bytes before
        // it are old, one byte more is not, and an acknowledgement without data is not answered.
        let (local, peer) = (endpoint(1), endpoint(2));
        let mut acks = Acknowledgements::default();
        acks.sent(local, peer, &data(500, 3, 20));
        let first = 3_u32.wrapping_sub(10);
        let again = acks.repeat(local, peer, &data(first, 0, 10)).unwrap();
        assert_eq!((again.seq, again.ack, again.window), (520, 3, 1_000));
        assert!(again.payload.is_empty());
        assert!(acks.repeat(local, peer, &data(first, 0, 11)).is_none());
        assert!(acks.repeat(local, peer, &data(first, 0, 0)).is_none());
        assert!(acks.repeat(peer, local, &data(first, 0, 10)).is_none());
        let mut fin = data(2, 0, 0);
        fin.flags.fin = true;
        assert!(acks.repeat(local, peer, &fin).is_some());
    }

    #[test]
    fn a_reset_and_a_new_connection_forget_the_old_one() {
        let (local, peer) = (endpoint(1), endpoint(2));
        for (rst, ack) in [(true, true), (false, false)] {
            let mut acks = Acknowledgements::default();
            acks.sent(local, peer, &data(0, 100, 0));
            assert!(acks.repeat(local, peer, &data(90, 0, 10)).is_some());
            let mut last = data(0, 0, 0);
            (last.flags.rst, last.flags.ack) = (rst, ack);
            acks.sent(local, peer, &last);
            assert!(acks.repeat(local, peer, &data(90, 0, 10)).is_none());
        }
    }
}
