//! Doubting words that nothing else agrees with.
//!
//! Codecs can bend a word until it reads as another one: of fifty voices that Opus encodes as one
//! sound, a word in a hundred does. What it then says is wrong by a multiple of 500 ms, and the
//! words around it say otherwise.

use std::time::Duration;

use sim::Time;

/// Two words of a sender agree if their latencies are this close: half of what a misread one is
/// wrong by, at least.
const CLOSE: Duration = Duration::from_millis(250);

/// When a word was said, and when it was heard.
type Word = (Time, Time);

/// Lets the words of one sender pass that agree with the one before or the one after.
#[derive(Clone, Copy, Debug, Default)]
pub struct Agreement {
    /// The word before, and whether it is still waiting for one that agrees.
    last: Option<(Word, bool)>,
}

impl Agreement {
    /// Takes the next word that was heard; the words that are sure now, in the order in which they
    /// were heard.
    pub fn admit(&mut self, word: Word) -> impl Iterator<Item = Word> + use<> {
        let agreeing = self.last.filter(|(last, _)| agree(*last, word));
        self.last = Some((word, agreeing.is_none()));
        let waited = agreeing.and_then(|(last, waits)| waits.then_some(last));
        waited.into_iter().chain(agreeing.map(|_| word))
    }
}

fn agree(a: Word, b: Word) -> bool {
    let latency = |(said, heard): Word| heard.saturating_since(said);
    latency(a).abs_diff(latency(b)) < CLOSE
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words that pass, by number, of one word every 500 ms with these latencies in ms.
    fn passing(latencies: &[u64]) -> Vec<u64> {
        let mut agreement = Agreement::default();
        let millis = |ms| Time::ZERO + Duration::from_millis(ms);
        let mut passed = Vec::new();
        for (number, latency) in (0..).zip(latencies) {
            let said = number * 500;
            let admitted = agreement.admit((millis(said), millis(said + latency)));
            passed.extend(admitted.map(|(said, _)| (said - Time::ZERO).as_millis() as u64 / 500));
        }
        passed
    }

    #[test]
    fn words_that_agree_pass() {
        assert_eq!(passing(&[120, 130, 110, 359]), [0, 1, 2, 3]);
    }

    #[test]
    fn a_word_alone_is_in_doubt() {
        assert_eq!(passing(&[]), [] as [u64; 0]);
        assert_eq!(passing(&[120]), [] as [u64; 0]);
        assert_eq!(passing(&[120, 620]), [] as [u64; 0]);
    }

    #[test]
    fn a_misread_word_is_left_out() {
        assert_eq!(passing(&[120, 120, 2_620, 120, 120]), [0, 1, 3, 4]);
        assert_eq!(passing(&[2_620, 120, 120]), [1, 2]);
    }

    #[test]
    fn sound_that_stays_later_is_believed() {
        assert_eq!(passing(&[120, 120, 620, 620]), [0, 1, 2, 3]);
        // 249 ms agree, 250 ms do not.
        assert_eq!(passing(&[100, 349, 599, 100]), [0, 1]);
    }
}
