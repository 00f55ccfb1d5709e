use std::sync::Mutex;
use std::time::Instant;

use bytes::Bytes;
use proptest::prelude::*;
use rtc::interceptor::{FlexFec03Encoder, RTPHeaderExtension};
use rtc::shared::TransportContext;

use super::*;

type Rtp = rtp::packet::Packet;

const MEDIA: u32 = 7;
const RTX: u32 = 8;
const FEC: u32 = 9;
/// The id of the transport-wide sequence number.
const NUMBERED: u16 = 3;

/// What was told of packets: sequence number, and whether it was rebuilt.
type Told = Arc<Mutex<Vec<(u16, bool)>>>;

/// The receiver of a stream that is repaired by both, and what it tells.
fn receiver() -> (Repairs, Told) {
    let told = Told::default();
    let log = Arc::clone(&told);
    let mut repairs = Repairs::new(RepairLog(Arc::new(move |header: &Header, rebuilt| {
        log.lock().unwrap().push((header.sequence_number, rebuilt));
    })));
    repairs.bind_remote_stream(&StreamInfo {
        ssrc: MEDIA,
        ssrc_rtx: Some(RTX),
        ssrc_fec: Some(FEC),
        payload_type: 102,
        payload_type_rtx: Some(103),
        payload_type_fec: Some(104),
        rtp_header_extensions: vec![RTPHeaderExtension {
            uri: TRANSPORT_WIDE.to_owned(),
            id: NUMBERED,
        }],
        ..StreamInfo::default()
    });
    (repairs, told)
}

fn packet(sequence: u16, payload: &[u8]) -> Rtp {
    Rtp {
        header: Header {
            version: 2,
            marker: sequence.is_multiple_of(3),
            payload_type: 102,
            sequence_number: sequence,
            timestamp: 3_000 * u32::from(sequence / 3),
            ssrc: MEDIA,
            ..Header::default()
        },
        payload: Bytes::copy_from_slice(payload),
    }
}

/// The packet as it arrives where senders adapt: with a transport-wide sequence number.
fn numbered(packet: &Rtp) -> Rtp {
    let mut packet = packet.clone();
    let number = Bytes::copy_from_slice(&packet.header.sequence_number.to_be_bytes());
    packet.header.set_extension(NUMBERED as u8, number).unwrap();
    packet
}

/// Some instant: all are opaque.
#[allow(clippy::disallowed_methods)]
fn instant() -> Instant {
    Instant::now()
}

/// What comes out when a packet goes in.
fn read(repairs: &mut Repairs, packet: Rtp) -> Vec<Rtp> {
    let message = TaggedPacket {
        now: instant(),
        transport: TransportContext::default(),
        message: AttributedPacket::new(Packet::Rtp(packet)),
    };
    repairs.handle_read(message).unwrap();
    std::iter::from_fn(|| repairs.poll_read())
        .map(|message| match message.message.packet {
            Packet::Rtp(packet) => packet,
            _ => panic!("nobody sent RTCP"),
        })
        .collect()
}

#[test]
fn what_is_sent_again_is_the_packet_that_was_lost() {
    let (mut repairs, told) = receiver();
    // RFC 4588 section 4: the original sequence number, then the payload; the timestamp and the
    // marker are the original ones, the rest is the stream's own.
    let lost = packet(0x1234, &[1, 2, 3]);
    let again = |payload: &'static [u8]| Rtp {
        header: Header {
            ssrc: RTX,
            payload_type: 103,
            sequence_number: 77,
            ..lost.header.clone()
        },
        payload: Bytes::from_static(payload),
    };
    assert_eq!(
        read(&mut repairs, again(&[0x12, 0x34, 1, 2, 3])),
        std::slice::from_ref(&lost)
    );
    assert_eq!(*told.lock().unwrap(), [(0x1234, false)]);
    // One that has no payload only probes the path.
    assert!(read(&mut repairs, again(&[0x12, 0x34])).is_empty());
    assert!(read(&mut repairs, again(&[])).is_empty());
}

#[test]
fn other_streams_pass() {
    let (mut repairs, told) = receiver();
    let mut other = packet(1, &[5]);
    other.header.ssrc = 99;
    assert_eq!(read(&mut repairs, other.clone()), [other]);
    assert!(told.lock().unwrap().is_empty());
}

proptest! {
    /// Of a group, whatever its size and the lengths of its packets, one lost packet is rebuilt as it
    /// was, and of two lost ones none.
    #[test]
    fn one_packet_of_a_group_is_rebuilt_and_two_are_not(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..60), 2..20),
        first in any::<u16>(),
        lost in any::<prop::sample::Index>(),
        senders_adapt in any::<bool>(),
        two in any::<bool>(),
    ) {
        let (mut repairs, told) = receiver();
        let group: Vec<Rtp> = payloads.iter().zip(0..)
            .map(|(payload, n)| packet(first.wrapping_add(n), payload))
            .collect();
        let repair = FlexFec03Encoder::new(104, FEC).encode(&group, 1);
        prop_assert_eq!(repair.len(), 1);
        let lost = lost.index(group.len());
        let also_lost = two.then_some((lost + 1) % group.len());
        for (n, packet) in group.iter().enumerate() {
            if n != lost && Some(n) != also_lost {
                let packet = if senders_adapt { numbered(packet) } else { packet.clone() };
                prop_assert_eq!(read(&mut repairs, packet.clone()), [packet]);
            }
        }
        let rebuilt = read(&mut repairs, repair[0].clone());
        if two {
            prop_assert!(rebuilt.is_empty());
        } else {
            let number = group[lost].header.sequence_number;
            prop_assert_eq!(rebuilt, [group[lost].clone()]);
            prop_assert_eq!(&*told.lock().unwrap(), &[(number, true)]);
        }
    }

    /// Whatever repair streams carry, nothing but packets of media comes out.
    #[test]
    fn any_bytes_are_survived(
        stream in prop::sample::select(vec![RTX, FEC]),
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 1..8),
    ) {
        let (mut repairs, _) = receiver();
        read(&mut repairs, packet(0, &[1]));
        for (n, payload) in payloads.iter().enumerate() {
            let mut packet = packet(n as u16, payload);
            packet.header.ssrc = stream;
            for out in read(&mut repairs, packet) {
                prop_assert_eq!(out.header.ssrc, MEDIA);
            }
        }
    }
}
