//! A short queue between what comes unevenly and what is taken at every tick.

use std::collections::VecDeque;

/// Items that may wait before the oldest is dropped: 100 ms of sound.
const WAITING: usize = 5;

/// Ticks over which a backlog looks for items that nobody needed: half a second of sound.
const ROUND: u32 = 25;

/// Items in order, one of which is taken at every tick.
///
/// It holds as many as lateness made necessary lately, and never more than five: beyond that, the
/// oldest are dropped.
#[derive(Debug)]
pub struct Backlog<T> {
    items: VecDeque<T>,
    /// The shortest that it was at a tick of the current round, and ticks in it.
    shortest: usize,
    ticks: u32,
}

impl<T> Default for Backlog<T> {
    fn default() -> Self {
        Backlog {
            items: VecDeque::with_capacity(WAITING),
            shortest: 0,
            ticks: 0,
        }
    }
}

impl<T> Backlog<T> {
    /// Adds an item.
    pub fn push(&mut self, item: T) {
        if self.items.len() == WAITING {
            self.items.pop_front();
        }
        self.items.push_back(item);
    }

    /// The item of this tick. Items that have waited through a whole round without being needed are
    /// dropped, so that what was late once is not late for ever.
    pub fn take(&mut self) -> Option<T> {
        let length = self.items.len();
        self.shortest = match self.ticks {
            0 => length,
            _ => self.shortest.min(length),
        };
        self.ticks += 1;
        if self.ticks == ROUND {
            self.ticks = 0;
            self.items.drain(..self.shortest.saturating_sub(1));
        }
        self.items.pop_front()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is taken at the next `ticks` ticks, with nothing added.
    fn take(backlog: &mut Backlog<u16>, ticks: u32) -> Vec<u16> {
        (0..ticks).filter_map(|_| backlog.take()).collect()
    }

    #[test]
    fn items_come_in_order_and_nothing_comes_when_none_is_there() {
        let mut backlog = Backlog::default();
        (0..3).for_each(|item| backlog.push(item));
        assert_eq!(take(&mut backlog, 4), [0, 1, 2]);
        assert_eq!(backlog.take(), None);
        assert!(backlog.is_empty());
    }

    #[test]
    fn beyond_what_may_wait_the_oldest_is_dropped() {
        let mut backlog = Backlog::default();
        (0..7).for_each(|item| backlog.push(item));
        // Of 7, the last 5 (WAITING) remain: 100 ms.
        assert_eq!(take(&mut backlog, 7), [2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_delay_that_nobody_needed_ends_after_a_round() {
        let mut backlog = Backlog::default();
        // Three items come at once, then one per tick: at every tick three wait, where one would
        // do. A round has 25 ticks; at its last one the two oldest go: 0 to 23 have been taken by
        // then, 24 and 25 go, 26 is taken, and the backlog is as short as it can be.
        (0..2).for_each(|item| backlog.push(item));
        let mut taken = Vec::new();
        for item in 2..30 {
            backlog.push(item);
            taken.extend(take(&mut backlog, 1));
        }
        let expected: Vec<u16> = (0..24).chain(26..30).collect();
        assert_eq!(taken, expected);
    }

    #[test]
    fn a_delay_that_was_needed_once_in_a_round_stays() {
        let mut backlog = Backlog::default();
        (0..2).for_each(|item| backlog.push(item));
        let mut taken = Vec::new();
        for tick in 2..30 {
            // At tick 10 two items are late: one is left for that tick, and three come next.
            match tick {
                10 | 11 => {}
                12 => (10..13).for_each(|item| backlog.push(item)),
                tick => backlog.push(tick),
            }
            taken.extend(take(&mut backlog, 1));
        }
        let expected: Vec<u16> = (0..28).collect();
        assert_eq!(taken, expected);
    }
}
