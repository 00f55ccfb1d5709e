//! What each listener hears: all others.

use std::collections::BTreeMap;

use super::audience::Audience;
use super::limiter::Limiter;
use crate::media::audio::FRAME_SAMPLES;

/// The mixes of one tick after the other.
#[derive(Debug, Default)]
pub struct Mixer {
    limiters: BTreeMap<Audience, Limiter>,
}

impl Mixer {
    /// What each of `audiences` hears of `sounds`: the sum of all but their own, limited to 16 bits.
    /// Who is not among `sounds` is silent. A mix of one or more below full scale is their exact sum.
    pub fn mix(
        &mut self,
        sounds: &BTreeMap<u16, [i16; FRAME_SAMPLES]>,
        audiences: &[Audience],
    ) -> Vec<[i16; FRAME_SAMPLES]> {
        // One sum for all, from which each takes their own: audiences cost one pass each, not one
        // for every sender.
        let mut everybody = [0i32; FRAME_SAMPLES];
        for sound in sounds.values() {
            add(&mut everybody, sound, 1);
        }
        let mut mix = |audience: &Audience| {
            let mut others = everybody;
            if let Audience::Without(sender) = audience
                && let Some(own) = sounds.get(sender)
            {
                add(&mut others, own, -1);
            }
            let limiter = self.limiters.entry(*audience).or_default();
            limiter.limit(&others)
        };
        audiences.iter().map(&mut mix).collect()
    }

    /// Forgets an audience that has left.
    pub fn remove(&mut self, audience: Audience) {
        self.limiters.remove(&audience);
    }
}

fn add(sums: &mut [i32; FRAME_SAMPLES], sound: &[i16; FRAME_SAMPLES], sign: i32) {
    for (sum, &sample) in sums.iter_mut().zip(sound) {
        *sum += sign * i32::from(sample);
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::Audience::{Everybody, Without};
    use super::*;
    use crate::media::{ProbeDetector, ProbeSource};

    type Sounds = BTreeMap<u16, [i16; FRAME_SAMPLES]>;

    #[test]
    fn a_mix_is_the_exact_sum_of_the_others() {
        // Five sounds of at most 6,000 each, 30,000 in all: below full scale.
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let sounds: Sounds = [0, 1, 4, 7, 9]
            .map(|who| {
                (
                    who,
                    std::array::from_fn(|_| rng.random_range(-6_000..=6_000)),
                )
            })
            .into();
        // 3 has not said anything yet.
        let audiences = [Without(9), Without(0), Everybody, Without(3)];
        let mixes = Mixer::default().mix(&sounds, &audiences);
        for (audience, mix) in audiences.iter().zip(mixes) {
            for i in 0..FRAME_SAMPLES {
                let others = sounds.iter().filter(|(who, _)| *audience != Without(**who));
                let expected: i16 = others.map(|(_, sound)| sound[i]).sum();
                assert_eq!(mix[i], expected, "{audience:?}, sample {i}");
            }
        }
    }

    #[test]
    fn who_is_alone_hears_silence() {
        let sounds = Sounds::from([(2, [1_000; FRAME_SAMPLES])]);
        let silence = [0; FRAME_SAMPLES];
        assert_eq!(Mixer::default().mix(&sounds, &[Without(2)]), [silence]);
        assert_eq!(
            Mixer::default().mix(&Sounds::new(), &[Without(2)]),
            [silence]
        );
    }

    #[test]
    fn loudness_to_one_is_not_loudness_to_all() {
        // Listener 2 hears 50,000 and listener 1 35,000, limited; 0 hears 25,000, and that exactly:
        // what is too loud for others does not spill into what it hears.
        let sounds = Sounds::from([
            (0, [30_000; FRAME_SAMPLES]),
            (1, [20_000; FRAME_SAMPLES]),
            (2, [5_000; FRAME_SAMPLES]),
        ]);
        let mut mixer = Mixer::default();
        for _ in 0..2 {
            let mixes = mixer.mix(&sounds, &[0, 1, 2].map(Without));
            assert_eq!(mixes[0], [25_000; FRAME_SAMPLES]);
            assert!(mixes[1][100..].iter().all(|sample| *sample == i16::MAX));
            assert!(mixes[2][100..].iter().all(|sample| *sample == i16::MAX));
        }
        // A gain that came down stays so with its listener for a while, until they leave.
        let quiet = Sounds::from([(0, [5_000; FRAME_SAMPLES])]);
        assert!(mixer.mix(&quiet, &[Without(2)])[0][0] < 5_000);
        mixer.remove(Without(2));
        assert_eq!(mixer.mix(&quiet, &[Without(2)])[0], [5_000; FRAME_SAMPLES]);
    }

    #[test]
    fn everybody_hears_all_probes_but_their_own() {
        // In 4 s a sender says 7 or 8 words of 0.5 s, by when its first one begins.
        let sources: Vec<ProbeSource> = (0..9)
            .map(|who| ProbeSource::new(who, &mut ChaCha8Rng::seed_from_u64(who.into())))
            .collect();
        let everybody: Vec<u16> = (0..9).collect();
        let audiences: Vec<_> = everybody.iter().copied().map(Without).collect();
        let mut mixer = Mixer::default();
        let mut ears = vec![ProbeDetector::new(&everybody); 9];
        let mut words = vec![[0; 9]; 9];
        for n in 0..200 {
            let sounds = (0..9).map(|who| (who, sources[usize::from(who)].frame(n)));
            let mixes = mixer.mix(&sounds.collect(), &audiences);
            for (listener, mix) in mixes.iter().enumerate() {
                let at = u64::from(n) * FRAME_SAMPLES as u64;
                for word in ears[listener].push(at, mix) {
                    assert!((-2..=2).contains(&word.latency()), "{word:?}");
                    words[listener][usize::from(word.sender)] += 1;
                }
            }
        }
        for (listener, words) in words.iter().enumerate() {
            for (sender, &words) in words.iter().enumerate() {
                let expected = if sender == listener { 0..=0 } else { 7..=8 };
                assert!(expected.contains(&words), "{sender} to {listener}: {words}");
            }
        }
    }
}
