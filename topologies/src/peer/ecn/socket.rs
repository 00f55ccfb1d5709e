//! A socket whose media may be marked.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use rtc::rtcp::transport_feedbacks::cc_feedback_report::Ecn;
use webrtc::runtime::{AsyncUdpSocket, EcnCodepoint, RecvMeta, Transmit};

use super::codepoints::Codepoints;
use crate::observe::classify::{Class, classify};

/// A socket that sends RTP with ECT(0), as RFC 6679 section 7.3.1 asks for, also inside of TURN, and
/// notes what RTP came with. All else stays Not-ECT: RTCP, STUN and DTLS answer no marks.
#[derive(Debug)]
pub struct CapableMedia {
    socket: Arc<dyn AsyncUdpSocket>,
    codepoints: Codepoints,
}

impl CapableMedia {
    /// Notes in `codepoints` what comes to `socket`.
    pub fn new(socket: Arc<dyn AsyncUdpSocket>, codepoints: Codepoints) -> Self {
        CapableMedia { socket, codepoints }
    }

    fn note(&self, datagram: &[u8], codepoint: Option<EcnCodepoint>) {
        if let Class::Rtp { ssrc, sequence, .. } = classify(datagram).class {
            self.codepoints.note(ssrc, sequence, reported(codepoint));
        }
    }
}

/// What a datagram is sent with.
fn codepoint_for(datagram: &[u8]) -> Option<EcnCodepoint> {
    let media = matches!(classify(datagram).class, Class::Rtp { .. });
    media.then_some(EcnCodepoint::Ect0)
}

/// A codepoint as feedback has it.
fn reported(codepoint: Option<EcnCodepoint>) -> Ecn {
    match codepoint {
        None => Ecn::NotEct,
        Some(EcnCodepoint::Ect0) => Ecn::Ect0,
        Some(EcnCodepoint::Ect1) => Ecn::Ect1,
        Some(EcnCodepoint::Ce) => Ecn::Ce,
    }
}

impl AsyncUdpSocket for CapableMedia {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let ecn = codepoint_for(transmit.contents);
        let transmit = Transmit {
            ecn,
            ..transmit.clone()
        };
        self.socket.poll_send(cx, &transmit)
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let received = self.socket.poll_recv(cx, bufs, meta);
        if let Poll::Ready(Ok(count)) = received {
            for (buffer, meta) in bufs.iter().zip(meta).take(count) {
                for datagram in buffer[..meta.len].chunks(meta.stride.max(1)) {
                    self.note(datagram, meta.ecn);
                }
            }
        }
        received
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;
    use std::task::Waker;

    use proptest::prelude::*;

    use super::*;

    const SSRC: u32 = 0xdead_beef;
    const SEQUENCE: u16 = 0x1234;

    /// A socket that keeps what is sent, and has datagrams to read.
    #[derive(Debug, Default)]
    struct Wire {
        sent: Mutex<Vec<Option<EcnCodepoint>>>,
        inbox: Mutex<VecDeque<(Vec<u8>, Option<EcnCodepoint>)>>,
    }

    impl AsyncUdpSocket for Wire {
        fn local_addr(&self) -> io::Result<SocketAddr> {
            Ok(SocketAddr::from(([192, 0, 2, 1], 1)))
        }

        fn poll_send(&self, _: &mut Context<'_>, it: &Transmit<'_>) -> Poll<io::Result<usize>> {
            self.sent.lock().unwrap().push(it.ecn);
            Poll::Ready(Ok(it.contents.len()))
        }

        fn poll_recv(
            &self,
            _: &mut Context<'_>,
            bufs: &mut [IoSliceMut<'_>],
            meta: &mut [RecvMeta],
        ) -> Poll<io::Result<usize>> {
            let Some((data, ecn)) = self.inbox.lock().unwrap().pop_front() else {
                return Poll::Pending;
            };
            bufs[0][..data.len()].copy_from_slice(&data);
            meta[0] = RecvMeta::default();
            (meta[0].len, meta[0].stride, meta[0].ecn) = (data.len(), data.len(), ecn);
            Poll::Ready(Ok(1))
        }
    }

    /// What a datagram is sent with.
    fn sent(datagram: &[u8]) -> Option<EcnCodepoint> {
        let wire = Arc::new(Wire::default());
        let socket = CapableMedia::new(wire.clone(), Codepoints::default());
        let transmit = Transmit {
            destination: SocketAddr::from(([192, 0, 2, 2], 2)),
            ecn: None,
            contents: datagram,
            segment_size: None,
            src_ip: None,
        };
        let result = socket.poll_send(&mut Context::from_waker(Waker::noop()), &transmit);
        assert!(matches!(result, Poll::Ready(Ok(length)) if length == datagram.len()));
        let sent = wire.sent.lock().unwrap();
        assert_eq!(sent.len(), 1);
        sent[0]
    }

