//! Data channels, against closed forms: latency, age, loss, goodput, back-pressure.

use std::time::Duration;

use reports::record::{CellRecord, DataRecord, Kind};
use scenarios::{DataKind, DataPlan, Plan, Reliability, Topology};
use sim::{LinkConfig, LossConfig, PipeConfig, Seed};

use crate::support::{DELAY, NANOS_PER_BYTE, call, cell, of_kind, record, shipped};

const ALL: [Topology; 3] = [Topology::Mesh, Topology::Sfu, Topology::Mcu];

/// Bytes around a message of one chunk: IPv4 and UDP (28), a record of DTLS 1.2 with AES-GCM (13, a
/// nonce of 8, a tag of 16; RFC 5288), the headers of SCTP and of a DATA chunk (12 and 16).
const AROUND: u64 = 28 + 37 + 12 + 16;

/// A call of so many participants with public addresses and without media.
fn data_call(topology: Topology, number: usize, data: Vec<DataPlan>) -> Plan {
    Plan {
        topology,
        video: None,
        audio: None,
        data,
        ..call(&vec!["none"; number])
    }
}

/// State of 100 bytes every 20 ms, unordered and never repaired.
fn state(sender: u16, receivers: &[u16]) -> DataPlan {
    DataPlan {
        name: "moves".to_owned(),
        kind: DataKind::State {
            interval: Duration::from_millis(20),
        },
        senders: vec![sender],
        receivers: receivers.to_vec(),
        start: Duration::from_millis(2_500),
        payload_bytes: 100,
        ordered: false,
        reliability: Reliability::Retransmits(0),
        buffer_bytes: 65_536,
    }
}

fn file(sender: u16, receivers: &[u16], bytes: u64) -> DataPlan {
    DataPlan {
        name: "file".to_owned(),
        kind: DataKind::File { bytes },
        payload_bytes: 16_384,
        ordered: true,
        reliability: Reliability::Full,
        buffer_bytes: 262_144,
        ..state(sender, receivers)
    }
}

/// A link of this rate each way, with a buffer for 100 ms, and 10 ms long.
fn link(rate_bps: u64) -> LinkConfig {
    LinkConfig::symmetric(PipeConfig {
        rate_bps: Some(rate_bps),
        buffer_bytes: Some(rate_bps / 80),
        delay: DELAY,
        ..PipeConfig::default()
    })
}

fn the<'a>(record: &'a CellRecord, workload: &str, receiver: &str) -> &'a DataRecord {
    let mut all = record.data.iter();
    all.find(|data| data.workload == workload && data.receiver == receiver)
        .unwrap_or_else(|| panic!("no {workload} for {receiver}"))
}

fn ms(of: Option<f64>) -> f64 {
    of.expect("messages arrived") / 1e3
}

/// A message of 100 bytes is a packet of 193, which takes 15.44 us on each link of 100 Mbit/s; each
/// link is 10 ms long. A mesh has two links between any two, a server four. An acknowledgement of
/// another message may come first on a link: 16 of chunk header more at most, 8.72 us.
///
/// Made every 20 ms, what the receiver knows is as old as the way when it comes, and 20 ms older
/// when the next comes: 10 ms older in the mean. The end of the window cuts one interval short.
#[test]
fn state_takes_the_path_and_is_half_an_interval_older() {
    for topology in ALL {
        let record = record(&data_call(topology, 2, vec![state(0, &[1])]));
        assert_eq!(record.warnings, Vec::<String>::new(), "{topology}");
        let moves = the(&record, "moves", "p1");
        // The window is 1.5 s long.
        assert_eq!(
            (moves.messages_sent, moves.messages_received),
            (75, 75),
            "{topology}"
        );
        assert_eq!((moves.messages_lost, moves.messages_skipped), (0, 0));
        let links = if topology == Topology::Mesh { 2.0 } else { 4.0 };
        let serialise_ms = ((100 + AROUND) * NANOS_PER_BYTE) as f64 / 1e6;
        let path = links * (10.0 + serialise_ms);
        for q in [0.0, 0.5, 1.0] {
            let latency = ms(moves.latency_us.quantile(q));
            assert!(
                (path - 0.003..=path + links * 0.009).contains(&latency),
                "{topology} {latency}"
            );
        }
        let age = moves.age_ms_mean.expect("state has an age");
        assert!(
            (age - path - 10.0).abs() < 0.3,
            "{topology}: {age} for {path}"
        );
        let peak = ms(moves.peak_age_us.mean());
        assert!(
            (peak - path - 20.0).abs() < 0.05,
            "{topology}: {peak} for {path}"
        );
        // 75 packets of 193 bytes up; down come acknowledgements, one for two packets at least.
        let up = &record.hosts[0].window_up;
        assert!(
            (75 * 193..75 * 193 + 2_000).contains(&up.data_bytes),
            "{topology}: {up:?}"
        );
        assert_eq!(up.rtp_bytes + up.dtls_bytes, 0);
    }
}

