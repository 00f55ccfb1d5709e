//! What losses do to the sound itself: what is played, against what is played without loss.
//!
//! Segmental SNR compares waveforms: what a decoder guesses is the right sound out of step, so it
//! counts as worse than silence. The spectral distance compares what ears compare.

use std::error::Error;

use bytes::Bytes;
use rand::RngExt;
use sim::Seed;
use topologies::media::audio::{FRAME_SAMPLES, repeats_the_one_before};
use topologies::media::{AudioDecoder, AudioEncoder, ProbeSource};

/// 60 s.
const PACKETS: u32 = 3_000;

const BITRATE_BPS: u32 = 32_000;

/// Below this mean square, 20 ms are a pause, in which only the noise of the room is heard (-56
/// dBFS).
const PAUSE: f64 = 2_500.0;

/// Between these, dB, the ratio of 20 ms counts (Hansen and Pellom, "An effective quality evaluation
/// protocol for speech enhancement algorithms", 1998): better is not heard, and worse is no worse.
const CLAMP_DB: [f64; 2] = [-10.0, 35.0];

/// Of a DFT of 20 ms, 50 Hz apart, those from 100 Hz to 8 kHz.
const BINS: std::ops::Range<usize> = 2..160;

/// Below this, the power of a bin is the noise of the room: a variance of 85 (uniform, 16 steps to
/// each side), by the sum of the squares of the window, 0.375 x 960.
const FLOOR: f64 = 30_000.0;

type Frame = [i16; FRAME_SAMPLES];
type Sound = Vec<Frame>;

/// How far what is played is from what is played without loss: the means over 20 ms, pauses left
/// out.
#[derive(Clone, Copy, Debug)]
pub struct Damage {
    /// Segmental SNR, dB.
    pub snr_db: f64,
    /// Log-spectral distance, dB (Quackenbush, Barnwell and Clements, "Objective measures of speech
    /// quality", 1988), with the noise of the room as the floor.
    pub distance_db: f64,
}

/// The damage to one sender's sound of this share of packets lost independently, with in-band FEC
/// and concealment or without.
///
/// # Errors
///
/// If Opus fails.
pub fn damage(loss_pct: u32, fec: bool, conceal: bool) -> Result<Damage, Box<dyn Error>> {
    let source = ProbeSource::new(0, &mut Seed(1).stream("example/room"));
    let mut encoder = AudioEncoder::protected(BITRATE_BPS, fec)?;
    let packets = (0..PACKETS).map(|n| encoder.encode(&source.frame(n)));
    let packets = packets.collect::<Result<Vec<Bytes>, _>>()?;
    let mut rng = Seed(1).stream("example/loss");
    let p = f64::from(loss_pct) / 100.0;
    let came: Vec<bool> = packets.iter().map(|_| !rng.random_bool(p)).collect();
    let whole = played(&packets, &vec![true; packets.len()], fec, conceal)?;
    let damaged = played(&packets, &came, fec, conceal)?;
    let heard = |whole: &Frame| energy(&whole.map(f64::from)) > PAUSE;
    let frames = whole.iter().zip(&damaged);
    let frames: Vec<_> = frames.filter(|(whole, _)| heard(whole)).collect();
    let mean = |of: fn(&Frame, &Frame) -> f64| {
        let sum: f64 = frames
            .iter()
            .map(|(whole, damaged)| of(whole, damaged))
            .sum();
        sum / frames.len() as f64
    };
    Ok(Damage {
        snr_db: mean(snr_db),
        distance_db: mean(distance_db),
    })
}

/// What a receiver plays of these packets: one that did not come from the next one if that has it,
/// otherwise as the decoder guesses, or silence.
fn played(
    packets: &[Bytes],
    came: &[bool],
    fec: bool,
    conceal: bool,
) -> Result<Sound, Box<dyn Error>> {
    let mut decoder = AudioDecoder::new()?;
    let mut play = |n: usize| {
        let next = packets
            .get(n + 1)
            .filter(|_| came.get(n + 1) == Some(&true));
        let next = next.filter(|next| fec && repeats_the_one_before(next));
        Ok(match (came[n], next) {
            (true, _) => decoder.decode(&packets[n])?,
            (false, Some(next)) => decoder.recover(next)?,
            (false, None) if conceal => decoder.conceal()?,
            (false, None) => [0; FRAME_SAMPLES],
        })
    };
    (0..packets.len()).map(&mut play).collect()
}

/// The mean square.
fn energy(samples: &[f64; FRAME_SAMPLES]) -> f64 {
    samples.iter().map(|sample| sample * sample).sum::<f64>() / FRAME_SAMPLES as f64
}

fn snr_db(whole: &Frame, damaged: &Frame) -> f64 {
    let difference = std::array::from_fn(|i| f64::from(whole[i]) - f64::from(damaged[i]));
    let noise = energy(&difference).max(f64::MIN_POSITIVE);
    let ratio = 10.0 * (energy(&whole.map(f64::from)) / noise).log10();
    ratio.clamp(CLAMP_DB[0], CLAMP_DB[1])
}

fn distance_db(whole: &Frame, damaged: &Frame) -> f64 {
    if whole == damaged {
        return 0.0;
    }
    let of_bin = |bin: usize| {
        let ratio = (FLOOR + power(whole, bin)) / (FLOOR + power(damaged, bin));
        (10.0 * ratio.log10()).powi(2)
    };
    (BINS.map(of_bin).sum::<f64>() / BINS.len() as f64).sqrt()
}

/// Of one bin of a DFT with a Hann window.
fn power(frame: &Frame, bin: usize) -> f64 {
    let turn = std::f64::consts::TAU / FRAME_SAMPLES as f64;
    let (mut re, mut im) = (0.0, 0.0);
    for (i, sample) in frame.iter().enumerate() {
        let window = 0.5 - 0.5 * (turn * i as f64).cos();
        let (sin, cos) = (turn * (bin * i % FRAME_SAMPLES) as f64).sin_cos();
        let sample = window * f64::from(*sample);
        (re, im) = (re + sample * cos, im + sample * sin);
    }
    re * re + im * im
}
