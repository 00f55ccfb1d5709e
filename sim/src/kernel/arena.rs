//! Memory for payloads that are copied into the world.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// Bytes of a chunk: the largest UDP payload fits, and dozens of the usual 1,200.
const CHUNK: usize = 1 << 16;

/// Chunks that are kept to be used again: 4 MiB, over 3,000 full packets on their way at once.
const KEPT: usize = 64;

/// Copies payloads into chunks that are used again when all payloads in them are gone.
///
/// Packets of a video call are of a size that allocators handle slowly, and live about as long as
/// one another, so whole chunks fall free in the order in which they were filled. Where that is
/// not so, because payloads stay in a socket that no one reads, their chunks are let go.
#[derive(Debug)]
pub(crate) struct Arena {
    /// What is left of the chunk that is being filled.
    current: BytesMut,
    /// Full chunks, the oldest first.
    full: VecDeque<BytesMut>,
}

impl Arena {
    /// A copy of `data`. More than a chunk, which UDP never sends, gets memory of its own.
    pub(crate) fn copy(&mut self, data: &[u8]) -> Bytes {
        if self.current.capacity() < data.len() {
            self.next_chunk();
        }
        self.current.extend_from_slice(data);
        self.current.split().freeze()
    }

    /// Moves on to the oldest chunk if nothing in it is in use any more, or to a new one.
    fn next_chunk(&mut self) {
        let free = self.full.pop_front_if(|oldest| oldest.try_reclaim(CHUNK));
        let next = free.unwrap_or_else(|| BytesMut::with_capacity(CHUNK));
        if self.full.len() == KEPT {
            self.full.pop_front();
        }
        self.full
            .push_back(std::mem::replace(&mut self.current, next));
    }
}

impl Default for Arena {
    fn default() -> Self {
        Arena {
            current: BytesMut::with_capacity(CHUNK),
            full: VecDeque::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_do_not_overlap_and_keep_their_contents() {
        // 65 copies of 1,000 bytes fit into a chunk of 65,536, so 300 of them are in five; the
        // largest payload (65,507) is in one of its own, and what is larger than a chunk works, too.
        let mut arena = Arena::default();
        let sizes = [[1_000; 300].as_slice(), &[65_507, 70_000, 1]].concat();
        let pattern = |i: usize, size| vec![(i % 251) as u8; size];
        let copies: Vec<_> = (0..)
            .zip(&sizes)
            .map(|(i, &n)| arena.copy(&pattern(i, n)))
            .collect();
        for (i, copy) in copies.iter().enumerate() {
            assert_eq!(copy[..], pattern(i, sizes[i]));
        }
    }

    #[test]
    fn chunks_are_used_again() {
        // 65 copies fit into a chunk, so a window of 100 spans two or three. When the current one
        // is full, the window is in that one and one or two before it; any other is free.
        let mut arena = Arena::default();
        let mut window = VecDeque::new();
        for _ in 0..10_000 {
            window.push_back(arena.copy(&[7; 1_000]));
            if window.len() > 100 {
                window.pop_front();
            }
        }
        assert!((1..=2).contains(&arena.full.len()), "{}", arena.full.len());
    }

    #[test]
    fn a_payload_that_stays_holds_no_more_than_its_chunk() {
        // It is in the first chunk, so that no chunk is reclaimed until that one is let go.
        let mut arena = Arena::default();
        let stays = arena.copy(&[1; 1_000]);
        for _ in 0..100_000 {
            arena.copy(&[2; 1_000]);
        }
        assert_eq!(arena.full.len(), KEPT);
        assert_eq!(stays[..], [1; 1_000]);
        assert!(arena.full.iter_mut().all(|chunk| chunk.try_reclaim(CHUNK)));
    }
}
