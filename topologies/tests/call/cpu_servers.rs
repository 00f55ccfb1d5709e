//! What a topology costs whose CPU, against closed forms: encoders, decoders, cores, and what
//! happens where a CPU is too slow.

use reports::record::{CellRecord, Codecs, Kind, StreamRecord};
use scenarios::{CostProfile, McuPlan, Plan, Topology};

use crate::cpu::{FPS, PIXELS, device, nothing, part, per_picture, window_s};
use crate::support::{call, host, of_kind, record};

fn plan(topology: Topology, number: usize, costs: CostProfile) -> Plan {
    let mut plan = call(&vec!["none"; number]);
    plan.topology = topology;
    plan.costs = Some(costs);
    // A grid of two by two shows four pictures as they are.
    plan.mcu = McuPlan {
        width: 320,
        height: 180,
        bitrate_bps: 600_000,
        ..McuPlan::default()
    };
    plan
}

/// So many video encoders and decoders, audio encoders and decoders.
fn codecs(counts: [u32; 4]) -> Codecs {
    let [
        video_encoders,
        video_decoders,
        audio_encoders,
        audio_decoders,
    ] = counts;
    Codecs {
        video_encoders,
        video_decoders,
        audio_encoders,
        audio_decoders,
    }
}

fn fps(record: &CellRecord, stream: &StreamRecord) -> f64 {
    stream.frames_rendered as f64 / window_s(record)
}

/// Client encoders N - 1, 1, 1 and decoders N - 1, N - 1, 1; server decoders 0, 0, N and encoders
/// 0, 0, 1, for pictures; for sound an MCU encodes for each listener.
#[test]
fn encoders_and_decoders_are_as_many_as_the_topology_needs() {
    for number in [2, 3, 4] {
        let n = number as u32;
        for (topology, client, server) in [
            (Topology::Mesh, [n - 1; 4], None),
            (Topology::Sfu, [1, n - 1, 1, n - 1], Some([0; 4])),
            (Topology::Mcu, [1, 1, 1, 1], Some([1, n, n, n])),
        ] {
            let record = record(&plan(topology, number, nothing()));
            for host in &record.hosts[..number] {
                assert_eq!(host.codecs, codecs(client), "{topology} of {number}");
            }
            if let Some(server) = server {
                let last = record.hosts.last().expect("the server is the last host");
                assert_eq!(last.codecs, codecs(server), "{topology} of {number}");
            }
        }
    }
}

#[test]
fn an_mcu_takes_as_long_as_its_work_costs() {
    let costs = CostProfile {
        video_encode_pixel_ns: 50.0,
        video_decode_pixel_ns: 20.0,
        compose_pixel_ns: 10.0,
        ..nothing()
    };
    let record = record(&plan(Topology::Mcu, 3, costs));
    // Three tiles of 14,400 pixels at 10 ns, then 57,600 at 50 ns: 0.432 + 2.88 ms.
    let (compose, encode) = (3.0 * PIXELS * 10e-9, 4.0 * PIXELS * 50e-9);
    for stream in of_kind(&record, Kind::Video) {
        let mixing = part(stream, "mcu_encode");
        assert!(
            (mixing - (compose + encode) * 1e3).abs() < 1e-5,
            "{mixing} ms"
        );
        // 14,400 pixels at 20 ns; of four cores three decode at most.
        let decode = part(stream, "mcu_decode");
        assert!((decode - PIXELS * 20e-6).abs() < 1e-5, "{decode} ms");
        assert_eq!(stream.frames_rendered, (window_s(&record) * FPS) as u64);
    }
    let server = host(&record, "mcu");
    // 30 pictures a second, and one more or less at an edge of the window.
    let expected = [
        ("compose", compose * FPS, compose),
        ("encode", encode * FPS, encode),
        ("decode", 3.0 * FPS * PIXELS * 20e-9, 3.0 * PIXELS * 20e-9),
    ];
    for (work, cores, one) in expected {
        let busy = server.cpu_cores_by_work[work];
        let slack = one / window_s(&record) + 1e-9;
        assert!((busy - cores).abs() <= slack, "{work}: {busy} of {cores}");
    }
    assert!(server.skipped.is_empty(), "{:?}", server.skipped);
}

