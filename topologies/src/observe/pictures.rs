//! What was captured lately, to judge what is shown.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::media::Frame;

/// Captured pictures kept per sender: two seconds at 30 frames per second. A picture that is shown
/// later than that is not judged.
const KEPT: usize = 60;

/// The latest captured pictures of every sender.
#[derive(Debug, Default)]
pub struct Pictures {
    by_sender: BTreeMap<u16, VecDeque<(u32, Arc<Frame>)>>,
}

impl Pictures {
    /// Keeps frame `number` of a sender, and forgets the oldest beyond what is kept.
    pub fn keep(&mut self, sender: u16, number: u32, frame: Arc<Frame>) {
        let kept = self.by_sender.entry(sender).or_default();
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back((number, frame));
    }

    /// Frame `number` of a sender, if it is still kept.
    pub fn find(&self, sender: u16, number: u32) -> Option<Arc<Frame>> {
        let kept = self.by_sender.get(&sender)?;
        let index = kept.binary_search_by_key(&number, |(kept, _)| *kept).ok()?;
        Some(Arc::clone(&kept[index].1))
    }
}
