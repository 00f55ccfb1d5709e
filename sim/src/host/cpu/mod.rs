//! CPUs of hosts: cores that do charged work, one piece after the other.
//!
//! The model is a first-in-first-out run queue with `cores` servers and no preemption. A piece of
//! work goes to the core that is free first and keeps it to the end:
//!
//! `start = max(now, earliest free core)`, `end = start + cost / speed`.
//!
//! Both are known at once when the work is admitted, so a run queue is nothing but an instant per
//! core. The queue is bounded in time: work that would have to wait for longer than the backlog is
//! refused, and whoever wanted it done goes without.

mod usage;

use std::time::Duration;

use thiserror::Error;

use crate::time::Time;

pub use usage::{CpuUsage, Work};

/// The CPU of a host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CpuConfig {
    /// How many pieces of work it does at the same time, 1 or more.
    pub cores: u32,
    /// What costs are divided by: how fast one core is, above 0.
    pub speed: f64,
    /// The longest that a piece of work may have to wait for a core.
    pub backlog: Duration,
    /// What sending a UDP packet costs at speed 1.
    pub packet_send: Duration,
    /// What receiving a UDP packet costs at speed 1.
    pub packet_receive: Duration,
}

/// What CPU cannot exist.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum CpuError {
    /// No work would ever be done.
    #[error("a CPU needs one core at least")]
    NoCores,
    /// Costs cannot be divided by it.
    #[error("a CPU cannot have the speed {0}: it is a finite number above 0")]
    Speed(f64),
}

/// Work was refused: the CPU is so far behind that it would wait for longer than the backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the CPU is too far behind")]
pub struct Overloaded;

/// Cores, what they are busy with, and what they were.
#[derive(Debug)]
pub(crate) struct Cpu {
    config: CpuConfig,
    /// When each core has done what it was given.
    free: Vec<Time>,
    usage: CpuUsage,
}

impl Cpu {
    /// An idle CPU whose usage is counted in the window `[from, to)`.
    pub(crate) fn new(config: CpuConfig, window: (Time, Time)) -> Result<Self, CpuError> {
        if config.cores == 0 {
            return Err(CpuError::NoCores);
        }
        if !(config.speed.is_finite() && config.speed > 0.0) {
            return Err(CpuError::Speed(config.speed));
        }
        Ok(Cpu {
            config,
            free: vec![Time::ZERO; config.cores as usize],
            usage: CpuUsage::new(window),
        })
    }

    /// Admits work that costs `cost` at speed 1, and returns when it is done.
    pub(crate) fn admit(
        &mut self,
        now: Time,
        work: Work,
        cost: Duration,
    ) -> Result<Time, Overloaded> {
        let core = (self.free.iter_mut().min()).expect("a CPU has one core at least");
        let start = now.max(*core);
        if start > now + self.config.backlog {
            self.usage.refuse(work);
            return Err(Overloaded);
        }
        *core = start + cost.div_f64(self.config.speed);
        self.usage.book(work, start, *core);
        Ok(*core)
    }

    /// Admits the sending of a packet.
    ///
    /// Packets leave in the order in which they were sent: work starts in the order of admission,
    /// since the core that is free first only becomes free later as work is added, and all sending
    /// takes the same time. The same goes for receiving.
    pub(crate) fn send(&mut self, now: Time) -> Result<Time, Overloaded> {
        self.admit(now, Work::Transport, self.config.packet_send)
    }

    /// Admits the receiving of a packet, in order as [`Cpu::send`].
    pub(crate) fn receive(&mut self, now: Time) -> Result<Time, Overloaded> {
        self.admit(now, Work::Transport, self.config.packet_receive)
    }

    pub(crate) fn usage(&self) -> &CpuUsage {
        &self.usage
    }

    /// Forgets what was booked and counts in another window from now on.
    pub(crate) fn measure(&mut self, window: (Time, Time)) {
        self.usage = CpuUsage::new(window);
    }
}

#[cfg(test)]
mod tests;
