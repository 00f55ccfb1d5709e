//! What repairs losses, each part by itself against a closed form, and all of them together.

use std::time::Duration;

use reports::record::{CellRecord, Kind, RepairRecord, StreamRecord};
use scenarios::{CongestionControl, Plan, Playout, RepairPlan, Topology};
use sim::{JitterConfig, LossConfig};

use crate::support::{call, of_kind, record};

/// Nothing is repaired.
fn none() -> RepairPlan {
    RepairPlan {
        nack: false,
        pli: false,
        ..RepairPlan::default()
    }
}

/// Everything is.
pub fn all() -> RepairPlan {
    RepairPlan {
        rtx: true,
        flexfec: Some(5),
        keyframe_interval: Some(Duration::from_secs(1)),
        opus_fec: true,
        playout: Playout::Adaptive,
        ..RepairPlan::default()
    }
}

/// Two participants, of whom the second one loses this share of what it is sent.
fn lossy(probability: f64, repair: RepairPlan) -> Plan {
    let mut plan = call(&["none", "none"]);
    plan.participants[1].link.down.loss = LossConfig::Bernoulli { probability };
    plan.repair = repair;
    plan
}

/// The same with sound alone, for 20 s: 1,000 packets.
fn lossy_sound(probability: f64, repair: RepairPlan) -> Plan {
    let mut plan = lossy(probability, repair);
    plan.video = None;
    plan.duration = Duration::from_secs(20);
    plan
}

/// The same with pictures alone, for 10 s.
fn lossy_pictures(probability: f64, repair: RepairPlan) -> Plan {
    let mut plan = lossy(probability, repair);
    plan.audio = None;
    plan.duration = Duration::from_secs(10);
    plan.video.as_mut().expect("has video").playout_delay = Duration::from_millis(300);
    plan
}

/// What the second participant got of the first one, and what was done for it.
fn received(record: &CellRecord, kind: Kind) -> (&StreamRecord, RepairRecord) {
    let mut streams = of_kind(record, kind);
    let stream = streams.find(|stream| stream.receiver == "p1");
    let stream = stream.expect("a stream");
    (stream, stream.repair.expect("it is recorded"))
}

fn lost(stream: &StreamRecord) -> u64 {
    stream.packets_sent - stream.packets_received
}

/// How far a count of `n` may be from `n p`: four standard deviations of a binomial.
fn spread(n: f64, p: f64) -> f64 {
    4.0 * (n * p * (1.0 - p)).sqrt()
}

/// Of 1,000 packets of sound 100 are lost. Without FEC 100 x 20 ms are filled in. With it only those
/// are whose next packet is lost, too, or repeats nothing: with p = 0.1, p^2 = 1 % of all, beside
/// pauses.
#[test]
fn of_sound_what_the_next_packet_repeats_is_not_lost() {
    let n = 1_000.0;
    let plain = record(&lossy_sound(0.1, RepairPlan::default()));
    let (stream, repair) = received(&plain, Kind::Audio);
    assert!((lost(stream) as f64 - n * 0.1).abs() < spread(n, 0.1));
    assert_eq!(repair.redundant_frames, 0);
    // The edges of the window are those of packets on one side and of ticks on the other.
    assert!(
        repair.concealed_frames.abs_diff(lost(stream)) <= 4,
        "{repair:?}"
    );

    let fec = RepairPlan {
        opus_fec: true,
        ..RepairPlan::default()
    };
    let fec = record(&lossy_sound(0.1, fec));
    let (stream, repair) = received(&fec, Kind::Audio);
    let lost = lost(stream);
    let either = repair.redundant_frames + repair.concealed_frames;
    assert!(either.abs_diff(lost) <= 4, "{repair:?} of {lost}");
    // Nine of ten next packets come, and at least half of them repeat something.
    let recovered = repair.redundant_frames as f64 / lost as f64;
    assert!((0.4..=0.98).contains(&recovered), "{recovered}");
}

