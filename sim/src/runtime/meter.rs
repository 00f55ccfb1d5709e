//! CPU time by host and by work, measured with the CPU clocks of threads.

use std::collections::BTreeMap;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::host::cpu::Work;
use crate::kernel::HostId;

/// Who the thread is working for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    /// The emulated network and the bookkeeping.
    Kernel,
    /// The tasks of a host.
    Host(HostId),
    /// Charged work of a host.
    Work(HostId, Work),
    /// Work that a deployment would not do.
    Workaround,
    /// Making and judging test media, and everything else that only measuring needs.
    Observer,
}

/// CPU time spent so far, by account.
#[derive(Clone, Debug)]
pub struct Meter {
    hosts: Vec<Duration>,
    works: BTreeMap<(HostId, Work), Duration>,
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
            works: BTreeMap::new(),
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

    /// Books what another thread spent.
    pub(crate) fn book(&mut self, account: Account, spent: Duration) {
        *self.slot(account) += spent;
    }

    fn slot(&mut self, account: Account) -> &mut Duration {
        match account {
            Account::Kernel => &mut self.kernel,
            Account::Workaround => &mut self.workaround,
            Account::Observer => &mut self.observer,
            Account::Work(host, work) => self.works.entry((host, work)).or_default(),
            Account::Host(host) => {
                if self.hosts.len() <= host.index() {
                    self.hosts.resize(host.index() + 1, Duration::ZERO);
                }
                &mut self.hosts[host.index()]
            }
        }
    }

    /// CPU time of a host: of its tasks and of its charged work, on whatever thread.
    pub fn host(&self, host: HostId) -> Duration {
        let tasks = self.hosts.get(host.index()).copied().unwrap_or_default();
        tasks + self.works(host).map(|(_, spent)| spent).sum::<Duration>()
    }

    /// CPU time of a host's charged work, by kind.
    pub fn works(&self, host: HostId) -> impl Iterator<Item = (Work, Duration)> {
        let works = self
            .works
            .iter()
            .filter(move |((owner, _), _)| *owner == host);
        works.map(|(&(_, work), &spent)| (work, spent))
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

/// CPU time of the calling thread so far.
pub fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
