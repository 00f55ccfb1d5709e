//! The event queue: a heap in the documented total order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::event::{Event, Scheduled};
use crate::time::Time;

/// Events that have yet to happen.
#[derive(Debug, Default)]
pub(crate) struct EventQueue {
    heap: BinaryHeap<Reverse<Scheduled>>,
    sequence: u64,
}

impl EventQueue {
    /// Schedules `event` at `at`.
    pub(crate) fn schedule(&mut self, at: Time, event: Event) {
        self.heap
            .push(Reverse(Scheduled::new(at, self.sequence, event)));
        self.sequence += 1;
    }

    /// When the next event happens.
    pub(crate) fn next_at(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse(scheduled)| scheduled.at)
    }

    /// Takes the next event.
    pub(crate) fn pop(&mut self) -> Option<(Time, Event)> {
        self.heap
            .pop()
            .map(|Reverse(scheduled)| (scheduled.at, scheduled.event))
    }

    /// How many events are scheduled.
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Drops the events that `keep` refuses; the order of the others does not change.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(Event) -> bool) {
        self.heap.retain(|Reverse(scheduled)| keep(scheduled.event));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_time_then_class_then_schedule() {
        let mut queue = EventQueue::default();
        let (early, late) = (Time::from_nanos(1), Time::from_nanos(2));
        queue.schedule(late, Event::Packet(0));
        queue.schedule(early, Event::Timer(1));
        queue.schedule(early, Event::Timer(0));
        queue.schedule(early, Event::Tcp);
        queue.schedule(early, Event::Packet(7));
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(
            order,
            [
                (early, Event::Packet(7)),
                (early, Event::Tcp),
                (early, Event::Timer(1)),
                (early, Event::Timer(0)),
                (late, Event::Packet(0)),
            ]
        );
    }

    #[test]
    fn retain_keeps_the_order() {
        let mut queue = EventQueue::default();
        for slot in 0..10 {
            queue.schedule(Time::ZERO, Event::Timer(slot));
        }
        queue.retain(|event| !matches!(event, Event::Timer(slot) if slot % 2 == 0));
        let order: Vec<_> = std::iter::from_fn(|| queue.pop().map(|(_, event)| event)).collect();
        assert_eq!(order, [1, 3, 5, 7, 9].map(Event::Timer));
        assert_eq!(queue.len(), 0);
    }
}
