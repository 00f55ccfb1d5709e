//! What the built-in comparisons say about themselves is so.

use std::fs;
use std::path::Path;

use scenarios::{Fidelity, Overrides, Plan, Topology};
use sim::Change;

fn plans(name: &str) -> Vec<Plan> {
    let scenario = scenarios::load(name).unwrap();
    scenario.resolve(&Overrides::default()).unwrap()
}

/// Topology, size and fidelity of each cell.
fn cells(name: &str) -> Vec<(Topology, usize, Fidelity)> {
    let cell = |plan: &Plan| (plan.topology, plan.participants.len(), plan.fidelity);
    plans(name).iter().map(cell).collect()
}

#[test]
fn three_way_and_large_say_how_real_their_codecs_are() {
    let all = |name, fidelity| plans(name).iter().all(|plan| plan.fidelity == fidelity);
    assert!(all("three-way", Fidelity::Codec));
    let large = plans("large");
    for plan in &large {
        let fidelity = match plan.topology {
            Topology::Mcu => Fidelity::Codec,
            _ => Fidelity::Trace,
        };
        assert_eq!(plan.fidelity, fidelity, "{}", plan.topology);
    }
}

/// At 640x360 and 30 /s 115 codecs are `codec`. Meshes of 4, 8, 12 and 16 have 24, 112, 264 and
/// 480; SFU calls 16, 64, 144 and 256; MCU calls always have them all.
#[test]
fn a_standup_has_every_codec_while_there_are_few() {
    let codec = |topology, sizes: &[usize]| -> Vec<_> {
        let size = |n: usize| match sizes.contains(&n) {
            true => (topology, n, Fidelity::Codec),
            false => (topology, n, Fidelity::Trace),
        };
        [4, 8, 12, 16].map(size).into()
    };
    let expected = [
        codec(Topology::Mesh, &[4, 8]),
        codec(Topology::Sfu, &[4, 8]),
        codec(Topology::Mcu, &[4, 8, 12, 16]),
    ];
    assert_eq!(cells("standup"), expected.concat());
}

/// The comment in the scenario: a phone of four cores has a mesh of 12, at 3.2 of them, but not
/// one of 16, at 4.4.
#[test]
fn a_phone_cannot_keep_up_with_a_mesh_of_sixteen() {
    let mesh = |plan: &&Plan| plan.topology == Topology::Mesh;
    for plan in plans("standup").iter().filter(mesh) {
        let phone = plan
            .participants
            .iter()
            .find(|peer| peer.device.label == "phone");
        let device = &phone.expect("a quarter are on phones").device;
        let (costs, video) = (plan.costs.as_ref().unwrap(), plan.video.as_ref().unwrap());
        let pixel_ns = costs.video_encode_pixel_ns + costs.video_decode_pixel_ns;
        let pixels = f64::from(video.width * video.height * video.fps);
        let others = plan.participants.len() - 1;
        let cores = others as f64 * pixels * pixel_ns * 1e-9 / device.speed;
        let expected = others as f64 * 30.0 * 0.00585 / 0.6;
        assert!(
            (cores - expected).abs() < 1e-6,
            "{cores} and not {expected}"
        );
        assert_eq!(
            cores > f64::from(device.cores),
            others == 15,
            "{cores} cores"
        );
    }
}

#[test]
fn one_speaks_at_a_webinar() {
    for plan in plans("webinar") {
        let sends: Vec<_> = plan.participants.iter().filter(|peer| peer.sends).collect();
        assert_eq!(sends.len(), 1);
        assert_eq!(sends[0].name, "speaker-1");
    }
}

#[test]
fn everybody_is_behind_a_symmetric_nat() {
    for plan in plans("all-symmetric") {
        let symmetric = plan
            .participants
            .iter()
            .all(|peer| peer.nat_label == "symmetric");
        assert!(
            symmetric,
            "{} of {}",
            plan.topology,
            plan.participants.len()
        );
    }
}

/// The lengths are those of the cases, and every buffer holds 300 ms (RFC 8867 section 4.1) at the
/// rate that comes with it.
#[test]
fn the_cases_of_rfc_8867_are_shipped() {
    let cases = [
        ("competing-flows", 120),
        ("ecn-long-tcp", 120),
        ("ecn-variable-capacity", 100),
        ("long-tcp", 120),
        ("multiple-bottlenecks", 300),
        ("pause", 120),
        ("priorities", 125),
        ("reverse-path", 100),
        ("round-trip-fairness", 300),
        ("several-flows", 125),
        ("short-tcp", 300),
        ("variable-capacity", 100),
    ];
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("rfc8867");
    assert_eq!(fs::read_dir(&directory).unwrap().count(), cases.len());
    for (case, seconds) in cases {
        let file = directory.join(format!("{case}.toml"));
        let plans = plans(file.to_str().unwrap());
        let as_it_is: Vec<_> = plans.iter().filter(|plan| plan.variant.is_none()).collect();
        let [plan] = as_it_is[..] else {
            panic!("{case}: {} plans", as_it_is.len());
        };
        assert_eq!(plan.duration.as_secs(), seconds, "{case}");
        assert!(plan.congestion.adapts(), "{case}");
        let bottleneck = &plan.participants[0];
        let up = bottleneck.link.up;
        let (mut rate, mut buffers) = (up.rate_bps, vec![(up.rate_bps, up.buffer_bytes)]);
        for change in &bottleneck.network.changes.up {
            match change.what {
                Change::Rate { to_bps, .. } => rate = to_bps,
                Change::Buffer(bytes) => buffers.push((rate, bytes)),
                _ => panic!("{case}: {change:?}"),
            }
        }
        for (rate, bytes) in buffers {
            assert_eq!(bytes.unwrap() * 8 * 10, rate.unwrap() * 3, "{case}");
        }
    }
}
