//! A cell made by hand for tests: three participants, of which a and b connect directly, a and c
//! by relay, and b and c not at all. Each test derives its figures from the numbers here.

use std::collections::BTreeMap;

use crate::record::*;
use crate::run::{Grid, Provenance, Run, Source};

/// A run with these cells.
pub(crate) fn run(cells: Vec<CellRecord>) -> Run {
    let scenario = Source {
        name: "trio".into(),
        hash: "5ce7".into(),
        text: "name = \"trio\"\n".into(),
    };
    let grid = Grid {
        topologies: vec!["mesh".into()],
        participants: vec![3],
        seeds: vec![7],
    };
    Run::new(scenario, grid, "rtclab run trio --seed 7".into(), cells)
}

/// Where such a run might have come from.
pub(crate) fn provenance() -> Provenance {
    Provenance {
        program: "rtclab 0.0.0".into(),
        profile: "release".into(),
        target: "x86_64-linux".into(),
        host_os: "linux 6.1".into(),
        cpu_model: None,
        cpus: 2,
        started: "2026-01-02T03:04:05Z".into(),
        command_line: vec!["rtclab".into(), "run".into(), "trio".into()],
        wall_s: 1.5,
    }
}

/// Window of 10 s, from 2 s to 12 s.
pub(crate) fn cell() -> CellRecord {
    CellRecord {
        scenario: "trio".into(),
        topology: "mesh".into(),
        participants: 3,
        seed: 7,
        fidelity: "codec".into(),
        cost_profile: Some("reference".into()),
        stack: "tuned".into(),
        stack_settings: BTreeMap::from([("trickle".into(), "false".into())]),
        window_from_ms: 2_000.0,
        window_to_ms: 12_000.0,
        hosts: vec![
            host("a", Role::Client, 1_250_000, 125_000, Some(0.5)),
            host("b", Role::Client, 2_500_000, 250_000, Some(1.5)),
            host("c", Role::Client, 0, 375_000, None),
            host("signaling", Role::Signaling, 10, 20, None),
            host("turn", Role::Turn, 612_500, 625_000, None),
        ],
        connections: connections(),
        streams: streams(),
        data: data(),
        timeline: vec![TimelineRecord {
            second: 3,
            host: "a".into(),
            up_kbps: 1_000.5,
            down_kbps: 100.0,
            up_capacity_kbps: Some(1_200.0),
            down_capacity_kbps: Some(6_000.0),
            estimate_kbps: Some(910.5),
            target_kbps: Some(800.0),
            frames_rendered: 60,
            frozen_ms: Some(250.0),
            video_latency_ms_mean: None,
        }],
        flows: vec![flow(("a", "b"), 3..4, (900.5, 110, 2), 20)],
        prices: Some(Prices {
            currency: "EUR".into(),
            egress_per_gb: 0.10,
            relay_per_gb: 0.40,
            vcpu_hour: 0.05,
        }),
        packets: PacketsRecord {
            sent: 10,
            delivered: 7,
            dropped: BTreeMap::from([("buffer-full".into(), 2)]),
            in_flight: 1,
        },
        signaling_bytes: 4_321,
        digest: "0f1e".into(),
        warnings: vec!["3.2 s: b: ICE failed".into()],
    }
}

/// A flow that is the same in each of these seconds: kbps, packets sent and lost, ms in queues.
pub(crate) fn flow(
    (sender, receiver): (&str, &str),
    seconds: std::ops::Range<u32>,
    (received_kbps, packets_sent, packets_lost): (f64, u64, u64),
    queue_ms: u64,
) -> FlowRecord {
    let second = |second| FlowSecond {
        second,
        packets_sent,
        packets_lost,
        packets_marked: packets_sent / 5,
        received_kbps,
        queue_ms: std::iter::repeat_n(queue_ms, packets_sent as usize).collect(),
    };
    FlowRecord {
        sender: sender.into(),
        receiver: receiver.into(),
        seconds: seconds.map(second).collect(),
    }
}