/// Each message is a packet, and each packet of the sender is lost with 5 %: of n messages
/// n x 0.05 +- 4 standard deviations, the square root of n x 0.05 x 0.95. Over the ordered channel
/// of the same connection nothing is lost, since it repairs; but that takes longer than the path.
#[test]
fn what_is_not_repaired_is_lost_as_the_link_loses() {
    for topology in [Topology::Mesh, Topology::Sfu] {
        let mut moves = state(0, &[1]);
        moves.kind = DataKind::State {
            interval: Duration::from_millis(10),
        };
        let events = DataPlan {
            name: "events".to_owned(),
            kind: DataKind::Chat {
                interval: Duration::from_millis(50),
            },
            ordered: true,
            reliability: Reliability::Full,
            ..state(0, &[1])
        };
        let mut plan = data_call(topology, 2, vec![moves, events]);
        plan.duration = Duration::from_secs(15);
        // Loss holds up the set-up, too.
        plan.warmup = Duration::from_secs(6);
        plan.data
            .iter_mut()
            .for_each(|data| data.start = plan.warmup);
        plan.participants[0].link.up.loss = LossConfig::Bernoulli { probability: 0.05 };
        let record = record(&plan);
        let moves = the(&record, "moves", "p1");
        let n = moves.messages_sent as f64;
        assert_eq!(moves.messages_sent + moves.messages_skipped, 1_500);
        let (mean, deviation) = (n * 0.05, (n * 0.05 * 0.95).sqrt());
        let off = (moves.messages_lost as f64 - mean) / deviation;
        assert!(
            off.abs() < 4.0,
            "{topology}: {} of {n} lost",
            moves.messages_lost
        );
        let events = the(&record, "events", "p1");
        // Poisson: 300 in 15 s, +- 4 standard deviations of 17.3.
        assert!(
            (231..=369).contains(&events.messages_sent),
            "{}",
            events.messages_sent
        );
        assert_eq!(events.messages_lost, 0, "{topology}");
        assert_eq!(events.messages_received, events.messages_sent);
        let links = if topology == Topology::Mesh { 2.0 } else { 4.0 };
        // A repair comes after one more round trip at least; one of 300 has surely needed it.
        assert!(
            ms(events.latency_us.quantile(1.0)) > 2.0 * links * 10.0,
            "{topology}"
        );
        assert!(
            ms(events.latency_us.quantile(0.1)) < links * 10.0 + 1.0,
            "{topology}"
        );
    }
}

/// At most 1163 of 1256 bytes of a packet are a message (1191 of SCTP in a datagram of 1256).
const MOST: f64 = 1_163.0 / 1_256.0;

/// A call of two with public addresses and symmetric links of this rate, 50 ms there and back, a
/// server being half-way. 1 % of what the sender, p0, sends is lost.
fn lossy_call(topology: Topology, rate_bps: u64, file: DataPlan) -> Plan {
    let mut plan = data_call(topology, 2, vec![file]);
    // One that loses nothing of the handshake of DTLS, after which the stack may never connect.
    plan.seed = Seed(1);
    plan.servers.link.up.delay = Duration::ZERO;
    plan.servers.link.down.delay = Duration::ZERO;
    for participant in &mut plan.participants {
        participant.link = link(rate_bps);
        participant.link.up.delay = Duration::from_micros(12_500);
        participant.link.down.delay = Duration::from_micros(12_500);
    }
    plan.participants[0].link.up.loss = LossConfig::Bernoulli { probability: 0.01 };
    plan
}

/// A message of 1,400 bytes and its chunk's header (16) fill a datagram of 1,431 bytes of SCTP: with
/// what is around it, 1,400 + 16 + 77 bytes. Of 1,191 it is two chunks, in 1,432 / 1,179 datagrams at
/// least and in two at most.
#[test]
fn datagrams_are_as_large_as_the_stack_is_told() {
    let bytes_per_message = |sctp_mtu: Option<u16>| {
        let mut file = file(0, &[1], 1_000_000);
        file.payload_bytes = 1_400;
        let mut plan = data_call(Topology::Mesh, 2, vec![file]);
        plan.stack.sctp_mtu = sctp_mtu;
        let record = record(&plan);
        let file = the(&record, "file", "p1");
        assert_eq!(file.sha256_ok, Some(true));
        record.hosts[0].window_up.data_bytes as f64 / file.messages_sent as f64
    };
    let large = bytes_per_message(Some(1_431));
    assert!((1_490.0..=1_510.0).contains(&large), "{large}");
    let usual = bytes_per_message(None);
    assert!((1_525.0..=1_590.0).contains(&usual), "{usual}");
}

