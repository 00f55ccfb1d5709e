//! The codepoints of packets that came.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rtc::rtcp::transport_feedbacks::cc_feedback_report::Ecn;

/// How many packets are remembered: three times as many as the stack's largest feedback tells of,
/// 1,200 bytes with two for each packet.
const REMEMBERED: usize = 2_048;

/// What the packets of one connection came with. They are noted before they are authenticated: who
/// forges a packet can forge a mark for it, but no packet that feedback tells of.
#[derive(Clone, Debug, Default)]
pub struct Codepoints(Arc<Mutex<Latest>>);

#[derive(Debug, Default)]
struct Latest {
    fields: BTreeMap<(u32, u16), Ecn>,
    /// The keys, by when they came first.
    order: VecDeque<(u32, u16)>,
}

impl Codepoints {
    fn lock(&self) -> MutexGuard<'_, Latest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A packet of a stream came. Of several copies the first one counts, unless any is marked
    /// (RFC 8888 section 3.1).
    pub fn note(&self, ssrc: u32, sequence: u16, ecn: Ecn) {
        let mut latest = self.lock();
        let key = (ssrc, sequence);
        match latest.fields.get_mut(&key) {
            Some(known) if ecn == Ecn::Ce => *known = ecn,
            Some(_) => {}
            None => {
                latest.fields.insert(key, ecn);
                latest.order.push_back(key);
            }
        }
        if latest.order.len() > REMEMBERED
            && let Some(oldest) = latest.order.pop_front()
        {
            latest.fields.remove(&oldest);
        }
    }

    /// What a packet came with; Not-ECT if it is not known.
    pub fn of(&self, ssrc: u32, sequence: u16) -> Ecn {
        let known = self.lock().fields.get(&(ssrc, sequence)).copied();
        known.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_copies_the_first_counts_unless_one_is_marked() {
        let codepoints = Codepoints::default();
        assert_eq!(codepoints.of(1, 7), Ecn::NotEct);
        for (copy, known) in [
            (Ecn::Ect0, Ecn::Ect0),
            (Ecn::NotEct, Ecn::Ect0),
            (Ecn::Ce, Ecn::Ce),
            (Ecn::Ect0, Ecn::Ce),
        ] {
            codepoints.note(1, 7, copy);
            assert_eq!(codepoints.of(1, 7), known);
        }
        assert_eq!(codepoints.of(2, 7), Ecn::NotEct);
        assert_eq!(codepoints.of(1, 8), Ecn::NotEct);
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let codepoints = Codepoints::default();
        for number in 0..=REMEMBERED as u16 {
            codepoints.note(1, number, Ecn::Ect0);
        }
        assert_eq!(codepoints.of(1, 0), Ecn::NotEct);
        assert_eq!(codepoints.of(1, 1), Ecn::Ect0);
        assert_eq!(codepoints.of(1, REMEMBERED as u16), Ecn::Ect0);
        assert_eq!(codepoints.lock().fields.len(), REMEMBERED);
    }
}