fn host(
    name: &str,
    role: Role,
    up_bytes: u64,
    down_bytes: u64,
    cpu_cores_mean: Option<f64>,
) -> HostRecord {
    let traffic = |bytes| Traffic {
        bytes,
        packets: bytes / 1_000,
        ..Traffic::default()
    };
    HostRecord {
        name: name.into(),
        role,
        group: (role == Role::Client).then(|| "home".into()),
        nat: "port-restricted".into(),
        link: "cable".into(),
        link_up_kbps: Some(10_000.0),
        link_down_kbps: Some(100_000.0),
        up: traffic(2 * up_bytes),
        down: traffic(2 * down_bytes),
        window_up: traffic(up_bytes),
        window_down: traffic(down_bytes),
        device: "laptop".into(),
        cores: Some(4),
        cpu_cores_mean,
        cpu_cores_by_work: cpu_cores_mean
            .map(|cores| ("encode".to_owned(), cores))
            .into_iter()
            .collect(),
        skipped: BTreeMap::new(),
        codecs: Codecs::default(),
    }
}

fn connections() -> Vec<ConnectionRecord> {
    vec![
        connection("a", "b", Some(("direct", "srflx", "host")), 400.0),
        connection("b", "a", Some(("direct", "host", "srflx")), 420.0),
        connection("a", "c", Some(("relay", "srflx", "relay")), 900.0),
        connection("c", "a", Some(("relay", "relay", "srflx")), 1_000.0),
        connection("b", "c", None, 0.0),
        connection("c", "b", None, 0.0),
    ]
}

/// One end: the path with the types of the local and remote candidates, or a failure; a tenth of
/// the set-up each is signalling and gathering, half is ICE, the rest DTLS.
pub(crate) fn connection(
    local: &str,
    remote: &str,
    connected: Option<(&str, &str, &str)>,
    setup_ms: f64,
) -> ConnectionRecord {
    ConnectionRecord {
        local: local.into(),
        remote: remote.into(),
        connected: connected.is_some(),
        path: connected.map(|(path, _, _)| path.into()),
        local_candidate: connected.map(|(_, local, _)| local.into()),
        remote_candidate: connected.map(|(_, _, remote)| remote.into()),
        phases: match connected {
            None => Phases {
                signaling_ms: Some(77.0),
                ..Phases::default()
            },
            Some(_) => Phases {
                signaling_ms: Some(0.1 * setup_ms),
                gathering_ms: Some(0.1 * setup_ms),
                ice_ms: Some(0.5 * setup_ms),
                dtls_ms: Some(0.3 * setup_ms),
                setup_ms: Some(setup_ms),
            },
        },
        transport: connected.map(|_| "udp".into()),
    }
}

/// A file from a to b and c, of which c has got half; and state from b to a, of which a tenth was
/// lost.
fn data() -> Vec<DataRecord> {
    let file = DataRecord {
        workload: "slides".into(),
        kind: DataKind::File,
        sender: "a".into(),
        receiver: "b".into(),
        ordered: true,
        max_retransmits: None,
        max_lifetime_ms: None,
        messages_sent: 100,
        bytes_sent: 1_600_000,
        messages_skipped: 0,
        messages_left_out: 0,
        messages_received: 100,
        bytes_received: 1_600_000,
        messages_lost: 0,
        goodput_kbps: Some(3_200.0),
        completion_ms: Some(4_000.0),
        sha256_ok: Some(true),
        latency_us: std::iter::repeat_n(12_000, 100).collect(),
        age_ms_mean: None,
        peak_age_us: Default::default(),
        buffered_bytes_max: 262_144,
    };
    let half = DataRecord {
        receiver: "c".into(),
        messages_received: 50,
        bytes_received: 800_000,
        messages_lost: 50,
        goodput_kbps: Some(1_600.0),
        completion_ms: None,
        sha256_ok: None,
        latency_us: std::iter::repeat_n(16_000, 50).collect(),
        ..file.clone()
    };
    let state = DataRecord {
        workload: "moves".into(),
        kind: DataKind::State,
        sender: "b".into(),
        receiver: "a".into(),
        ordered: false,
        max_retransmits: Some(0),
        messages_received: 90,
        bytes_received: 9_000,
        bytes_sent: 10_000,
        messages_lost: 10,
        goodput_kbps: Some(6.0),
        completion_ms: None,
        sha256_ok: None,
        latency_us: std::iter::repeat_n(8_000, 90).collect(),
        age_ms_mean: Some(10.5),
        peak_age_us: std::iter::repeat_n(13_000, 89).collect(),
        buffered_bytes_max: 200,
        ..file.clone()
    };
    vec![file, half, state]
}

