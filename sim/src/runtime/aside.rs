//! Work of observers that nobody waits for before the end of the run.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use super::meter::thread_cpu;
use super::shared::SimRuntime;

impl SimRuntime {
    /// Does work that only measuring needs on a thread of the process-wide pool, at any time up
    /// to the end of the simulation, off the host's CPU account. The simulation is not to see
    /// what it does; what runs after [`finish`](super::Simulation::finish) does.
    pub fn aside_later(&self, job: impl FnOnce() + Send + 'static) {
        let done = self.shared.with(|core| core.asides.start());
        rayon::spawn(move || {
            let before = thread_cpu();
            let outcome = catch_unwind(AssertUnwindSafe(job));
            // A simulation that was dropped without an end does not listen.
            let _ = done.send((outcome, thread_cpu().saturating_sub(before)));
        });
    }
}

/// How a job ended, and the CPU time that it took.
type Done = (thread::Result<()>, Duration);

/// The jobs that were started.
pub(crate) struct Asides {
    sender: Sender<Done>,
    done: Receiver<Done>,
    running: usize,
}

impl Default for Asides {
    fn default() -> Self {
        let (sender, done) = channel();
        Asides {
            sender,
            done,
            running: 0,
        }
    }
}

impl Asides {
    fn start(&mut self) -> Sender<Done> {
        self.running += 1;
        self.sender.clone()
    }

    /// Waits for every job, and returns the CPU time that they took.
    ///
    /// # Panics
    ///
    /// With the panic of a job.
    pub(crate) fn finish(&mut self) -> Duration {
        let jobs = self.done.iter().take(std::mem::take(&mut self.running));
        let spent = |(outcome, spent): Done| {
            outcome.unwrap_or_else(|panic| resume_unwind(panic));
            spent
        };
        jobs.map(spent).sum()
    }
}
