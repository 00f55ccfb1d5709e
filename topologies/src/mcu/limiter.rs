//! Keeping a mix within 16 bits.

use crate::media::audio::FRAME_SAMPLES;

/// How fast the gain comes down: within 0.5 ms.
const ATTACK: usize = 24;

/// How fast it goes up again: by 0.5 dB in each block, so that 6 dB take 240 ms, without audible
/// pumping.
const RELEASE: f32 = 1.059_253_7;

/// A limiter: what is within 32,767 passes as it is, to the bit; what is above comes down to that, and
/// what follows comes up again slowly.
///
/// It needs no look-ahead, so it adds no delay: what is too loud in the first 0.5 ms of a block,
/// while the gain comes down, is clipped. libwebrtc's mixer ends in one of the same make
/// (`modules/audio_processing/agc2/limiter.cc`: fast attack, slow release, clipping what is left);
/// FreeSWITCH's (`mod_conference`) clips everything.
#[derive(Clone, Copy, Debug)]
pub struct Limiter {
    gain: f32,
}

impl Default for Limiter {
    fn default() -> Self {
        Limiter { gain: 1.0 }
    }
}

impl Limiter {
    /// The next 20 ms of the signal, within 16 bits.
    pub fn limit(&mut self, sums: &[i32; FRAME_SAMPLES]) -> [i16; FRAME_SAMPLES] {
        let peak = sums.iter().map(|sum| sum.unsigned_abs()).max();
        let loudest = peak.unwrap_or(0).max(i16::MAX as u32) as f32;
        let before = self.gain;
        self.gain = (f32::from(i16::MAX) / loudest).min(before * RELEASE);
        // Down at once, up over the whole block.
        let ramp = if self.gain < before {
            ATTACK
        } else {
            FRAME_SAMPLES
        };
        let step = (self.gain - before) / ramp as f32;
        std::array::from_fn(|i| {
            let gain = before + step * (i + 1).min(ramp) as f32;
            // Converting saturates.
            (sums[i] as f32 * gain).round() as i16
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(amplitude: i32) -> [i32; FRAME_SAMPLES] {
        std::array::from_fn(|i| {
            if i / 48 % 2 == 0 {
                amplitude
            } else {
                -amplitude
            }
        })
    }

    #[test]
    fn up_to_full_scale_nothing_changes() {
        let mut limiter = Limiter::default();
        let sums: [i32; FRAME_SAMPLES] = std::array::from_fn(|i| 68 * i as i32 - 32_767);
        for _ in 0..3 {
            let limited = limiter.limit(&sums);
            assert!(limited.iter().zip(&sums).all(|(&a, &b)| i32::from(a) == b));
        }
    }

    #[test]
    fn what_is_twice_as_loud_is_halved_and_keeps_its_shape() {
        // The gain is 32767 / 65534 = 1/2 from 24 samples on: a step between 10,000 and 65,534
        // becomes one between 5,000 and 32,767. Clipping would leave the 10,000.
        let mut sums = square(10_000);
        sums[400..500].fill(65_534);
        let limited = Limiter::default().limit(&sums);
        for (i, &sample) in limited.iter().enumerate().skip(ATTACK) {
            let half = f64::from(sums[i]) / 2.0;
            assert!((f64::from(sample) - half).abs() <= 1.0, "{i}: {sample}");
        }
        // Half way down at the twelfth sample: 3/4.
        assert_eq!(limited[11], 7_500);
    }

    #[test]
    fn what_is_too_loud_at_once_is_clipped_and_does_not_wrap() {
        let limited = Limiter::default().limit(&square(1_600_000));
        assert!(limited.iter().all(|&sample| sample != 0));
        for (i, &sample) in limited.iter().enumerate() {
            let sign = if i / 48 % 2 == 0 { 1 } else { -1 };
            assert!(i32::from(sample) * sign >= 32_766, "{i}: {sample}");
        }
    }

    #[test]
    fn the_gain_comes_back_slowly_and_entirely() {
        // From a half, 6.02 dB at 0.5 dB a block: 12 blocks leave 0.02 dB, the 13th is the last.
        let mut limiter = Limiter::default();
        limiter.limit(&square(65_534));
        for block in 1..=13 {
            let last = *limiter.limit(&square(10_000)).last().unwrap();
            let expected = (5_000.0 * 10f64.powf(0.5 * f64::from(block) / 20.0)).min(10_000.0);
            let got = -f64::from(last);
            assert!(
                (got - expected).abs() <= 2.0,
                "{block}: {got}, not {expected}"
            );
        }
        let limited = limiter.limit(&square(10_000)).map(i32::from);
        assert_eq!(limited, square(10_000));
    }

    #[test]
    fn no_step_in_gain_is_heard() {
        // A constant, so that every difference is the limiter's: going up 0.5 dB of 32,767 in 960
        // samples is 2 a sample, rounded.
        let mut limiter = Limiter::default();
        limiter.limit(&[65_534; FRAME_SAMPLES]);
        let mut heard = vec![10_000 / 2];
        for _ in 0..14 {
            heard.extend(limiter.limit(&[10_000; FRAME_SAMPLES]));
        }
        for pair in heard.windows(2) {
            assert!((0..=2).contains(&(pair[1] - pair[0])), "{pair:?}");
        }
    }
}
