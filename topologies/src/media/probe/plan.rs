//! What senders and detectors agree on. Durations are in samples at 48 kHz.

use std::f64::consts::PI;

use crate::media::audio::FRAME_SAMPLES;

/// How many senders can be told apart in one mix; carriers repeat after that.
pub const SENDERS: u16 = 50;

/// Length of a burst: 30 ms.
pub(super) const BURST: usize = 1_440;
/// From one position of a word to the next: 34.5 ms. A period is 14.5 of them, so that the end of
/// one word and the beginning of the next do not line up to another word.
pub(super) const POSITION: usize = 1_656;
/// Positions of a word: a burst, eight that hold the number, a burst.
pub(super) const POSITIONS: usize = 10;
/// Positions before and after a word that are silent. There are four, and these are enough to keep
/// a word apart from what two words make together.
pub(super) const SILENT_BEFORE: usize = 3;
/// As [`SILENT_BEFORE`].
pub(super) const SILENT_AFTER: usize = 1;
/// From one word to the next: 500 ms.
pub(super) const PERIOD: u64 = 24_000;
/// Words are numbered modulo this.
pub(super) const NUMBERS: u64 = 14;

/// Peak of a burst: -24 dBFS, so that some ten senders may coincide.
pub(super) const AMPLITUDE: f64 = 2_000.0;

/// Samples after which every carrier repeats: they are multiples of 50 Hz.
pub(super) const CYCLE: usize = 960;

/// Cycles of the sender's carrier in [`CYCLE`] samples, that is, its frequency over 50 Hz.
pub(super) fn carrier(sender: u16) -> usize {
    8 + 3 * usize::from(sender % SENDERS)
}

/// When the sender's word number 0 begins. Steps of the golden ratio of the period keep any set of
/// consecutive senders apart.
pub(super) fn offset(sender: u16) -> u64 {
    u64::from(sender) * 14_833 % PERIOD
}

/// Which positions of word `number` (below [`NUMBERS`]) hold a burst: the outer two, and between
/// them a code word of weight 4 of the extended Hamming code [8, 4, 4], of which there are 14.
///
/// Any two differ in at least two bursts that came and two that did not. A lost packet takes bursts
/// away, and its concealment may add some: neither alone, nor one of each, makes another word.
pub(super) fn word(number: u8) -> [bool; POSITIONS] {
    // The code is the affine functions of three bits; those of weight 4 are not constant.
    let (mask, complement) = (number / 2 + 1, number % 2);
    std::array::from_fn(|i| match i.checked_sub(1) {
        Some(x) if x < 8 => ((mask & x as u8).count_ones() as u8 + complement) % 2 == 1,
        _ => true,
    })
}

/// Frames of 20 ms within which every sender's first word begins.
pub const FIRST_FRAMES: u32 = PERIOD as u32 / FRAME_SAMPLES as u32;

/// Frames of 20 ms after which a sender says the same words again, from then on: 7 s.
pub const CYCLE_FRAMES: u32 = NUMBERS as u32 * FIRST_FRAMES;

/// The first sample of the word that begins in the sender's frame `n` of 20 ms, if one does,
/// counted from the start of the capture.
pub fn word_in(sender: u16, n: u32) -> Option<u64> {
    let begin = u64::from(n) * FRAME_SAMPLES as u64;
    let words = begin.saturating_sub(offset(sender)).div_ceil(PERIOD);
    let first = offset(sender) + words * PERIOD;
    (first < begin + FRAME_SAMPLES as u64).then_some(first)
}

/// The number of the word whose positions hold these bursts; `None` if it is no word.
pub(super) fn number(bursts: [bool; POSITIONS]) -> Option<u8> {
    (0..NUMBERS as u8).find(|&number| word(number) == bursts)
}

/// A burst's envelope at its sample `i`: a Hann window, 0 to 1.
pub(super) fn envelope(i: f64) -> f64 {
    (PI * (i + 0.5) / BURST as f64).sin().powi(2)
}

/// One cycle of a sine over [`CYCLE`] samples, in units of 1/32767. Rounded, so that the last bit
/// of a platform's `sin` does not matter.
pub(super) fn sine() -> Vec<i16> {
    let turn = 2.0 * PI / CYCLE as f64;
    (0..CYCLE)
        .map(|i| (32_767.0 * (turn * i as f64).sin()).round() as i16)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_differ_in_two_bursts_each_way() {
        let numbers = 0..NUMBERS as u8;
        for (a, b) in numbers
            .clone()
            .flat_map(|a| numbers.clone().map(move |b| (a, b)))
        {
            let only_in_a = word(a)
                .into_iter()
                .zip(word(b))
                .filter(|(a, b)| *a && !b)
                .count();
            assert_eq!(only_in_a >= 2, a != b, "{a} {b}: {only_in_a}");
        }
        for n in numbers {
            assert_eq!(number(word(n)), Some(n));
            // Two outer bursts and four inner ones.
            assert_eq!(word(n).into_iter().filter(|burst| *burst).count(), 6);
        }
    }

    #[test]
    fn parts_of_two_words_make_no_other() {
        // A period is 14.5 positions: the next word lies between positions 14 and 15. Taking it
        // for either, no ten positions that begin within a word are a word with silence around it.
        let numbers = NUMBERS as usize;
        for (first, gap) in (0..numbers).flat_map(|n| [(n, 14), (n, 15)]) {
            let mut line = vec![false; 4 * gap];
            for i in 0..4 {
                let word = word(((first + i) % numbers) as u8);
                line[i * gap..][..POSITIONS].copy_from_slice(&word);
            }
            for start in gap + 1..2 * gap {
                let bursts = line[start..start + POSITIONS].try_into().unwrap();
                let before = &line[start - SILENT_BEFORE..start];
                let after = &line[start + POSITIONS..][..SILENT_AFTER];
                let silent = !before.iter().chain(after).any(|burst| *burst);
                assert!(
                    !(silent && number(bursts).is_some()),
                    "{first} {gap} {start}"
                );
            }
        }
    }

    #[test]
    fn a_word_begins_in_one_frame_of_25() {
        // Sender 1 begins at sample 14,833, in frame 15 (14,400 to 15,359), and every 25 frames
        // after that; sender 0 at sample 0.
        let frames = |sender| (0..60).filter_map(move |n| Some((n, word_in(sender, n)?)));
        assert!(frames(1).eq([(15, 14_833), (40, 38_833)]));
        assert!(frames(0).eq([(0, 0), (25, 24_000), (50, 48_000)]));
    }

    #[test]
    fn carriers_lie_where_speech_codecs_keep_them() {
        let frequencies: Vec<usize> = (0..SENDERS).map(|s| 50 * carrier(s)).collect();
        assert_eq!((frequencies[0], frequencies[49]), (400, 7_750));
        assert!(frequencies.windows(2).all(|pair| pair[1] - pair[0] == 150));
    }

    #[test]
    fn a_word_fits_its_period() {
        let length = (POSITIONS - 1) * POSITION + BURST;
        assert_eq!(length, 16_344); // 340.5 ms
        assert!((length as u64) < PERIOD);
    }
}