/// `scenarios/data/lossy-file.toml`: 10 MB over 1 Mbit/s. The window that 1 % of loss leaves to SCTP
/// (13 packets in the mean, see below) is more than twice what fills the path, so that the file gets
/// more than 80 % of the link. Three datagrams carry a message of 4,096 bytes, 4,080 of them
/// content, each under 93 bytes of headers (IPv4 20, UDP 8, DTLS 37, SCTP 28).
#[test]
fn a_file_arrives_whole_over_a_lossy_link() {
    for plan in shipped("data/lossy-file") {
        let topology = plan.topology;
        let record = record(&plan);
        let file = the(&record, "file", "receiver-1");
        assert_eq!(file.sha256_ok, Some(true), "{topology}: {file:?}");
        // 2,451 parts of 4,080 bytes of content, the last one shorter, and the hash of 32.
        let (messages, bytes) = (2_452, 10_000_000 + 32 + 2_452 * 16);
        assert_eq!((file.messages_sent, file.bytes_sent), (messages, bytes));
        assert_eq!(
            (file.messages_received, file.bytes_received),
            (messages, bytes)
        );
        let share = file.goodput_kbps.expect("it arrived") / 1_000.0;
        let most = 4_080.0 / (4_096.0 + 3.0 * 93.0);
        assert!((0.8..=most).contains(&share), "{topology}: {share}");
        let took = file.completion_ms.expect("it is complete");
        assert!((took - 80_000.0 / share).abs() < 1.0, "{topology}: {took}");
    }
}

/// A connection whose packets are lost at random with probability p gets
/// payload / (round trip x sqrt p) x 1.22 at most, where every packet is acknowledged, or x 0.87
/// where every other one is (Mathis, Semke, Mahdavi, Ott, 1997): with messages of 1,163 bytes a
/// packet and 1 % at 50 ms 2.27 or 1.62 Mbit/s, on a link of 100. Through a server that is half-way
/// the lossy hop has half the round trip, and gets twice as much.
#[test]
fn loss_and_round_trip_limit_a_file_and_not_the_link() {
    for (topology, round_trip_s) in [(Topology::Mesh, 0.05), (Topology::Sfu, 0.025)] {
        let mut plan = lossy_call(topology, 100_000_000, file(0, &[1], 100_000_000));
        plan.duration = Duration::from_secs(10);
        let record = record(&plan);
        let file = the(&record, "file", "p1");
        assert_eq!((file.sha256_ok, file.completion_ms), (None, None));
        let scale = 8.0 * 1_163.0 / (round_trip_s * 0.01_f64.sqrt()) / 1e3;
        let constant = file.goodput_kbps.expect("parts arrived") / scale;
        assert!(
            (0.87 * 0.85..=1.22 * 1.15).contains(&constant),
            "{topology}: {constant}"
        );
    }
}

/// Everything between sender and receiver is bounded, though the sender could send 100 times what
/// the slow receiver takes: what waits in the channel of the sender and of the relay (each its
/// buffer and one message), the sender's window at the relay (1 MiB), and what the stack holds for a
/// reader that is behind (256 messages each in the channel, in the driver and in the pipeline).
#[test]
fn a_slow_receiver_slows_the_sender_and_not_the_memory_of_the_relay() {
    for topology in [Topology::Sfu, Topology::Mcu] {
        let mut file = file(0, &[1, 2], 50_000_000);
        file.payload_bytes = 2_000;
        file.buffer_bytes = 65_536;
        let mut plan = data_call(topology, 3, vec![file]);
        plan.duration = Duration::from_secs(12);
        plan.participants[1].link.down = link(1_000_000).down;
        let record = record(&plan);
        let [slow, fast] = ["p1", "p2"].map(|receiver| the(&record, "file", receiver));
        // 12 s at 1 Mbit/s, but for up to three timeouts (1, 2 and 4 s) at the end of slow start, when
        // a burst of packets is lost.
        let share = slow.goodput_kbps.expect("parts arrived") / 1_000.0;
        assert!(
            (MOST * 5.0 / 12.0..=MOST).contains(&share),
            "{topology}: {share}"
        );
        let between = slow.bytes_sent - slow.bytes_received;
        let bound = 2 * (65_536 + 2_000) + 1_048_576 + 3 * 256 * 2_000;
        assert!(between <= bound, "{topology}: {between} of {bound}");
        assert!(
            slow.buffered_bytes_max < 65_536 + 2_000,
            "{}",
            slow.buffered_bytes_max
        );
        // The slowest sets the pace: the fast receiver, whose link would have carried fifty times as
        // much, is ahead by what waits for the slow one: in the relay, and behind a gap in the slow
        // one's receive window of 1 MiB.
        let ahead = fast.bytes_received - slow.bytes_received;
        let bound = 65_536 + 2 * 2_000 + 1_048_576;
        assert!(ahead <= bound, "{topology}: {ahead} of {bound}");
    }
}

