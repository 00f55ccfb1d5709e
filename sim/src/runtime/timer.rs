//! Timers: a sleep is ready when its own event has happened, never because time has passed.
//!
//! The stack's `select!` picks among ready arms by a process-wide counter. If sleeps became ready
//! by comparing clocks, two arms could be ready at one poll and the outcome would depend on what
//! else the process runs.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use slab::Slab;
use webrtc::runtime::AsyncInterval;

use super::shared::Shared;
use crate::kernel::Network;
use crate::kernel::event::Event;
use crate::time::Time;

/// Cancelled timers stay in the event queue until they are due, or until there are this many of
/// them and they are the most of the queue.
const SWEEP_FROM: usize = 4_096;

#[derive(Debug)]
enum Timer {
    Pending(Option<Waker>),
    Fired,
    Cancelled,
}

/// Every timer whose event has not happened or whose sleep still exists.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    slots: Slab<Timer>,
    cancelled: usize,
}

impl Timers {
    fn arm(&mut self, network: &mut Network, at: Time) -> u32 {
        let slot = self.slots.insert(Timer::Pending(None)) as u32;
        network.schedule(at, Event::Timer(slot));
        slot
    }

    /// The event of a timer happened; returns who waits for it.
    pub(crate) fn fire(&mut self, slot: u32) -> Option<Waker> {
        let timer = &mut self.slots[slot as usize];
        match std::mem::replace(timer, Timer::Fired) {
            Timer::Pending(waker) => waker,
            Timer::Cancelled => {
                self.slots.remove(slot as usize);
                self.cancelled -= 1;
                None
            }
            Timer::Fired => unreachable!("a timer has one event"),
        }
    }

    fn poll(&mut self, slot: u32, waker: &Waker) -> Poll<()> {
        match &mut self.slots[slot as usize] {
            Timer::Fired => Poll::Ready(()),
            Timer::Pending(waiting) => {
                match waiting {
                    Some(waiting) => waiting.clone_from(waker),
                    None => *waiting = Some(waker.clone()),
                }
                Poll::Pending
            }
            Timer::Cancelled => unreachable!("only dropping a sleep cancels its timer"),
        }
    }

    /// The sleep is gone; returns its waker so that it is dropped outside the lock.
    fn cancel(&mut self, network: &mut Network, slot: u32) -> Option<Waker> {
        let timer = &mut self.slots[slot as usize];
        let waker = match std::mem::replace(timer, Timer::Cancelled) {
            Timer::Fired => {
                self.slots.remove(slot as usize);
                return None;
            }
            Timer::Pending(waker) => waker,
            Timer::Cancelled => unreachable!("a sleep is dropped once"),
        };
        self.cancelled += 1;
        if self.cancelled > SWEEP_FROM && self.cancelled > network.scheduled() / 2 {
            self.sweep(network);
        }
        waker
    }

    fn sweep(&mut self, network: &mut Network) {
        let slots = &self.slots;
        network.retain_timers(|slot| !matches!(slots[slot as usize], Timer::Cancelled));
        self.slots
            .retain(|_, timer| !matches!(timer, Timer::Cancelled));
        self.cancelled = 0;
    }
}

/// Completes when its deadline is reached in virtual time.
pub(crate) struct Sleep {
    shared: Arc<Shared>,
    slot: u32,
}

impl Sleep {
    pub(crate) fn new(shared: &Arc<Shared>, deadline: Time) -> Self {
        let slot = shared.with(|core| core.timers.arm(&mut core.network, deadline));
        Sleep {
            shared: Arc::clone(shared),
            slot,
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.shared
            .with(|core| core.timers.poll(self.slot, cx.waker()))
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let waker = self
            .shared
            .with(|core| core.timers.cancel(&mut core.network, self.slot));
        drop(waker);
    }
}

/// Ticks at its start and every period after it; a late reader catches up tick by tick.
pub(crate) struct Interval {
    shared: Arc<Shared>,
    next: Time,
    period: Duration,
}

impl Interval {
    pub(crate) fn new(shared: &Arc<Shared>, period: Duration) -> Self {
        Interval {
            next: shared.with(|core| core.network.now()),
            shared: Arc::clone(shared),
            period,
        }
    }
}

impl AsyncInterval for Interval {
    fn tick(&mut self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            let now = self.shared.with(|core| core.network.now());
            Sleep::new(&self.shared, self.next.max(now)).await;
            self.next += self.period;
        })
    }
}
