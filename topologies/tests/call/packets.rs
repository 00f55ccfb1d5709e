//! Every packet of a call, by a tap of our own, with an independent model of the links.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;

use bytes::Bytes;
use sim::trace::{PacketEvent, Stage, Tap};
use sim::{Payload, Time};

use crate::support::{DELAY, NANOS_PER_BYTE};

/// One packet from its host's link to where it ended.
#[derive(Clone, Debug)]
pub struct Logged {
    /// Index of the host that sent it.
    pub origin: usize,
    /// When it was handed to the link.
    pub sent: u64,
    /// Bytes at the IP layer.
    pub wire: u64,
    /// The UDP payload; empty for TCP.
    pub data: Bytes,
    /// Whether it stayed on its host.
    pub looped: bool,
    /// The host whose downlink it crossed, and when it was over, ns.
    pub arrived: Option<(usize, u64)>,
    /// Where it came from, as it was seen there, if it was delivered.
    pub seen_from: Option<SocketAddrV4>,
}

/// An RTP packet, by what RFC 3550 section 5.1 has in its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rtp {
    pub ssrc: u32,
    pub sequence: u16,
    pub timestamp: u32,
    pub payload_type: u8,
}

/// Every packet in the order of sending.
#[derive(Debug, Default)]
pub struct PacketLog(pub Vec<Logged>);

impl Tap for PacketLog {
    fn packet(&mut self, event: &PacketEvent<'_>) {
        let packet = event.packet;
        match event.stage {
            Stage::Sent => {
                assert_eq!(event.id, self.0.len() as u64, "packets are numbered from 0");
                self.0.push(Logged {
                    origin: event.origin.index(),
                    sent: event.at.as_nanos(),
                    wire: u64::from(packet.wire_bytes()),
                    data: match &packet.payload {
                        Payload::Udp(data) => data.clone(),
                        Payload::Tcp(_) | Payload::PortUnreachable => Bytes::new(),
                    },
                    looped: packet.source.ip() == packet.destination.ip(),
                    arrived: None,
                    seen_from: None,
                });
            }
            Stage::Delivered(host) | Stage::Dropped(_, Some(host)) => {
                let arrival = (host.index(), event.at.as_nanos());
                let logged = &mut self.0[event.id as usize];
                logged.arrived = Some(arrival);
                if let Stage::Delivered(_) = event.stage {
                    logged.seen_from = Some(packet.source);
                }
            }
            Stage::Dropped(_, None) => {}
        }
    }
}

impl Logged {
    /// The RTP packet in it, and how many bytes relaying put around it.
    pub fn rtp(&self) -> Option<(Rtp, usize)> {
        // RFC 7983: 64 to 79 is ChannelData, of which RFC 8656 section 12.4 has 4 bytes.
        let data = match self.data.first()? {
            64..=79 => {
                let length = u16::from_be_bytes([*self.data.get(2)?, *self.data.get(3)?]);
                self.data.get(4..4 + usize::from(length))?
            }
            _ => &self.data[..],
        };
        // RFC 5761 section 4: packet types 192 to 223 are RTCP.
        if data.len() < 12 || data[0] >> 6 != 2 || (192..=223).contains(&data[1]) {
            return None;
        }
        let word =
            |at: usize| u32::from_be_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]]);
        let rtp = Rtp {
            ssrc: word(8),
            sequence: word(0) as u16,
            timestamp: word(4),
            payload_type: data[1] & 0x7f,
        };
        Some((rtp, self.data.len() - data.len()))
    }

    /// Whether it was handed to the link in the window.
    pub fn sent_in(&self, window: (Time, Time)) -> bool {
        (window.0.as_nanos()..window.1.as_nanos()).contains(&self.sent)
    }
}

/// First in, first out: when the last bit of each packet is through.
#[derive(Clone, Copy, Default)]
struct Fifo(u64);

impl Fifo {
    fn pass(&mut self, at: u64, wire: u64) -> u64 {
        self.0 = self.0.max(at) + wire * NANOS_PER_BYTE;
        self.0 + DELAY.as_nanos() as u64
    }
}

impl PacketLog {
    /// When each packet that arrived should have, by the closed form: on each of its two links it
    /// waits for what came before it, is serialised at 80 ns a byte, and travels for 10 ms.
    pub fn expected_arrivals(&self) -> Vec<Option<u64>> {
        let mut uplinks: BTreeMap<usize, Fifo> = BTreeMap::new();
        let mut downlinks: BTreeMap<usize, Fifo> = BTreeMap::new();
        let mut crossed = Vec::new();
        for (id, packet) in self.0.iter().enumerate() {
            if !packet.looped {
                let link = uplinks.entry(packet.origin).or_default();
                crossed.push((link.pass(packet.sent, packet.wire), id));
            }
        }
        crossed.sort_unstable();
        let mut expected = vec![None; self.0.len()];
        for (at, id) in crossed {
            let packet = &self.0[id];
            if let Some((host, _)) = packet.arrived {
                let link = downlinks.entry(host).or_default();
                expected[id] = Some(link.pass(at, packet.wire));
            }
        }
        expected
    }

    /// Every hop of every RTP packet, as indices of packets in the order of sending.
    pub fn rtp_hops(&self) -> BTreeMap<Rtp, Vec<usize>> {
        let mut hops: BTreeMap<Rtp, Vec<usize>> = BTreeMap::new();
        for (id, packet) in self.0.iter().enumerate() {
            if let Some((rtp, _)) = packet.rtp() {
                hops.entry(rtp).or_default().push(id);
            }
        }
        hops
    }
}