/// Sound without concealment is silent where it is lost, as often as it would be filled in.
#[test]
fn concealment_changes_what_is_heard_and_not_how_often() {
    let silent = RepairPlan {
        concealment: false,
        ..RepairPlan::default()
    };
    let records = [RepairPlan::default(), silent].map(|plan| record(&lossy_sound(0.1, plan)));
    let counts = records.each_ref().map(|record| {
        let (_, repair) = received(record, Kind::Audio);
        repair.concealed_frames
    });
    assert_eq!(counts[0], counts[1]);
    assert!(counts[0] > 50);
}

/// Nobody asks, so what is lost stays lost: 5 % of packets.
#[test]
fn without_nack_nothing_is_sent_again() {
    let record = record(&lossy_pictures(0.05, none()));
    let (stream, repair) = received(&record, Kind::Video);
    let sent = stream.packets_sent as f64;
    assert!((lost(stream) as f64 - 0.05 * sent).abs() < spread(sent, 0.05));
    // What is lost is missing, and nothing else was done.
    let expected = RepairRecord {
        media_packets: Some(stream.packets_sent),
        media_bytes: Some(stream.encoded_bytes),
        lost_packets: Some(lost(stream)),
        missing_packets: Some(lost(stream)),
        ..RepairRecord::default()
    };
    assert_eq!(repair, expected);
}

/// Without PLI a picture that broke stays as it is until a keyframe comes: with one every second, of
/// ten seconds and the warm-up of 2.5 s, and not with none at all.
#[test]
fn without_pli_pictures_wait_for_the_next_regular_keyframe() {
    let regular = RepairPlan {
        keyframe_interval: Some(Duration::from_secs(1)),
        ..none()
    };
    let [never, regular] = [none(), regular].map(|plan| record(&lossy_pictures(0.02, plan)));
    let (never, _) = received(&never, Kind::Video);
    let (regular, _) = received(&regular, Kind::Video);
    assert!(never.keyframes <= 1 + never.plis, "{}", never.keyframes);
    assert!(
        (12..=15).contains(&regular.keyframes),
        "{}",
        regular.keyframes
    );
    // 500 packets, of which 10 are lost: the first loss comes within 5 s but for a chance of e^-5.
    let shown = |stream: &StreamRecord| stream.frames_rendered as f64 / stream.frames_sent as f64;
    assert!(shown(never) < 0.5, "{}", shown(never));
    // A second has 50 packets and is whole with 0.98^50 = 0.36; otherwise half of it is shown or
    // so: two thirds in the mean.
    assert!((0.45..0.9).contains(&shown(regular)), "{}", shown(regular));
}

/// A packet is lost for good if it is lost and another one of its group, of five and the repair
/// packet, is lost, too: p (1 - (1 - p)^5) = 1.13 % with p = 5 %.
#[test]
fn flexfec_leaves_what_is_lost_twice_in_a_group() {
    let fec = RepairPlan {
        flexfec: Some(5),
        ..none()
    };
    let record = record(&lossy_pictures(0.05, fec));
    let (stream, repair) = received(&record, Kind::Video);
    let sent = stream.packets_sent as f64;
    let left = 0.05 * (1.0 - 0.95f64.powi(5));
    // Losses come in twos here, so the spread is that of half as many.
    let bound = spread(sent, left) * 2f64.sqrt();
    let missing = lost(stream) as f64;
    assert!((missing - sent * left).abs() < bound, "{missing} of {sent}");
    let rebuilt = repair.rebuilt_packets as f64;
    assert!(
        (rebuilt - sent * (0.05 - left)).abs() < spread(sent, 0.05),
        "{rebuilt}"
    );
    // What is lost is rebuilt or missing.
    assert_eq!(repair.missing_packets, Some(lost(stream)));
    let all = lost(stream) + repair.rebuilt_packets;
    assert_eq!(repair.lost_packets, Some(all));
    // One for five, of which the first may be of a frame before the window.
    assert!(
        repair.fec_packets.abs_diff(stream.packets_sent / 5) <= 2,
        "{repair:?}"
    );
    // A repair packet is as long as the longest of its five, and 20 bytes of header.
    let mean = stream.encoded_bytes as f64 / sent;
    let each = repair.fec_bytes as f64 / repair.fec_packets as f64;
    assert!((mean..=1_290.0).contains(&each), "{each} bytes");
    assert_eq!(repair.retransmitted_packets, 0);
}

