//! A file at its receiver: put in order, hashed, and compared with what its sender says it is.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// What has come of a file. The content itself is not kept.
#[derive(Clone, Debug, Default)]
pub struct Assembly {
    hash: Sha256,
    /// The number of the part that comes next.
    next: u32,
    /// Parts that overtook the next one: over an ordered channel there are none.
    early: BTreeMap<u32, Vec<u8>>,
    /// How many parts there are, and the SHA-256 of them all.
    end: Option<(u32, Vec<u8>)>,
}

impl Assembly {
    /// Adds part `sequence`; the `last` one holds the SHA-256 of the others. With the part that
    /// completes the file, returns whether it is what was sent.
    pub fn add(&mut self, sequence: u32, last: bool, part: &[u8]) -> Option<bool> {
        if last {
            self.end = Some((sequence, part.to_vec()));
        } else if sequence == self.next {
            self.take(part);
            while let Some(part) = self.early.remove(&self.next) {
                self.take(&part);
            }
        } else if sequence > self.next {
            self.early.insert(sequence, part.to_vec());
        }
        let (parts, expected) = self.end.as_ref()?;
        let complete = *parts == self.next;
        complete.then(|| self.hash.clone().finalize()[..] == expected[..])
    }

    fn take(&mut self, part: &[u8]) {
        self.hash.update(part);
        self.next += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(content: &[u8]) -> Vec<u8> {
        Sha256::digest(content).to_vec()
    }

    #[test]
    fn a_file_is_complete_with_its_last_part_in_any_order() {
        let hash = digest(b"abcdef");
        let parts: [(u32, bool, &[u8]); 4] = [
            (0, false, b"ab"),
            (1, false, b"cd"),
            (2, false, b"ef"),
            (3, true, &hash),
        ];
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2]] {
            let mut file = Assembly::default();
            let outcomes = order.map(|index| {
                let (sequence, last, part) = parts[index];
                file.add(sequence, last, part)
            });
            assert_eq!(outcomes, [None, None, None, Some(true)], "{order:?}");
        }
    }

    #[test]
    fn a_file_that_is_not_what_was_sent_is_told() {
        let mut file = Assembly::default();
        assert_eq!(file.add(0, false, b"abx"), None);
        assert_eq!(file.add(1, true, &digest(b"abc")), Some(false));
    }

    #[test]
    fn a_file_of_nothing_is_whole() {
        assert_eq!(Assembly::default().add(0, true, &digest(b"")), Some(true));
    }
}
