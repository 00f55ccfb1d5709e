//! The audio probe through Opus, mixing, loss and noise.

use std::ops::RangeInclusive;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use topologies::media::audio::FRAME_SAMPLES;
use topologies::media::probe::SENDERS;
use topologies::media::{AudioDecoder, AudioEncoder, Detection, ProbeDetector, ProbeSource};

type Block = [i16; FRAME_SAMPLES];

/// What Opus adds at 48 kHz: 2.5 ms of overlap and 4 ms of look-ahead (RFC 6716, 2.1.4 and 2.2).
const OPUS_DELAY: i64 = 312;

/// 1 ms, the error allowed to a latency.
const MS: i64 = 48;

fn source(sender: u16) -> ProbeSource {
    ProbeSource::new(sender, &mut ChaCha8Rng::seed_from_u64(sender.into()))
}

fn frames(sender: u16, count: u32) -> Vec<Block> {
    let source = source(sender);
    (0..count).map(|n| source.frame(n)).collect()
}

/// The same sound `delay` samples later.
fn delayed(frames: &[Block], delay: usize) -> Vec<Block> {
    let mut samples = vec![0; delay];
    samples.extend(frames.as_flattened());
    samples.as_chunks().0.to_vec()
}

fn mixed(count: u16, length: u32) -> Vec<Block> {
    let sources: Vec<ProbeSource> = (0..count).map(source).collect();
    let mix = |n| {
        let mut sums = [0i32; FRAME_SAMPLES];
        for source in &sources {
            sums.iter_mut()
                .zip(source.frame(n))
                .for_each(|(sum, s)| *sum += i32::from(s));
        }
        sums.map(|sum| sum.clamp(i16::MIN.into(), i16::MAX.into()) as i16)
    };
    (0..length).map(mix).collect()
}

/// Through Opus, without the packets that `lost` names.
fn coded(frames: &[Block], bitrate_bps: u32, mut lost: impl FnMut(usize) -> bool) -> Vec<Block> {
    let mut encoder = AudioEncoder::new(bitrate_bps).unwrap();
    let mut decoder = AudioDecoder::new().unwrap();
    let code = |(n, frame)| {
        let packet = encoder.encode(frame).unwrap();
        if lost(n) {
            decoder.conceal().unwrap()
        } else {
            decoder.decode(&packet).unwrap()
        }
    };
    frames.iter().enumerate().map(code).collect()
}

fn heard(senders: &[u16], frames: &[Block]) -> Vec<Detection> {
    let mut detector = ProbeDetector::new(senders);
    let blocks = frames.iter().enumerate();
    blocks
        .flat_map(|(n, block)| detector.push((n * FRAME_SAMPLES) as u64, block))
        .collect()
}

fn assert_all_within(found: &[Detection], expected: RangeInclusive<i64>) {
    for detection in found {
        let latency = detection.latency();
        assert!(
            expected.contains(&latency),
            "{detection:?}: {latency} not in {expected:?}"
        );
    }
}

#[test]
fn a_pure_delay_is_measured_to_the_sample() {
    // 4 s hold the words that begin at offset + k * 0.5 s and end, with what the detector waits
    // for, within them: 7 or 8.
    for (sender, delay) in [(0, 0), (1, 1), (17, 479), (30, 24_000), (49, 96_017)] {
        let found = heard(&[sender], &delayed(&frames(sender, 200), delay));
        assert!((7..=8).contains(&found.len()), "{} words", found.len());
        let delay = delay as i64;
        assert_all_within(&found, delay - 2..=delay + 2);
    }
}

#[test]
fn through_opus_the_codec_delay_is_added() {
    // Half of the allowed error: one sender at ordinary rates is the easy case.
    for (sender, delay, bitrate) in [
        (0, 0, 32_000),
        (7, 331, 24_000),
        (23, 9_600, 32_000),
        (49, 299_999, 64_000),
    ] {
        let found = heard(
            &[sender],
            &coded(&delayed(&frames(sender, 200), delay), bitrate, |_| false),
        );
        assert!((7..=8).contains(&found.len()), "{} words", found.len());
        let expected = delay as i64 + OPUS_DELAY;
        assert_all_within(&found, expected - MS / 2..=expected + MS / 2);
    }
}

#[test]
fn numbers_follow_each_other() {
    let numbers: Vec<u8> = heard(&[2], &frames(2, 500))
        .iter()
        .map(|word| word.number)
        .collect();
    let expected: Vec<u8> = (0..numbers.len()).map(|i| i as u8 % 14).collect();
    assert_eq!(numbers, expected);
    assert!(numbers.len() > 14);
}

