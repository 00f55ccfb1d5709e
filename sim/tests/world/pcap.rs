//! A capture is a valid pcapng file that says what was on the wire.

use std::future::poll_fn;
use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use etherparse::{NetSlice, SlicedPacket, TransportSlice};
use pcap_file::DataLink;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::{Block, PcapNgReader};
use sim::entropy::EPOCH;
use sim::host::tcp::{TcpListener, TcpStream};
use sim::trace::pcapng::{Capture, CaptureHandle};
use sim::trace::{PacketEvent, Stage, Tap};
use sim::{
    Behavior, Ecn, HostId, LinkConfig, Packet, Payload, Seed, SimRuntime, Simulation, Time,
    simulate,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use webrtc::runtime::{AsyncUdpSocket, EcnCodepoint, Transmit};

use crate::fixture::{delay, endpoint, host, host_on, nat, spawn};

const ALICE: &str = "alice";
const BOB: &str = "bob";
const BOB_ADDRESS: [u8; 4] = [198, 51, 100, 1];
const EXTERNAL: [u8; 4] = [203, 0, 113, 1];
/// No protocol of Wireshark has it.
const PORT: u16 = 40_000;

/// A packet as the world had it: when, at which host, and the packet itself.
type Seen = (Time, HostId, Packet);

/// Keeps what a capture should show: packets where they are sent and where they are delivered.
#[derive(Default)]
struct Witness(Vec<Seen>);

impl Tap for Witness {
    fn packet(&mut self, event: &PacketEvent<'_>) {
        let host = match event.stage {
            Stage::Sent => event.origin,
            Stage::Delivered(host) => host,
            Stage::Dropped(..) => return,
        };
        self.0.push((event.at, host, event.packet.clone()));
    }
}

/// The bytes of a capture of UDP and TCP through a NAT, and what it should show.
fn captured() -> (Vec<u8>, Vec<Seen>) {
    simulate(Seed(1), |mut world| {
        let (alice, bob) = hosts(&mut world);
        let witness = Arc::new(Mutex::new(Witness::default()));
        let capture: CaptureHandle = world.network(|network| {
            network.add_tap(Box::new(Arc::clone(&witness)));
            let (tap, handle) = Capture::new(EPOCH, network.hosts()).unwrap();
            network.add_tap(Box::new(tap));
            handle
        });
        spawn(&bob.clone(), answer_datagrams(bob.clone()));
        spawn(&bob.clone(), answer_stream(bob));
        spawn(&alice.clone(), send_datagrams(alice.clone()));
        spawn(&alice.clone(), send_stream(alice));
        world.run_until(Time::from_millis(5_000));
        world.finish();
        let seen = std::mem::take(&mut witness.lock().unwrap().0);
        (capture.bytes(), seen)
    })
}

/// Alice behind a NAT, on a link whose delay is no whole microsecond, and Bob.
fn hosts(world: &mut Simulation) -> (SimRuntime, SimRuntime) {
    let translated = nat(Behavior::AddressDependent, Behavior::AddressDependent);
    let gateway = world
        .add_gateway(translated, EXTERNAL.into(), None)
        .unwrap();
    let alice = world.add_host(host(ALICE, [10, 0, 0, 2], Some(gateway)));
    let link = LinkConfig::symmetric(delay(Duration::from_nanos(7_123_457)));
    let bob = world.add_host(host_on(BOB, BOB_ADDRESS, link));
    (world.runtime(alice.unwrap()), world.runtime(bob.unwrap()))
}

async fn answer_datagrams(bob: SimRuntime) {
    let socket = bob.bind_udp(PORT).unwrap();
    let mut buffer = [0; 1_500];
    loop {
        let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
        socket.send_to(&buffer[..length / 2], from).await.unwrap();
    }
}

/// Even and odd lengths, none, and one that makes a UDP checksum of a whole MTU; with all values of
/// the ECN field.
async fn send_datagrams(alice: SimRuntime) {
    let socket = alice.bind_udp(PORT).unwrap();
    let fields = [None, Some(0b01), Some(0b10), Some(0b11), None];
    for (length, field) in [0, 1, 2, 333, 1_472].into_iter().zip(fields) {
        let data: Vec<u8> = (0..length).map(|index| (index * 7) as u8).collect();
        let target = endpoint(BOB_ADDRESS, PORT).into();
        let transmit = Transmit {
            destination: target,
            ecn: field.and_then(EcnCodepoint::from_bits),
            contents: &data,
            segment_size: None,
            src_ip: None,
        };
        let sent = poll_fn(|cx| socket.poll_send(cx, &transmit)).await;
        assert_eq!(sent.unwrap(), length);
    }
    // Nobody has this port: sent, and never delivered.
    let target = endpoint(BOB_ADDRESS, PORT + 1).into();
    socket.send_to(b"lost", target).await.unwrap();
    // The mapping of a socket outlives it; the answers are read by this one.
    let mut buffer = [0; 1_500];
    loop {
        socket.recv_from(&mut buffer).await.unwrap();
    }
}

async fn answer_stream(bob: SimRuntime) {
    let listener = TcpListener::bind(&bob, PORT).await.unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut data = Vec::new();
    stream.read_to_end(&mut data).await.unwrap();
    stream.write_all(&data).await.unwrap();
}

async fn send_stream(alice: SimRuntime) {
    let target = endpoint(BOB_ADDRESS, PORT);
    let mut stream = TcpStream::connect(&alice, target).await.unwrap();
    stream.write_all(&[0xa5; 10_001]).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut data = Vec::new();
    stream.read_to_end(&mut data).await.unwrap();
    assert_eq!(data.len(), 10_001);
    assert!(
        TcpStream::connect(&alice, endpoint(BOB_ADDRESS, 9))
            .await
            .is_err()
    );
}

/// The interfaces and packets of a file.
#[allow(clippy::type_complexity)]
fn parse(
    file: &[u8],
) -> (
    Vec<InterfaceDescriptionBlock<'static>>,
    Vec<EnhancedPacketBlock<'static>>,
) {
    let mut reader = PcapNgReader::new(file).unwrap();
    let mut packets = Vec::new();
    while let Some(block) = reader.next_block() {
        if let Block::EnhancedPacket(packet) = block.unwrap() {
            packets.push(packet.into_owned());
        }
    }
    (reader.interfaces().to_vec(), packets)
}

#[test]
fn there_is_an_interface_per_host_with_nanosecond_time_stamps() {
    let (file, _) = captured();
    let (interfaces, _) = parse(&file);
    let described: Vec<_> = interfaces
        .iter()
        .map(|interface| {
            assert_eq!(interface.linktype, DataLink::IPV4);
            let nanoseconds = InterfaceDescriptionOption::IfTsResol(9);
            assert!(interface.options.contains(&nanoseconds));
            interface.options.iter().find_map(|option| match option {
                InterfaceDescriptionOption::IfName(name) => Some(name.to_string()),
                _ => None,
            })
        })
        .collect();
    assert_eq!(described, [Some(ALICE.into()), Some(BOB.into())]);
}

#[test]
fn every_packet_is_there_as_its_host_saw_it() {
    let (file, seen) = captured();
    let (_, packets) = parse(&file);
    // Five datagrams and their answers, each sent and delivered, and one that is sent alone: 21
    // are UDP. Of TCP there are at least SYN, SYN-ACK, ACK, seven segments of 1,460 bytes each
    // way and two FINs, twice each.
    let udp = |(_, _, packet): &&Seen| matches!(packet.payload, Payload::Udp(_));
    assert_eq!(seen.iter().filter(udp).count(), 21);
    assert!(seen.len() >= 21 + 2 * (3 + 14 + 2));
    // Those of 1, 2 and 333 bytes have an ECN field, where they are sent and where they arrive.
    let fields: Vec<_> = seen.iter().map(|(_, _, packet)| packet.ecn).collect();
    let count = |field| fields.iter().filter(|it| **it == field).count();
    assert_eq!([Ecn::Ect1, Ecn::Ect0, Ecn::Ce].map(count), [2; 3]);
    assert_eq!(packets.len(), seen.len());
    for (captured, (at, host, packet)) in packets.iter().zip(&seen) {
        assert_eq!(captured.timestamp, EPOCH + at.since_start());
        assert_eq!(captured.interface_id as usize, host.index());
        assert_eq!(captured.original_len, packet.wire_bytes());
        assert_eq!(captured.data.len() as u32, packet.wire_bytes());
        check_headers(&captured.data, packet);
    }
}

/// Compares the headers of a captured packet with the packet, and its checksums with its bytes.
fn check_headers(bytes: &[u8], packet: &Packet) {
    let sliced = SlicedPacket::from_ip(bytes).unwrap();
    let Some(NetSlice::Ipv4(ip)) = sliced.net else {
        panic!("no IPv4 header");
    };
    let header = ip.header().to_header();
    assert_eq!(header.source, packet.source.ip().octets());
    assert_eq!(header.destination, packet.destination.ip().octets());
    assert_eq!(u32::from(header.total_len), packet.wire_bytes());
    assert_eq!(header.header_checksum, header.calc_header_checksum());
    // The two low bits of the second byte (RFC 3168 section 5); the others are DSCP.
    let field = match packet.ecn {
        Ecn::NotEct => 0b00,
        Ecn::Ect1 => 0b01,
        Ecn::Ect0 => 0b10,
        Ecn::Ce => 0b11,
    };
    assert_eq!(bytes[1], field);
    let ports = match (sliced.transport, &packet.payload) {
        (Some(TransportSlice::Udp(udp)), Payload::Udp(data)) => {
            assert_eq!(udp.payload(), &data[..]);
            let header = udp.to_header();
            let checksum = header.calc_checksum_ipv4_raw(ip_source(bytes), ip_target(bytes), data);
            assert_eq!(header.checksum, checksum.unwrap());
            (header.source_port, header.destination_port)
        }
        (Some(TransportSlice::Tcp(tcp)), Payload::Tcp(segment)) => {
            assert_eq!(tcp.payload(), &segment.payload[..]);
            let header = tcp.to_header();
            let flags = &segment.flags;
            assert_eq!(
                (header.syn, header.ack, header.fin, header.rst, header.psh),
                (flags.syn, flags.ack, flags.fin, flags.rst, flags.psh)
            );
            assert_eq!(header.sequence_number, segment.seq);
            assert_eq!(header.acknowledgment_number, segment.ack);
            assert_eq!(header.window_size, segment.window);
            let checksum =
                header.calc_checksum_ipv4_raw(ip_source(bytes), ip_target(bytes), tcp.payload());
            assert_eq!(header.checksum, checksum.unwrap());
            (header.source_port, header.destination_port)
        }
        (transport, payload) => panic!("{transport:?} for {payload:?}"),
    };
    assert_eq!(ports, (packet.source.port(), packet.destination.port()));
}

/// Bytes 12 to 15 of an IPv4 header (RFC 791).
fn ip_source(bytes: &[u8]) -> [u8; 4] {
    bytes[12..16].try_into().unwrap()
}

/// Bytes 16 to 19 of an IPv4 header (RFC 791).
fn ip_target(bytes: &[u8]) -> [u8; 4] {
    bytes[16..20].try_into().unwrap()
}

#[test]
fn each_side_of_a_nat_shows_its_own_addresses() {
    // Alice sends from her own address and Bob receives from the NAT's; back likewise.
    let (_, seen) = captured();
    let sources = |host: usize, from_alice: bool| {
        let address = |packet: &Packet| match from_alice {
            true => *packet.source.ip(),
            false => *packet.destination.ip(),
        };
        let bob = std::net::Ipv4Addr::from(BOB_ADDRESS);
        let of = |seen: &&Seen| {
            let to_bob = *seen.2.destination.ip() == bob;
            seen.1.index() == host && to_bob == from_alice
        };
        let mut addresses: Vec<_> = seen
            .iter()
            .filter(of)
            .map(|seen| address(&seen.2))
            .collect();
        addresses.sort();
        addresses.dedup();
        addresses
    };
    let (inside, outside): (std::net::Ipv4Addr, std::net::Ipv4Addr) =
        ([10, 0, 0, 2].into(), EXTERNAL.into());
    for from_alice in [true, false] {
        assert_eq!(sources(0, from_alice), [inside]);
        assert_eq!(sources(1, from_alice), [outside]);
    }
}

#[test]
fn wireshark_reads_it_without_complaint() {
    let (file, seen) = captured();
    let Some(lines) = tshark(&file) else {
        eprintln!("tshark is not on the PATH: captures were not shown to Wireshark");
        return;
    };
    assert_eq!(lines.len(), seen.len());
    for (line, (at, host, packet)) in lines.iter().zip(&seen) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [time, interface, ip, udp, tcp, malformed] = fields[..] else {
            panic!("{line}");
        };
        let time_stamp = EPOCH + at.since_start();
        let expected = format!("{}.{:09}", time_stamp.as_secs(), time_stamp.subsec_nanos());
        assert_eq!(time, expected);
        assert_eq!(interface, [ALICE, BOB][host.index()]);
        // "1" is a good checksum.
        let transport = match packet.payload {
            Payload::Udp(_) => ("1", ""),
            Payload::Tcp(_) => ("", "1"),
            Payload::PortUnreachable => unreachable!("nobody sends to a closed port"),
        };
        assert_eq!((ip, (udp, tcp), malformed), ("1", transport, ""), "{line}");
    }
}

/// What tshark says of each packet; `None` if there is no tshark.
fn tshark(file: &[u8]) -> Option<Vec<String>> {
    let checks = [
        "ip.check_checksum",
        "udp.check_checksum",
        "tcp.check_checksum",
    ];
    let fields = [
        "frame.time_epoch",
        "frame.interface_name",
        "ip.checksum.status",
        "udp.checksum.status",
        "tcp.checksum.status",
        "_ws.malformed",
    ];
    let mut command = Command::new("tshark");
    command.args(["-n", "-r", "-", "-T", "fields"]);
    for check in checks {
        command.args(["-o", &format!("{check}:TRUE")]);
    }
    for field in fields {
        command.args(["-e", field]);
    }
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        child => child.unwrap(),
    };
    child.stdin.take().unwrap().write_all(file).unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(str::to_owned).collect())
}