/// Every lost packet is asked for up to twice, so p^3 is lost for good; a repair is asked for once
/// and once more if it is lost, p (1 + p) of what was sent. On a stream of its own it is the same,
/// since the NACK generator sees it.
#[test]
fn what_is_sent_again_comes_on_either_stream() {
    for rtx in [false, true] {
        let repair = RepairPlan {
            rtx,
            ..RepairPlan::default()
        };
        let record = record(&lossy_pictures(0.05, repair));
        let (stream, repair) = received(&record, Kind::Video);
        let sent = stream.packets_sent as f64;
        assert!(lost(stream) <= 1, "{} are lost, rtx {rtx}", lost(stream));
        assert_eq!(repair.missing_packets, Some(lost(stream)));
        let dropped = repair.lost_packets.expect("it is recorded") as f64;
        assert!((dropped - sent * 0.05).abs() < spread(sent, 0.05));
        let again = repair.retransmitted_packets as f64;
        let expected = sent * 0.05 * 1.05;
        let bound = spread(sent, 0.05) * 1.1;
        assert!(
            (again - expected).abs() < bound,
            "{again} of {sent}, rtx {rtx}"
        );
        // Headers of SRTP, UDP and IP, and two bytes that RTX adds.
        let each = repair.retransmitted_bytes as f64 / again;
        assert!((200.0..=1_250.0).contains(&each), "{each} bytes");
        // One packet in all is lost three times, but for a chance of 2 %: it breaks pictures once.
        assert!(stream.freezes <= 1 && stream.plis <= 3, "rtx {rtx}");
        assert_eq!(repair.rebuilt_packets + repair.fec_packets, 0);
    }
}

/// On a link without jitter a buffer that adapts is at its floor, 20 ms, once it has fallen there
/// from 100 ms by 20 ms a second; what plays it takes one packet per tick of 20 ms, so it is out by
/// up to one packet.
#[test]
fn a_buffer_that_adapts_is_shallow_on_a_steady_link() {
    let mean = |playout| {
        let repair = RepairPlan {
            playout,
            ..RepairPlan::default()
        };
        let mut plan = lossy_sound(0.0, repair);
        plan.audio.as_mut().expect("has sound").playout_delay = Duration::from_millis(100);
        plan.warmup = Duration::from_secs(10);
        plan.duration = Duration::from_secs(5);
        let record = record(&plan);
        let (stream, _) = received(&record, Kind::Audio);
        stream.latency_us.mean().expect("words were heard") / 1_000.0
    };
    let gain = mean(Playout::Fixed) - mean(Playout::Adaptive);
    assert!((60.0..=100.0).contains(&gain), "{gain} ms");
}

/// Where jitter is far above the fixed depth, packets miss their ticks; a buffer that adapts waits
/// for 99 % of them. With half-normal delays of 40 ms, a fixed 20 ms are in time for
/// erf(20 / 40 / sqrt 2) = 38 %, and the 99th percentile is 103 ms. The queue behind the buffer waits,
/// too, once a packet was late, and forgets it in half a second: with a fixed depth it is all there
/// is.
#[test]
fn a_buffer_that_adapts_waits_for_jitter() {
    let filled_in = |playout| {
        let repair = RepairPlan {
            playout,
            ..RepairPlan::default()
        };
        let mut plan = lossy_sound(0.0, repair);
        plan.audio.as_mut().expect("has sound").playout_delay = Duration::from_millis(20);
        plan.participants[1].link.down.jitter = JitterConfig {
            std: Duration::from_millis(40),
            ..JitterConfig::default()
        };
        plan.warmup = Duration::from_secs(8);
        let record = record(&plan);
        let (stream, repair) = received(&record, Kind::Audio);
        assert_eq!(lost(stream), 0);
        repair.concealed_frames
    };
    let (fixed, adaptive) = (filled_in(Playout::Fixed), filled_in(Playout::Adaptive));
    // 1 % of 1,000 packets, and half as many again.
    assert!(adaptive <= 15, "{adaptive}");
    assert!(fixed > 2 * adaptive, "{fixed} and {adaptive}");
}