fn streams() -> Vec<StreamRecord> {
    let lost = stream("b", "c", Kind::Video, &[], 0);
    vec![
        StreamRecord {
            first_frame_ms: Some(500.0),
            psnr_db_mean: Some(40.0),
            ssim_mean: Some(0.98),
            latency_parts_ms: BTreeMap::from([("network".into(), 6.5), ("decode".into(), 1.5)]),
            ..stream("a", "b", Kind::Video, &[(8_000, 10)], 300)
        },
        StreamRecord {
            first_frame_ms: Some(520.0),
            psnr_db_mean: Some(40.0),
            ssim_mean: Some(0.98),
            ..stream("b", "a", Kind::Video, &[(9_000, 10)], 300)
        },
        StreamRecord {
            first_frame_ms: Some(1_200.0),
            psnr_db_mean: Some(36.0),
            ssim_mean: Some(0.95),
            ..stream("a", "c", Kind::Video, &[(12_000, 17)], 270)
        },
        StreamRecord {
            first_frame_ms: Some(1_300.0),
            psnr_db_mean: Some(30.0),
            ssim_mean: Some(0.90),
            freezes: 2,
            freeze_ms: 3_000.0,
            ..stream("c", "a", Kind::Video, &[(15_000, 2), (16_000, 1)], 150)
        },
        StreamRecord {
            sender: "c".into(),
            receiver: "b".into(),
            ..lost.clone()
        },
        lost,
        stream("a", "b", Kind::Audio, &[(5_000, 18), (7_000, 2)], 500),
    ]
}

fn stream(
    sender: &str,
    receiver: &str,
    kind: Kind,
    latencies_us: &[(u64, usize)],
    frames: u64,
) -> StreamRecord {
    let samples = latencies_us
        .iter()
        .flat_map(|&(us, n)| std::iter::repeat_n(us, n));
    StreamRecord {
        sender: sender.into(),
        receiver: receiver.into(),
        kind,
        path: (frames > 0).then(|| "direct".into()),
        local_candidate: None,
        remote_candidate: None,
        frames_sent: frames,
        frames_received: frames,
        frames_rendered: frames,
        packets_sent: 2 * frames,
        packets_received: 2 * frames,
        encoded_bytes: 1_000 * frames,
        first_frame_ms: None,
        latency_us: samples.collect(),
        latency_parts_ms: BTreeMap::new(),
        interval_us: Default::default(),
        freezes: 0,
        freeze_ms: 0.0,
        psnr_db_mean: None,
        ssim_mean: None,
        width_px_mean: None,
        plis: 0,
        keyframes: 1,
        transport: (frames > 0).then(|| "udp".into()),
        interruptions: Vec::new(),
        repair: None,
    }
}

/// Made-up noise, the same every time: SplitMix64, and normal deviates by Box and Muller.
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    /// Between 0 and 1, neither included.
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 + f64::EPSILON / 4.0
    }

    /// Of mean 0 and standard deviation 1.
    pub(crate) fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.uniform(), self.uniform());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }
}