/// 500 kB at 200 kbit/s would take 20 s. The slow receiver leaves 2.5 s after the start, with what
/// it had to wait for; the other one gets the file at its own pace then.
#[test]
fn who_leaves_is_no_longer_waited_for() {
    let mut plan = data_call(Topology::Sfu, 3, vec![file(0, &[1, 2], 500_000)]);
    plan.duration = Duration::from_secs(4);
    plan.participants[1].link.down = link(200_000).down;
    plan.participants[1].leave = Some(Duration::from_secs(5));
    let record = record(&plan);
    let file = the(&record, "file", "p2");
    assert_eq!(file.sha256_ok, Some(true));
    let took = file.completion_ms.expect("complete");
    assert!((2_500.0..3_500.0).contains(&took), "{took}");
    assert_eq!(the(&record, "file", "p1").sha256_ok, None);
}

/// The file fills the buffer of the uplink, which holds 100 ms, so pictures and sound beside it wait
/// for as long in the worst case; without the file they do not wait.
#[test]
fn media_beside_a_file_waits_in_the_buffer_of_the_link() {
    let mut plan = call(&["none", "none"]);
    plan.duration = Duration::from_secs(3);
    plan.participants[0].link = link(2_000_000);
    let alone = record(&plan);
    plan.data = vec![file(0, &[1], 10_000_000)];
    let beside = record(&plan);
    let network = |record: &CellRecord| {
        let mut sounds = of_kind(record, Kind::Audio);
        let sound = sounds.find(|stream| stream.sender == "p0").expect("sound");
        sound.latency_parts_ms["network"]
    };
    let (alone, waited) = (network(&alone), network(&beside) - network(&alone));
    assert!((20.0..23.0).contains(&alone), "{alone}");
    assert!((10.0..=101.0).contains(&waited), "{waited}");
    let file = the(&beside, "file", "p1");
    // What pictures and sound leave goes to the file, but for a timeout (1 s of 3) at the end of slow
    // start, when a burst of packets is lost.
    let rest = 2_000.0 - 8.0 * beside.hosts[0].window_up.rtp_bytes as f64 / 3_000.0;
    let share = file.goodput_kbps.expect("parts arrived") / rest;
    assert!((MOST / 2.0..=MOST).contains(&share), "{share}");
}

/// The stack picks among what is ready by a counter of the process: so two runs side by side would
/// differ if two things were ever ready at once.
#[test]
fn data_through_a_server_replays_to_the_byte_beside_another_run() {
    let mut chat = state(2, &[0, 1, 2]);
    chat.name = "chat".to_owned();
    chat.kind = DataKind::Chat {
        interval: Duration::from_millis(200),
    };
    let data = vec![file(0, &[1, 2], 300_000), state(1, &[0, 2]), chat];
    let mut plan = data_call(Topology::Sfu, 3, data);
    plan.participants[0].link.up = link(3_000_000).up;
    plan.participants[0].link.up.loss = LossConfig::Bernoulli { probability: 0.02 };
    let run = || {
        let output = cell(&plan, true);
        (
            serde_json::to_vec(&output.record).expect("records serialise"),
            output.pcap,
        )
    };
    let first = run();
    let (second, third) = std::thread::scope(|scope| {
        let both = (scope.spawn(run), scope.spawn(run));
        (both.0.join().expect("ran"), both.1.join().expect("ran"))
    });
    assert!(first == second && first == third);
    let record: CellRecord = serde_json::from_slice(&first.0).expect("a record");
    assert_eq!(the(&record, "file", "p2").sha256_ok, Some(true));
    assert!(record.data.iter().all(|data| data.messages_received > 0));
}
