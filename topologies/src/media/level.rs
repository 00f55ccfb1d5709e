//! How loud sound is.

use super::audio::FRAME_SAMPLES;

/// What RFC 6464 section 3 calls silence.
const SILENCE: f64 = 127.0;

/// The level of 20 ms of sound in -dBov, 0 (the loudest) to 127 (RFC 6464 section 3): the root mean
/// square of the samples, relative to that of the loudest possible sound.
pub fn level(samples: &[i16; FRAME_SAMPLES]) -> u8 {
    let energy: f64 = samples
        .iter()
        .map(|sample| f64::from(*sample).powi(2))
        .sum();
    let rms = (energy / FRAME_SAMPLES as f64).sqrt();
    let dbov = 20.0 * (rms / -f64::from(i16::MIN)).log10();
    // Of no sound at all the logarithm is minus infinity.
    (-dbov).clamp(0.0, SILENCE).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_known_sounds() {
        assert_eq!(level(&[0; FRAME_SAMPLES]), 127);
        assert_eq!(level(&[i16::MIN; FRAME_SAMPLES]), 0);
        // A tenth of the amplitude is 20 dB less.
        assert_eq!(level(&[3_277; FRAME_SAMPLES]), 20);
        // A full sine is 3 dB below a square wave: 1 / sqrt(2).
        let sine = std::array::from_fn(|sample| {
            let phase = sample as f64 * std::f64::consts::TAU * 10.0 / FRAME_SAMPLES as f64;
            (phase.sin() * 32_767.0) as i16
        });
        assert_eq!(level(&sine), 3);
        // One count is -90 dBov.
        assert_eq!(level(&[1; FRAME_SAMPLES]), 90);
    }
}
