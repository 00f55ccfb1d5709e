//! Packetising and assembling under loss, duplication and malice.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use rtc::rtp::packet::Packet;
use topologies::media::{Assembly, FrameAssembler, VideoPacketizer};

/// Largest payload: small, so that frames take several packets.
const MAX_PAYLOAD: usize = 40;

/// Ticks of 90 kHz between two frames at 30 per second.
const TICKS: u32 = 3_000;

/// A frame with the structure of a keyframe or another one and slices of the given sizes. Bodies
/// hold no zero, so no start code. Only the first slice begins with macroblock 0.
fn frame(keyframe: bool, slices: &[usize], tag: u8) -> Bytes {
    let mut data = Vec::new();
    let mut nal_unit = |bytes: &[u8]| {
        data.extend_from_slice(&[0, 0, 0, 1]);
        data.extend_from_slice(bytes);
    };
    if keyframe {
        nal_unit(&[0x67, 0x42, 0xe0, 0x1f, tag | 1]);
        nal_unit(&[0x68, 0xce, tag | 1]);
    }
    for (i, &size) in slices.iter().enumerate() {
        let mut slice = vec![if keyframe { 0x65 } else { 0x61 }];
        slice.push(if i == 0 { 0x88 } else { 0x42 });
        slice.extend((0..size).map(|k| (k as u8 ^ tag) | 1));
        nal_unit(&slice);
    }
    data.into()
}

/// The frames of a call and the packets of each; timestamps wrap on the way.
fn stream(shapes: &[(bool, Vec<usize>)], first: u16) -> (Vec<Bytes>, Vec<Vec<Packet>>) {
    let mut packetizer = VideoPacketizer::new(1, 102, first, MAX_PAYLOAD);
    let frames: Vec<Bytes> = shapes
        .iter()
        .enumerate()
        .map(|(i, (keyframe, slices))| frame(*keyframe, slices, i as u8))
        .collect();
    let start = 0u32.wrapping_sub(5 * TICKS);
    let packets = frames
        .iter()
        .enumerate()
        .map(|(i, frame)| packetizer.packetize(frame, start.wrapping_add(i as u32 * TICKS)))
        .collect();
    (frames, packets)
}

fn shapes() -> impl Strategy<Value = Vec<(bool, Vec<usize>)>> {
    vec((prop::bool::weighted(0.2), vec(1usize..120, 1..5)), 1..30)
}

proptest! {
    /// Exactly the frames whose packets all came are released, each at once and byte for byte;
    /// every loss inside the stream is counted; duplicates, near and far, change nothing.
    #[test]
    fn releases_what_came_whole_and_nothing_else(
        shapes in shapes(),
        first in prop_oneof![Just(0u16), Just(u16::MAX - 20), any::<u16>()],
        copies in vec(prop_oneof![8 => Just(1u8), 1 => Just(0), 1 => Just(2)], 1000),
        late in any::<prop::sample::Index>(),
    ) {
        let (frames, packets) = stream(&shapes, first);
        let mut copies = copies.into_iter().cycle();
        let mut assembler = FrameAssembler::new();
        let mut seen: Vec<Packet> = Vec::new();
        // Lost packets are noticed with the next one that comes, and not before the first.
        let (mut unnoticed, mut lost, mut missing) = (0, 0, 0);
        for (i, packets) in packets.iter().enumerate() {
            let mut frame = None;
            let mut whole = true;
            for packet in packets {
                let copies = copies.next().unwrap();
                if copies == 0 {
                    whole = false;
                    unnoticed += u32::from(!seen.is_empty());
                    continue;
                }
                lost += std::mem::take(&mut unnoticed);
                for _ in 0..copies {
                    let assembly = assembler.push(packet);
                    prop_assert!(!assembly.malformed);
                    missing += u32::from(assembly.missing);
                    prop_assert!(assembly.frame.is_none() || frame.is_none(), "released twice");
                    frame = frame.or(assembly.frame);
                }
                seen.push(packet.clone());
                prop_assert_eq!(assembler.push(late.get(&seen)), Assembly::default());
            }
            prop_assert_eq!(frame.is_some(), whole, "frame {}", i);
            if let Some(frame) = frame {
                prop_assert_eq!(&frame.data, &frames[i]);
                prop_assert_eq!(frame.rtp_timestamp, packets[0].header.timestamp);
                prop_assert_eq!(frame.packets as usize, packets.len());
            }
        }
        prop_assert_eq!(missing, lost);
    }

    /// Whatever the payloads, nothing panics.
    #[test]
    fn survives_any_payload(payloads in vec(vec(any::<u8>(), 0..24), 1..50)) {
        let mut assembler = FrameAssembler::new();
        for (i, payload) in payloads.into_iter().enumerate() {
            let mut packet = Packet { payload: payload.into(), ..Packet::default() };
            packet.header.sequence_number = i as u16;
            packet.header.marker = i % 3 == 0;
            assembler.push(&packet);
        }
    }
}

#[test]
fn a_lost_end_does_not_take_the_next_frame_with_it() {
    // Sequence numbers alone cannot tell whose packet is missing; the first macroblock can.
    let (frames, packets) = stream(&[(true, vec![100]), (false, vec![10])], 0);
    let mut assembler = FrameAssembler::new();
    for packet in &packets[0][..packets[0].len() - 1] {
        assert_eq!(assembler.push(packet).frame, None);
    }
    let assembly = assembler.push(&packets[1][0]);
    assert_eq!(assembly.missing, 1);
    assert_eq!(assembly.frame.unwrap().data, frames[1]);
}

#[test]
fn a_keyframe_without_its_parameter_sets_is_not_whole() {
    let (_, packets) = stream(&[(false, vec![10]), (true, vec![10])], 0);
    let mut assembler = FrameAssembler::new();
    assert!(assembler.push(&packets[0][0]).frame.is_some());
    // The first packet of the keyframe, which holds them, is lost.
    assert!(packets[1].len() > 1);
    assert!(
        packets[1][1..]
            .iter()
            .all(|packet| assembler.push(packet).frame.is_none())
    );
}

#[test]
fn padding_changes_nothing() {
    let (frames, packets) = stream(&[(true, vec![100]), (false, vec![3])], 10);
    let mut assembler = FrameAssembler::new();
    let mut sequence = 10;
    let mut released = Vec::new();
    for packet in packets.concat() {
        for payload in [packet.payload.clone(), Bytes::new()] {
            let mut numbered = Packet {
                payload,
                ..packet.clone()
            };
            numbered.header.sequence_number = sequence;
            sequence += 1;
            released.extend(assembler.push(&numbered).frame);
        }
    }
    let data: Vec<Bytes> = released.into_iter().map(|frame| frame.data).collect();
    assert_eq!(data, frames);
}

#[test]
fn an_aggregate_with_a_wrong_length_is_malformed() {
    // STAP-A whose second unit claims 9 bytes and has 1, and one that ends inside a length.
    for tail in [&[0, 9, 0x68][..], &[0]] {
        let mut payload = vec![0x78, 0, 2, 0x67, 0x42];
        payload.extend_from_slice(tail);
        let packet = Packet {
            payload: payload.into(),
            ..Packet::default()
        };
        assert!(FrameAssembler::new().push(&packet).malformed);
    }
}
