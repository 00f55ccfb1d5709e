//! Tasks of hosts, on a first-in-first-out executor.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use async_executor::Task;
use webrtc::runtime::JoinHandle;

use super::flush::FlushGroup;
use super::meter::Account;
use super::shared::{Shared, SimRuntime};
use crate::kernel::HostId;

/// A task that books its CPU time on its host.
pub(crate) struct HostTask {
    shared: Arc<Shared>,
    host: HostId,
    flush: Option<FlushGroup>,
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl HostTask {
    pub(crate) fn new(
        runtime: &SimRuntime,
        future: Pin<Box<dyn Future<Output = ()> + Send>>,
    ) -> Self {
        HostTask {
            shared: Arc::clone(&runtime.shared),
            host: runtime.host,
            flush: runtime.flush,
            future,
        }
    }
}

impl Future for HostTask {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let (host, flush) = (self.host, self.flush);
        self.shared.with(|core| {
            if let Some(group) = flush {
                core.flush.ran(group);
            }
            let account = match core.flush.nudging() {
                true => Account::Workaround,
                false => Account::Host(host),
            };
            core.meter.switch(account);
        });
        let future = self.future.as_mut();
        // The executor would keep a panic for whoever awaits the task, which often is nobody.
        catch_unwind(AssertUnwindSafe(|| future.poll(cx))).unwrap_or_else(|panic| {
            self.shared.with(|core| core.panic = Some(panic));
            Poll::Ready(())
        })
    }
}

/// Starts a task; once the simulation has ended, drops it.
pub(crate) fn spawn(shared: &Shared, task: HostTask) -> Box<dyn JoinHandle> {
    let task = shared
        .executor
        .upgrade()
        .map(|executor| executor.spawn(task));
    Box::new(Handle(Mutex::new(task)))
}

/// Detaches its task when dropped, as [`JoinHandle`] asks for.
struct Handle(Mutex<Option<Task<()>>>);

impl Handle {
    fn take(&self) -> Option<Task<()>> {
        self.0
            .lock()
            .expect("no panic while the handle is locked")
            .take()
    }
}

impl JoinHandle for Handle {
    fn detach(&self) {
        if let Some(task) = self.take() {
            task.detach();
        }
    }

    fn abort(&self) {
        drop(self.take());
    }

    fn is_finished(&self) -> bool {
        self.0
            .lock()
            .expect("no panic while the handle is locked")
            .as_ref()
            .is_none_or(Task::is_finished)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.detach();
    }
}
