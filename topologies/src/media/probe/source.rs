//! The sound of one sender.

use rand::{Rng, RngExt};

use super::plan;
use crate::media::audio::FRAME_SAMPLES;

/// Room noise, steps to each side of zero: -66 dBFS, so that an encoder never sees digital silence.
const NOISE: i16 = 16;

/// Length of the noise before it repeats: 1.2 s. Prime, so that it does not fall into step with
/// frames.
const NOISE_SAMPLES: u64 = 57_601;

/// The microphone of one sender.
#[derive(Clone, Debug)]
pub struct ProbeSource {
    sender: u16,
    sine: Vec<i16>,
    envelope: Vec<i16>,
    noise: Vec<i16>,
}

impl ProbeSource {
    /// The probe of `sender`, over noise drawn from `rng`.
    pub fn new(sender: u16, rng: &mut impl Rng) -> Self {
        let envelope = (0..plan::BURST)
            .map(|i| (plan::AMPLITUDE * plan::envelope(i as f64)).round() as i16)
            .collect();
        let noise = (0..NOISE_SAMPLES)
            .map(|_| rng.random_range(-NOISE..=NOISE))
            .collect();
        ProbeSource {
            sender,
            sine: plan::sine(),
            envelope,
            noise,
        }
    }

    /// The 20 ms that begin `n * 20` ms after the start of the capture. Any order of `n` is
    /// allowed.
    pub fn frame(&self, n: u32) -> [i16; FRAME_SAMPLES] {
        let start = u64::from(n) * FRAME_SAMPLES as u64;
        std::array::from_fn(|i| {
            let at = start + i as u64;
            self.tone(at) + self.noise[(at % NOISE_SAMPLES) as usize]
        })
    }

    /// The burst at sample `at`, if there is one.
    fn tone(&self, at: u64) -> i16 {
        let Some(since) = at.checked_sub(plan::offset(self.sender)) else {
            return 0;
        };
        let within = (since % plan::PERIOD) as usize;
        let (position, within) = (within / plan::POSITION, within % plan::POSITION);
        let number = (since / plan::PERIOD % plan::NUMBERS) as u8;
        if within >= plan::BURST || plan::word(number).get(position) != Some(&true) {
            return 0;
        }
        let phase = at as usize % plan::CYCLE * plan::carrier(self.sender) % plan::CYCLE;
        let product = i32::from(self.sine[phase]) * i32::from(self.envelope[within]);
        (product / 32_767) as i16
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn source(sender: u16) -> ProbeSource {
        ProbeSource::new(sender, &mut ChaCha8Rng::seed_from_u64(1))
    }

    #[test]
    fn frames_come_in_any_order() {
        let source = source(3);
        let later = source.frame(90);
        assert_eq!(source.frame(0), source.frame(0));
        assert_eq!(later, source.frame(90));
    }

    #[test]
    fn bursts_are_where_the_plan_puts_them() {
        // Sender 0 begins word 0 at sample 0. Number 0 is mask 1, no complement: bursts where the
        // inner position is odd, and the outer two: at 1,656 * (0, 2, 4, 6, 8, 9) samples, 1,440
        // long, so that of its 20 ms frames these come above a tenth of the peak.
        let source = source(0);
        let loud = |n: u32| source.frame(n).iter().any(|s| s.abs() > 200);
        let frames: Vec<u32> = (0..25).filter(|&n| loud(n)).collect();
        assert_eq!(frames, [0, 1, 3, 4, 7, 8, 10, 11, 13, 14, 15, 16]);
        let peak = (0..2)
            .flat_map(|n| source.frame(n))
            .map(i16::abs)
            .max()
            .unwrap();
        assert!((1_980..=2_016).contains(&peak), "{peak}");
    }

    #[test]
    fn all_senders_together_fit_16_bits() {
        let sources: Vec<ProbeSource> = (0..plan::SENDERS).map(source).collect();
        let mut peak = 0;
        for n in 0..400 {
            let frames: Vec<_> = sources.iter().map(|source| source.frame(n)).collect();
            for i in 0..FRAME_SAMPLES {
                let sum: i32 = frames.iter().map(|frame| i32::from(frame[i])).sum();
                peak = peak.max(sum.abs());
            }
        }
        assert!((2_000..=i32::from(i16::MAX)).contains(&peak), "{peak}");
    }
}