/// Losses in bursts of two, as FlexFEC cannot rebuild them: one begins before 1.5 % of packets, so
/// 0.015 / (0.015 + 0.5) = 2.9 % are lost.
const BURSTS: LossConfig = LossConfig::GilbertElliott {
    good_to_bad: 0.015,
    bad_to_good: 0.5,
    loss_good: 0.0,
    loss_bad: 1.0,
};

/// What is sent again is up to 100 ms (the next request), a round trip and a picture later than the
/// rest, and a buffer that adapts is not that deep: it waits for the repair, and no picture breaks.
/// It waits for the second one, 100 ms later, too. With p = 3 %, of 500 packets 15 are sent again, and
/// 0.01 are lost three times: nobody asks for a keyframe. A wait of up to 150 ms and a round trip
/// of 40 ms costs up to 6 pictures of 300, and not all of them: 30 % at the most for 15 of them, and
/// 15 % in the mean, less what the depth takes.
#[test]
fn a_picture_waits_for_its_repair() {
    let adaptive = RepairPlan {
        playout: Playout::Adaptive,
        ..RepairPlan::default()
    };
    let record = record(&lossy_pictures(0.03, adaptive));
    let (stream, repair) = received(&record, Kind::Video);
    assert!(repair.retransmitted_packets >= 5, "{repair:?}");
    assert_eq!(lost(stream), 0);
    assert_eq!((stream.plis, stream.keyframes), (0, 1), "the first one");
    let shown = stream.frames_rendered as f64 / stream.frames_sent as f64;
    assert!((0.85..=1.0).contains(&shown), "{shown} are shown");
}

/// All at once, where senders adapt, through every topology: packets come back in each of the ways,
/// and nearly none is missing. What comes late is waited for, so a picture stands still for longer
/// than 150 ms, which is a freeze, only where a repair is lost, too: 0.3 times a second something has
/// to be asked for, of which 3 % twice, in 10 s with 10 %. A keyframe that a lost burst broke would
/// cost more. Where depth is fixed, each repair that comes after it breaks pictures.
#[test]
fn all_repairs_work_together_in_every_topology() {
    for topology in [Topology::Mesh, Topology::Sfu, Topology::Mcu] {
        let mut plan = lossy(0.0, all());
        plan.participants[1].link.down.loss = BURSTS;
        plan.topology = topology;
        plan.congestion.control = CongestionControl::Gcc;
        plan.duration = Duration::from_secs(10);
        plan.mcu.width = 160;
        plan.mcu.height = 90;
        plan.mcu.bitrate_bps = 300_000;
        let record = record(&plan);
        let (stream, repair) = received(&record, Kind::Video);
        let sent = stream.packets_sent.max(stream.packets_received);
        let missing = sent - stream.packets_received;
        if topology == Topology::Mesh {
            assert!(missing * 100 <= sent, "{missing} of {sent}");
        }
        assert!(repair.fec_packets > 0, "{topology}: {repair:?}");
        assert!(repair.rebuilt_packets > 0, "{topology}: {repair:?}");
        assert!(repair.retransmitted_packets > 0, "{topology}: {repair:?}");
        // An SFU may stop a stream for a while, for what it takes the leg to carry.
        assert!(stream.frames_received * 4 >= stream.frames_sent * 3);
        let shown = stream.frames_rendered as f64 / stream.frames_received as f64;
        assert!(
            (0.93..=1.05).contains(&shown),
            "{topology}: {shown} are shown"
        );
        // Of the mesh and the SFU: an MCU asks for keyframes for those who join.
        if topology != Topology::Mcu {
            assert!(stream.plis <= 1, "{topology}: {} PLIs", stream.plis);
        }
        assert!(
            stream.freeze_ms <= 300.0,
            "{topology}: {} ms",
            stream.freeze_ms
        );
        let (_, sound) = received(&record, Kind::Audio);
        assert!(sound.redundant_frames > 0, "{topology}: {sound:?}");
    }
}
