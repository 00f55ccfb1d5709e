//! Bandwidth is right: what is on the wire is the media that was encoded, and named headers.

use reports::record::{CellRecord, HostRecord, StreamRecord, Traffic};
use topologies::world::window;

use crate::support::{call, host, watched};

/// IPv4 (20, RFC 791), UDP (8, RFC 768) and RTP (12, RFC 3550) headers and the authentication tag
/// of AEAD_AES_128_GCM (16, RFC 7714), which the stack prefers, around every RTP payload.
const AROUND_PAYLOAD: u64 = 20 + 8 + 12 + 16;

/// Bytes that the media of `streams` should take, from what their encoders made.
///
/// Annex B has a start code of three or four bytes before every NAL unit. In its place, RTP has
/// nothing (a single NAL unit), or two bytes less one per fragment, or two per parameter set: at
/// most four bytes of difference per packet, 0.5 % of these packets.
pub fn media_bytes<'a>(streams: impl Iterator<Item = &'a StreamRecord>) -> u64 {
    streams
        .map(|stream| stream.encoded_bytes + stream.packets_sent * AROUND_PAYLOAD)
        .sum()
}

pub fn other_classes(traffic: &Traffic) -> u64 {
    traffic.rtcp_bytes
        + traffic.stun_bytes
        + traffic.turn_bytes
        + traffic.dtls_bytes
        + traffic.data_bytes
        + traffic.tcp_bytes
}

/// What a sender sends to a server: one stream of each kind, whoever receives it.
pub fn sent_by<'a>(record: &'a CellRecord, sender: &str) -> Vec<&'a StreamRecord> {
    let all = record.streams.iter();
    let mut streams: Vec<_> = all.filter(|stream| stream.sender == sender).collect();
    streams.sort_by_key(|stream| stream.kind);
    streams.dedup_by_key(|stream| stream.kind);
    streams
}

/// All that crosses a link in one direction is the media of these streams and named headers.
pub fn check_share(name: &str, traffic: &Traffic, streams: &[&StreamRecord]) {
    let predicted = media_bytes(streams.iter().copied()) + other_classes(traffic);
    let share = traffic.bytes as f64 / predicted as f64;
    assert!((0.98..=1.02).contains(&share), "{name}: {share}");
    // Sound is sent 20 ms after its capture and received 20 ms (relayed, 40 ms) later: at each end
    // of the window, up to three packets of each stream are on the other side, and all packets of a
    // frame or two.
    let packets: u64 = streams.iter().map(|stream| stream.packets_sent).sum();
    let edge = 10 * streams.len() as u64;
    assert!(traffic.rtp_packets.abs_diff(packets) <= edge, "{name}");
}

/// Both directions of a client in the window, with the streams that cross them.
fn directions<'a>(
    record: &'a CellRecord,
    client: &'a HostRecord,
) -> [(&'a Traffic, Vec<&'a StreamRecord>); 2] {
    let of = |is: &dyn Fn(&StreamRecord) -> bool| {
        let streams = record.streams.iter();
        streams.filter(|stream| is(stream)).collect::<Vec<_>>()
    };
    [
        (
            &client.window_up,
            of(&|stream| stream.sender == client.name),
        ),
        (
            &client.window_down,
            of(&|stream| stream.receiver == client.name),
        ),
    ]
}

fn check_explained(nats: &[&str]) -> CellRecord {
    let plan = call(nats);
    let (record, log) = watched(&plan);
    for client in record.hosts.iter().take(nats.len()) {
        for (traffic, streams) in directions(&record, client) {
            // Video and audio, for and from each of the others.
            assert_eq!(streams.len(), 2 * (nats.len() - 1), "{}", client.name);
            check_share(&client.name, traffic, &streams);
            assert_eq!(traffic.bytes, traffic.rtp_bytes + other_classes(traffic));
            // Headers are exact: 40 bytes on each RTP packet.
            let headers = traffic.rtp_bytes - traffic.rtp_payload_bytes;
            assert_eq!(headers, 40 * traffic.rtp_packets, "{}", client.name);
        }
    }
    check_against_tap(&plan, &record, &log);
    record
}

