//! What losses do to the sound itself: what is played, against what is played without loss.

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

type Sound = Vec<[i16; FRAME_SAMPLES]>;

/// The segmental SNR of one sender's sound, dB, pauses left out, with this share of packets lost
/// independently, and in-band FEC and concealment or not.
///
/// # Errors
///
/// If Opus fails.
pub fn segmental_snr_db(loss_pct: u32, fec: bool, conceal: bool) -> Result<f64, Box<dyn Error>> {
    let source = ProbeSource::new(0, &mut Seed(1).stream("example/room"));
    let mut encoder = AudioEncoder::protected(BITRATE_BPS, fec)?;
    let packets = (0..PACKETS).map(|n| encoder.encode(&source.frame(n)));
    let packets = packets.collect::<Result<Vec<Bytes>, _>>()?;
    let mut rng = Seed(1).stream("example/loss");
    let p = f64::from(loss_pct) / 100.0;
    let came: Vec<bool> = packets.iter().map(|_| !rng.random_bool(p)).collect();
    let whole = played(&packets, &vec![true; packets.len()], fec, conceal)?;
    Ok(snr_db(&whole, &played(&packets, &came, fec, conceal)?))
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

/// The mean over 20 ms that are no pause.
fn snr_db(whole: &Sound, damaged: &Sound) -> f64 {
    let energy = |samples: &mut dyn Iterator<Item = f64>| {
        samples.map(|sample| sample * sample).sum::<f64>() / FRAME_SAMPLES as f64
    };
    let of_frame = |(whole, damaged): (&[i16; FRAME_SAMPLES], &[i16; FRAME_SAMPLES])| {
        let signal = energy(&mut whole.iter().map(|sample| f64::from(*sample)));
        let pairs = whole.iter().zip(damaged);
        let noise = energy(&mut pairs.map(|(a, b)| f64::from(*a) - f64::from(*b)));
        let ratio = 10.0 * (signal / noise.max(f64::MIN_POSITIVE)).log10();
        (signal > PAUSE).then_some(ratio.clamp(CLAMP_DB[0], CLAMP_DB[1]))
    };
    let ratios: Vec<f64> = whole.iter().zip(damaged).filter_map(of_frame).collect();
    ratios.iter().sum::<f64>() / ratios.len() as f64
}
