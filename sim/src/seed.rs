//! One seed per run, split into named independent streams.
//!
//! A part of the world draws from its own stream (`seed.stream("link/3/up/loss")`), so adding a
//! part, or drawing more often in one, never shifts the numbers that another part sees.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The seed of a run: everything random in it follows from this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream called `name`: the same name always gives the same numbers, and different names
    /// give independent ones (the key is SHA-256 of the seed and the name).
    pub fn stream(self, name: &str) -> ChaCha8Rng {
        let mut hash = Sha256::new();
        hash.update(self.0.to_le_bytes());
        hash.update(name.as_bytes());
        ChaCha8Rng::from_seed(hash.finalize().into())
    }

    /// The seed of the part called `name` that is a run of its own: independent of this one and of
    /// those of other parts.
    pub fn part(self, name: &str) -> Seed {
        Seed(self.stream(&format!("part/{name}")).next_u64())
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;

    #[test]
    fn streams_are_repeatable_and_distinct() {
        let draw = |seed: u64, name: &str| Seed(seed).stream(name).next_u64();
        assert_eq!(draw(1, "a"), draw(1, "a"));
        assert_ne!(draw(1, "a"), draw(1, "b"));
        assert_ne!(draw(1, "a"), draw(2, "a"));
        assert_eq!(Seed(1).part("a"), Seed(1).part("a"));
        assert_ne!(Seed(1).part("a"), Seed(1).part("b"));
        assert_ne!(Seed(1).part("a"), Seed(2).part("a"));
    }
}
