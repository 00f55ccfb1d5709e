//! Captures that Wireshark opens: one interface per host, nanosecond time stamps.

use std::borrow::Cow;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use etherparse::icmpv4::DestUnreachableHeader;
use etherparse::{Icmpv4Type, IpEcn, IpHeaders, Ipv4Extensions, Ipv4Header, PacketBuilder};
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::{DataLink, PcapError};

use super::{PacketEvent, Stage, Tap};
use crate::ecn::Ecn;
use crate::kernel::HostId;
use crate::packet::{Packet, Payload};

/// IP time to live that captures show; nothing in the world counts it down.
const TTL: u8 = 64;

/// Records each packet where it was sent and where it was delivered, as those hosts saw it.
pub struct Capture {
    writer: SharedWriter,
    epoch: Duration,
}

/// Takes the finished file out of a [`Capture`] that the network owns.
pub struct CaptureHandle(SharedWriter);

type SharedWriter = Arc<Mutex<PcapNgWriter<Vec<u8>>>>;

impl Capture {
    /// Starts a capture with one interface per host, in the order of `hosts`; time stamps are
    /// `epoch` (since 1970) plus virtual time.
    ///
    /// # Errors
    ///
    /// If the headers cannot be encoded.
    pub fn new<'a>(
        epoch: Duration,
        hosts: impl Iterator<Item = (HostId, &'a str)>,
    ) -> Result<(Self, CaptureHandle), PcapError> {
        let mut writer = PcapNgWriter::new(Vec::new())?;
        for (_, name) in hosts {
            writer.write_pcapng_block(InterfaceDescriptionBlock {
                linktype: DataLink::IPV4,
                snaplen: 0,
                options: vec![
                    InterfaceDescriptionOption::IfName(Cow::Borrowed(name)),
                    // 10^-9 s (draft-ietf-opsawg-pcapng section 4.2, if_tsresol).
                    InterfaceDescriptionOption::IfTsResol(9),
                ],
            })?;
        }
        let writer = Arc::new(Mutex::new(writer));
        let handle = CaptureHandle(Arc::clone(&writer));
        Ok((Capture { writer, epoch }, handle))
    }
}

impl Tap for Capture {
    fn packet(&mut self, event: &PacketEvent<'_>) {
        let host = match event.stage {
            Stage::Sent => event.origin,
            Stage::Delivered(host) => host,
            Stage::Dropped(..) => return,
        };
        let data = to_bytes(event.packet);
        let block = EnhancedPacketBlock {
            interface_id: host.index() as u32,
            timestamp: self.epoch + event.at.since_start(),
            original_len: data.len() as u32,
            data: Cow::Owned(data),
            options: Vec::new(),
        };
        self.writer
            .lock()
            .expect("no thread panicked while capturing")
            .write_pcapng_block(block)
            .expect("every host has an interface and memory takes every block");
    }
}

impl CaptureHandle {
    /// The capture so far, as the bytes of a pcapng file.
    pub fn bytes(&self) -> Vec<u8> {
        let writer = self.0.lock().expect("no thread panicked while capturing");
        writer.get_ref().clone()
    }
}

/// What an ICMP error quotes: the headers of the datagram that it is about, as if that had been
/// empty, since the error does not know what was in it.
fn refused(error: &Packet) -> Vec<u8> {
    let (source, destination) = (error.destination, error.source);
    let builder = PacketBuilder::ipv4(source.ip().octets(), destination.ip().octets(), TTL)
        .udp(source.port(), destination.port());
    let mut bytes = Vec::new();
    let written = builder.write(&mut bytes, &[]);
    written.expect("an empty datagram fits into an IPv4 packet");
    bytes
}

/// The ECN field as the encoder has it.
fn codepoint(ecn: Ecn) -> IpEcn {
    match ecn {
        Ecn::NotEct => IpEcn::NotEct,
        Ecn::Ect1 => IpEcn::Ect1,
        Ecn::Ect0 => IpEcn::Ect0,
        Ecn::Ce => IpEcn::CongestionExperienced,
    }
}

/// The packet as it would be on the wire, in one piece: IPv4 and transport headers with their checksums.
fn to_bytes(packet: &Packet) -> Vec<u8> {
    let (source, destination) = (packet.source, packet.destination);
    let header = Ipv4Header {
        ecn: codepoint(packet.ecn),
        time_to_live: TTL,
        source: source.ip().octets(),
        destination: destination.ip().octets(),
        ..Ipv4Header::default()
    };
    let builder = PacketBuilder::ip(IpHeaders::Ipv4(header, Ipv4Extensions::default()));
    let mut bytes = Vec::with_capacity(packet.wire_bytes() as usize);
    let written = match &packet.payload {
        Payload::Udp(data) => builder
            .udp(source.port(), destination.port())
            .write(&mut bytes, data),
        Payload::PortUnreachable => {
            let port = Icmpv4Type::DestinationUnreachable(DestUnreachableHeader::Port);
            builder.icmpv4(port).write(&mut bytes, &refused(packet))
        }
        Payload::Tcp(segment) => {
            let mut tcp = builder.tcp(
                source.port(),
                destination.port(),
                segment.seq,
                segment.window,
            );
            if segment.flags.syn {
                tcp = tcp.syn();
            }
            if segment.flags.fin {
                tcp = tcp.fin();
            }
            if segment.flags.rst {
                tcp = tcp.rst();
            }
            if segment.flags.psh {
                tcp = tcp.psh();
            }
            if segment.flags.ack {
                tcp = tcp.ack(segment.ack);
            }
            tcp.write(&mut bytes, &segment.payload)
        }
    };
    written.expect("packets of the world fit into an IPv4 packet");
    bytes
}