    /// What is noted of the packet with [`SSRC`] and [`SEQUENCE`] when this comes.
    fn noted(datagram: &[u8], ecn: Option<EcnCodepoint>) -> Ecn {
        let wire = Arc::new(Wire::default());
        let codepoints = Codepoints::default();
        let socket = CapableMedia::new(wire.clone(), codepoints.clone());
        wire.inbox
            .lock()
            .unwrap()
            .push_back((datagram.to_vec(), ecn));
        let (mut buffer, mut meta) = ([0; 2_048], [RecvMeta::default()]);
        let mut buffers = [IoSliceMut::new(&mut buffer)];
        let mut cx = Context::from_waker(Waker::noop());
        let received = socket.poll_recv(&mut cx, &mut buffers, &mut meta);
        assert!(matches!(received, Poll::Ready(Ok(1))));
        assert_eq!(&buffer[..meta[0].len], datagram);
        codepoints.of(SSRC, SEQUENCE)
    }

    /// A packet of RTP (RFC 3550 section 5.1) with this second byte, and some payload.
    fn packet(second: u8) -> Vec<u8> {
        let mut packet = vec![0x80, second];
        packet.extend(SEQUENCE.to_be_bytes());
        packet.extend([0, 0, 0, 9]);
        packet.extend(SSRC.to_be_bytes());
        packet.extend([7; 40]);
        packet
    }

    /// ChannelData (RFC 8656 section 12.4) around a packet.
    fn relayed(packet: &[u8]) -> Vec<u8> {
        let mut message = vec![0x40, 0x01, 0, packet.len() as u8];
        message.extend(packet);
        message
    }

    /// Payload type 102 without and with the marker, and 63 and 96, next to what RFC 5761 section 4
    /// keeps for RTCP: packet types 192 to 223, which are payload types 64 to 95 with the marker.
    #[test]
    fn media_alone_is_sent_with_ect_0() {
        let media = [102, 0x80 | 102, 0x80 | 63, 0x80 | 96].map(packet);
        let rtcp = [192, 200, 201, 205, 206, 223].map(packet);
        for packet in media {
            assert_eq!(sent(&packet), Some(EcnCodepoint::Ect0));
            assert_eq!(sent(&relayed(&packet)), Some(EcnCodepoint::Ect0));
        }
        for packet in rtcp {
            assert_eq!(sent(&packet), None);
            assert_eq!(sent(&relayed(&packet)), None);
        }
        // A Binding request, a DTLS handshake, DTLS application data (RFC 7983).
        for first in [0, 22, 23] {
            let mut datagram = packet(102);
            datagram[0] = first;
            assert_eq!(sent(&datagram), None);
        }
    }

    #[test]
    fn what_media_came_with_is_noted() {
        for (field, expected) in [
            (None, Ecn::NotEct),
            (Some(EcnCodepoint::Ect0), Ecn::Ect0),
            (Some(EcnCodepoint::Ect1), Ecn::Ect1),
            (Some(EcnCodepoint::Ce), Ecn::Ce),
        ] {
            assert_eq!(noted(&packet(102), field), expected);
            assert_eq!(noted(&relayed(&packet(102)), field), expected);
            // The same bytes as RTCP are no packet of media.
            assert_eq!(noted(&packet(201), field), Ecn::NotEct);
        }
    }

    /// A header of RTP has 12 bytes; of what is relayed nothing is noted before all is there.
    #[test]
    fn what_is_cut_short_is_no_media() {
        let (bare, framed) = (packet(102), relayed(&packet(102)));
        for length in 0..bare.len() {
            let media = length >= 12;
            let cut = &bare[..length];
            assert_eq!(sent(cut).is_some(), media, "{length}");
            let ce = noted(cut, Some(EcnCodepoint::Ce)) == Ecn::Ce;
            assert_eq!(ce, media, "{length}");
        }
        for length in 0..framed.len() {
            assert_eq!(sent(&framed[..length]), None, "{length}");
            let noted = noted(&framed[..length], Some(EcnCodepoint::Ce));
            assert_eq!(noted, Ecn::NotEct, "{length}");
        }
    }

    proptest! {
        #[test]
        fn no_datagram_is_too_strange(data in prop::collection::vec(any::<u8>(), 0..96)) {
            let media = sent(&data).is_some();
            prop_assert_eq!(media, matches!(classify(&data).class, Class::Rtp { .. }));
            noted(&data, Some(EcnCodepoint::Ce));
        }
    }
}