#[test]
fn a_mix_coded_again_keeps_every_sender_apart() {
    // Each of 12 senders coded, all mixed and coded again as an MCU does: twice the codec's delay,
    // and at least 7 words of each in 4 s.
    let coded_once: Vec<Vec<Block>> = (0..12)
        .map(|sender| coded(&frames(sender, 200), 32_000, |_| false))
        .collect();
    let mix: Vec<Block> = (0..200)
        .map(|n| std::array::from_fn(|i| coded_once.iter().map(|frames| frames[n][i]).sum()))
        .collect();
    let everyone: Vec<u16> = (0..SENDERS).collect();
    let found = heard(&everyone, &coded(&mix, 32_000, |_| false));
    for sender in 0..SENDERS {
        let words = found.iter().filter(|word| word.sender == sender).count();
        let expected = if sender < 12 { 7..=8 } else { 0..=0 };
        assert!(
            expected.contains(&words),
            "{words} words of sender {sender}"
        );
    }
    assert_all_within(&found, 2 * OPUS_DELAY - MS..=2 * OPUS_DELAY + MS);
}

#[test]
fn fifty_senders_can_be_told_apart_in_one_mix() {
    let everyone: Vec<u16> = (0..SENDERS).collect();
    let found = heard(&everyone, &coded(&mixed(SENDERS, 150), 64_000, |_| false));
    for sender in everyone {
        let words = found.iter().filter(|word| word.sender == sender).count();
        assert!((5..=6).contains(&words), "{words} words of sender {sender}");
    }
    assert_all_within(&found, OPUS_DELAY - MS..=OPUS_DELAY + MS);
}

#[test]
fn lost_packets_cost_words_and_never_falsify_one() {
    // A word touches 18 or 19 of 25 packets. Of those with one in twenty lost, some 0.95^19 = 38 %
    // stay untouched, with one in five 1.5 %; others lose only a silent part.
    for (loss, words, sender) in [(0.05, 45..=105, 4), (0.2, 1..=45, 31)] {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let sound = coded(&frames(sender, 3_000), 32_000, |_| rng.random_bool(loss));
        let found = heard(&[sender], &sound);
        assert!(words.contains(&found.len()), "{} of 119 words", found.len());
        assert_all_within(&found, OPUS_DELAY - 2 * MS..=OPUS_DELAY + 2 * MS);
    }
}

#[test]
fn a_playout_that_slips_is_not_misread() {
    // A frame is left out in the middle of the third word: that word is unreadable, and the words
    // after it come 20 ms sooner.
    let mut sound = delayed(&frames(0, 250), 48_000);
    sound.remove((48_000 + 2 * 24_000 + 6_000) / FRAME_SAMPLES);
    let found = heard(&[0], &sound);
    let latencies: Vec<(u8, i64)> = found
        .iter()
        .map(|word| (word.number, (word.latency() + 5) / 10 * 10))
        .collect();
    assert_eq!(
        latencies[..4],
        [(0, 48_000), (1, 48_000), (3, 47_040), (4, 47_040)]
    );
}

#[test]
fn an_interruption_begins_anew() {
    // Rendering jumps ahead by 0.1 s within the first word of sender 0; the second is whole.
    let mut detector = ProbeDetector::new(&[0]);
    let mut found = Vec::new();
    for (n, block) in frames(0, 100).iter().enumerate() {
        let jump = if n < 3 { 0 } else { 4_800 };
        found.extend(detector.push((n * FRAME_SAMPLES + jump) as u64, block));
    }
    assert_eq!(found.first().map(|word| word.number), Some(1));
    assert_all_within(&found, 4_800 - 2..=4_800 + 2);
}

#[test]
fn silence_noise_and_tones_hold_no_words() {
    let everyone: Vec<u16> = (0..SENDERS).collect();
    assert_eq!(heard(&everyone, &vec![[0; FRAME_SAMPLES]; 100]), []);

    // White noise at -25 dBFS, louder than the probe: 3,200 uniform has an RMS of 1,848.
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let noise: Vec<Block> = (0..500)
        .map(|_| std::array::from_fn(|_| rng.random_range(-3_200..=3_200)))
        .collect();
    assert_eq!(heard(&everyone, &noise), []);

    // A steady tone at a carrier, and one switched every 20 ms.
    let turn = std::f64::consts::TAU * 700.0 / 48_000.0;
    let tone: Vec<Block> = (0..100)
        .map(|_| std::array::from_fn(|i| (2_000.0 * (turn * i as f64).sin()) as i16))
        .collect();
    assert_eq!(heard(&everyone, &tone), []);
    let silence = [0; FRAME_SAMPLES];
    let switched: Vec<Block> = tone
        .iter()
        .enumerate()
        .map(|(n, block)| if n % 2 == 0 { *block } else { silence })
        .collect();
    assert_eq!(heard(&everyone, &switched), []);
}
