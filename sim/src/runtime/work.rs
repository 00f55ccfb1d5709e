//! Work that a host's CPU is charged for, and whose result is there when the work is done.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::Duration;

use super::meter::{Account, thread_cpu};
use super::shared::{Shared, SimRuntime};
use super::timer::Sleep;
use crate::host::cpu::{Overloaded, Work};
use crate::kernel::HostId;
use crate::time::Time;

impl SimRuntime {
    /// Charges the host for work that costs `cost` at speed 1, and does it as `job` on a thread of
    /// the process-wide pool. The result is there at the virtual instant at which the host's CPU
    /// is done; until then the simulation goes on, and from then on it waits for the job.
    ///
    /// Where CPUs are free that is the present instant, after all tasks that are ready now: jobs
    /// that several tasks start at one instant run side by side.
    ///
    /// `job` is to be a pure function of what it owns. No randomness and no time of the simulation
    /// is on its thread, and replay rests on its result alone.
    ///
    /// # Errors
    ///
    /// [`Overloaded`] if the CPU is too far behind; `job` is dropped then.
    pub fn work<T: Send + 'static>(
        &self,
        kind: Work,
        cost: Duration,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Computing<T>, Overloaded> {
        let done = (self.shared).with(|core| core.network.charge(self.host, kind, cost))?;
        let (send, result) = channel();
        rayon::spawn(move || {
            let before = thread_cpu();
            let result = catch_unwind(AssertUnwindSafe(job));
            // Nobody may be interested any more.
            let _ = send.send((result, thread_cpu().saturating_sub(before)));
        });
        Ok(Computing {
            shared: Arc::clone(&self.shared),
            account: (self.host, kind),
            done: Sleep::new(&self.shared, done),
            result,
        })
    }

    /// As [`work`](Self::work), for work that is not worth a thread: `job` runs here and now. The
    /// result comes with the instant at which the CPU is done with it, and is not to be used
    /// before that; it is the present one where CPUs are free.
    ///
    /// # Errors
    ///
    /// [`Overloaded`] if the CPU is too far behind; `job` is not run then.
    pub fn work_here<T>(
        &self,
        kind: Work,
        cost: Duration,
        job: impl FnOnce() -> T,
    ) -> Result<(T, Time), Overloaded> {
        let done = (self.shared).with(|core| core.network.charge(self.host, kind, cost))?;
        Ok((self.on_account(Account::Work(self.host, kind), job), done))
    }
}

/// A job of [`SimRuntime::work`]. If it is dropped, the job still runs to its end, and its result
/// is dropped.
#[must_use = "the result is there when this has been awaited"]
pub struct Computing<T> {
    shared: Arc<Shared>,
    account: (HostId, Work),
    done: Sleep,
    result: Receiver<(thread::Result<T>, Duration)>,
}

impl<T> Future for Computing<T> {
    type Output = T;

    /// # Panics
    ///
    /// With the panic of the job.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        ready!(Pin::new(&mut self.done).poll(cx));
        let (result, spent) = (self.result.recv()).expect("a job sends its result, or its panic");
        let (host, kind) = self.account;
        let account = Account::Work(host, kind);
        self.shared.with(|core| core.meter.book(account, spent));
        Poll::Ready(result.unwrap_or_else(|panic| resume_unwind(panic)))
    }
}
