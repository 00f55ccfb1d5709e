//! CPU time by host, measured with the thread's CPU clock.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::kernel::HostId;

/// Who the thread is working for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    /// The emulated network and the bookkeeping.
    Kernel,
    /// The tasks of a host.
    Host(HostId),
    /// Work that a deployment would not do.
    Workaround,
    /// Making and judging test media, and everything else that only measuring needs.
    Observer,
}

/// CPU time spent so far, by account.
#[derive(Clone, Debug)]
pub struct Meter {
    hosts: Vec<Duration>,
    kernel: Duration,
    workaround: Duration,
    observer: Duration,
    current: Account,
    since: Duration,
}

impl Meter {
    pub(crate) fn new() -> Self {
        Meter {
            hosts: Vec::new(),
            kernel: Duration::ZERO,
            workaround: Duration::ZERO,
            observer: Duration::ZERO,
            current: Account::Kernel,
            since: thread_cpu(),
        }
    }

    /// Books the time since the last switch and goes on for `account`. Reading the clock is a
    /// system call (about 0.3 us), so staying with an account reads nothing.
    pub(crate) fn switch(&mut self, account: Account) {
        if account == self.current {
            return;
        }
        let now = thread_cpu();
        let spent = now.saturating_sub(self.since);
        *self.slot(self.current) += spent;
        self.since = now;
        self.current = account;
    }

    /// Who the thread is working for now.
    pub(crate) fn current(&self) -> Account {
        self.current
    }

    fn slot(&mut self, account: Account) -> &mut Duration {
        match account {
            Account::Kernel => &mut self.kernel,
            Account::Workaround => &mut self.workaround,
            Account::Observer => &mut self.observer,
            Account::Host(host) => {
                if self.hosts.len() <= host.index() {
                    self.hosts.resize(host.index() + 1, Duration::ZERO);
                }
                &mut self.hosts[host.index()]
            }
        }
    }

    /// CPU time of a host's tasks.
    pub fn host(&self, host: HostId) -> Duration {
        self.hosts.get(host.index()).copied().unwrap_or_default()
    }

    /// CPU time of the emulated network and the bookkeeping.
    pub fn kernel(&self) -> Duration {
        self.kernel
    }

    /// CPU time of work-arounds that a deployment would not pay.
    pub fn workaround(&self) -> Duration {
        self.workaround
    }

    /// CPU time of what only measuring needs.
    pub fn observer(&self) -> Duration {
        self.observer
    }
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