/// A picture takes 50 ms of a tick of 33.3 ms: of three ticks (0, 33.3, 66.7 ms) the first and the
/// third are kept, 15 pictures a second, and every second tick is missed.
#[test]
fn an_mcu_that_is_too_slow_misses_ticks() {
    let costs = CostProfile {
        video_encode_pixel_ns: per_picture(50.0) / 4.0,
        ..nothing()
    };
    let mut plan = plan(Topology::Mcu, 2, costs);
    plan.servers.media = device(2, 1.0);
    // Their own encoders are as costly per pixel: 12.5 ms of a picture, on four cores.
    let record = record(&plan);
    for stream in of_kind(&record, Kind::Video) {
        let fps = fps(&record, stream);
        assert!((fps - 15.0).abs() <= 1.0 / window_s(&record), "{fps}");
    }
    let server = host(&record, "mcu");
    let missed = server.skipped["compose"] as f64;
    // Over the whole run, from when two are there (about 0.3 s) to a second after the window.
    let life = record.window_to_ms / 1e3 + 1.0;
    assert!(
        (15.0 * (life - 1.0)..=15.0 * life).contains(&missed),
        "{missed}"
    );
    let busy = server.cpu_cores_by_work["encode"];
    assert!(
        (busy - 0.75).abs() <= 0.05 / window_s(&record),
        "{busy} cores"
    );
}

/// Each packet that an SFU forwards to one receiver takes 0.5 ms. A picture has a packet or two,
/// which two of the four cores work on at once.
#[test]
fn forwarding_takes_what_it_costs() {
    let costs = CostProfile {
        packet_forward_ns: 500_000.0,
        ..nothing()
    };
    let record = record(&plan(Topology::Sfu, 2, costs));
    for stream in &record.streams {
        let forward = part(stream, "forward");
        assert!((0.5 - 1e-9..0.7).contains(&forward), "{forward} ms");
    }
}

/// 15 ms for a picture, on one core, in a call of four. In a mesh three encoders would need 1.35
/// cores: they make 66.7 pictures a second, 22.2 each. With an SFU one encoder needs 0.45 cores.
#[test]
fn a_weak_client_breaks_down_in_a_mesh_and_not_behind_an_sfu() {
    let costs = CostProfile {
        video_encode_pixel_ns: per_picture(15.0),
        ..nothing()
    };
    let weak = |topology| {
        let mut plan = plan(topology, 4, costs.clone());
        plan.participants[0].device = device(1, 1.0);
        record(&plan)
    };
    let (mesh, sfu) = (weak(Topology::Mesh), weak(Topology::Sfu));
    let from_weak = |record: &CellRecord| {
        let streams = of_kind(record, Kind::Video).filter(|stream| stream.sender == "p0");
        let all: Vec<_> = streams
            .map(|stream| {
                (
                    fps(record, stream),
                    stream.latency_us.quantile(0.5).unwrap() / 1e3,
                )
            })
            .collect();
        assert_eq!(all.len(), 3);
        all
    };
    let total: f64 = from_weak(&mesh).iter().map(|(fps, _)| fps).sum();
    assert!(
        (total - 1e3 / 15.0).abs() <= 3.0 / window_s(&mesh),
        "{total}"
    );
    for (fps, _) in from_weak(&sfu) {
        assert!((fps - FPS).abs() <= 1.0 / window_s(&sfu), "{fps}");
    }
    // Three queues of two pictures are worth 90 ms of one core, and the SFU's one has none: in
    // spite of its second path, its pictures come earlier.
    for ((_, mesh), (_, sfu)) in from_weak(&mesh).into_iter().zip(from_weak(&sfu)) {
        assert!(mesh - sfu > 50.0, "{mesh} and {sfu} ms");
    }
    let p0 = host(&mesh, "p0");
    assert!(p0.cpu_cores_mean.is_some_and(|cores| cores > 0.99));
    assert!(p0.skipped["encode"] > 0);
    assert!(!host(&sfu, "p0").skipped.contains_key("encode"));
}