/// The counted bytes of every client's uplink are those of a tap of our own.
fn check_against_tap(plan: &scenarios::Plan, record: &CellRecord, log: &crate::packets::PacketLog) {
    for (index, client) in record.hosts.iter().enumerate() {
        let mut sent = log.0.iter().filter(|packet| packet.origin == index);
        let total: u64 = sent.clone().filter(|p| !p.looped).map(|p| p.wire).sum();
        assert_eq!(client.up.bytes, total, "{}", client.name);
        let in_window = sent
            .by_ref()
            .filter(|p| !p.looped && p.sent_in(window(plan)));
        assert_eq!(
            client.window_up.bytes,
            in_window.map(|packet| packet.wire).sum::<u64>(),
            "{}",
            client.name
        );
    }
}

#[test]
fn three_clients_send_two_copies_and_headers() {
    let record = check_explained(&["none", "full-cone", "port-restricted"]);
    let relayed = record.hosts.iter().map(|host| host.window_up.turn_bytes);
    assert_eq!(relayed.sum::<u64>(), 0, "everything is direct");
    assert_eq!(host(&record, "turn").window_up.rtp_packets, 0);
}

#[test]
fn four_clients_send_three_copies_and_headers() {
    check_explained(&["none", "full-cone", "port-restricted", "symmetric"]);
}

#[test]
fn six_clients_send_five_copies_and_headers() {
    check_explained(&["none"; 6]);
}

#[test]
fn sixteen_clients_send_fifteen_copies_and_headers() {
    let record = check_explained(&["none"; 16]);
    // N (N - 1) / 2 connections, seen from both ends.
    assert_eq!(record.connections.len(), 16 * 15);
    for client in &record.hosts[..16] {
        let codecs = (client.codecs.video_encoders, client.codecs.video_decoders);
        assert_eq!(codecs, (15, 15), "{}", client.name);
    }
}

/// Relaying adds a ChannelData header of four bytes (RFC 8656 section 12.4) on the leg between the
/// client and its relay, and nothing on the other. Over UDP padding to four bytes is allowed and
/// not needed (section 12.5): the stack's TURN client pads, the server does not.
#[test]
fn a_relay_adds_a_header_to_each_packet_of_its_client() {
    let plan = call(&["symmetric", "port-restricted"]);
    let (record, log) = watched(&plan);
    let turn = record.hosts.len() - 1;
    let mut added = vec![0; record.hosts.len()];
    for hops in log.rtp_hops().into_values() {
        if hops.len() < 2 {
            // It was on its way to the relay when the run ended, after the window.
            assert!(log.0[hops[0]].sent > window(&plan).1.as_nanos());
            continue;
        }
        let around = |hop: usize| log.0[hop].rtp().expect("RTP").1 as u64;
        let srtp = |hop: usize| log.0[hop].wire - 28 - around(hop);
        assert!(hops.windows(2).all(|pair| srtp(pair[0]) == srtp(pair[1])));
        let wrapped: Vec<_> = hops.iter().filter(|&&hop| around(hop) > 0).collect();
        assert_eq!(wrapped.len(), 1, "one leg is that of the relay's client");
        let hop = *wrapped[0];
        let padding = match log.0[hop].origin == turn {
            true => 0,
            false => srtp(hop).next_multiple_of(4) - srtp(hop),
        };
        assert_eq!(around(hop), 4 + padding);
        if log.0[hop].sent_in(window(&plan)) {
            added[log.0[hop].origin] += around(hop);
        }
    }
    for (host, added) in record.hosts.iter().zip(&added) {
        // RTCP is relayed too: some packets a second beside more than a hundred of media.
        let counted = host.window_up.turn_bytes;
        let range = *added..=added * 11 / 10;
        assert!(
            range.contains(&counted),
            "{}: {counted} of {added}",
            host.name
        );
    }
    assert!(added[turn] > 0);
    assert_eq!(added[..2].iter().filter(|&&bytes| bytes > 0).count(), 1);
    check_relay_balance(&record);
}

/// What a relay takes in it gives out: the same SRTP, but for what is in it at an edge.
fn check_relay_balance(record: &CellRecord) {
    let turn = host(record, "turn");
    assert_eq!(turn.window_up.rtp_packets, turn.window_down.rtp_packets);
    assert_eq!(turn.window_up.rtp_bytes, turn.window_down.rtp_bytes);
}
