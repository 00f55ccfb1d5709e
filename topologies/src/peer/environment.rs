//! What a participant needs of the world that it runs in.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use sim::{Overloaded, Time, Work};
use tokio::sync::oneshot;
use webrtc::peer_connection::crypto::RTCCryptoProvider;
use webrtc::runtime::Runtime;

use super::ice_tcp::IceTcp;

/// What runs one peer connection.
pub struct ConnectionRuntime {
    /// Its tasks, timers and sockets.
    pub runtime: Arc<dyn Runtime>,
    /// To be told whether the connection may use a relay for now; it may from the start.
    pub use_relays: Box<dyn Fn(bool) + Send + Sync>,
    /// What it does about TCP, if anything.
    pub ice_tcp: Option<IceTcp>,
}

/// The world as one host sees it.
pub trait Environment: Send + Sync {
    /// Runs the host's own tasks.
    fn runtime(&self) -> Arc<dyn Runtime>;

    /// Runs one new peer connection of the host.
    fn connection_runtime(&self) -> ConnectionRuntime;

    /// A UDP endpoint of the host, with the address that it has now, that a peer connection may
    /// bind.
    ///
    /// # Errors
    ///
    /// If no port is free.
    fn udp_endpoint(&self) -> io::Result<SocketAddr>;

    /// Keys and randomness for the connection called `name`.
    fn crypto(&self, name: &str) -> Arc<dyn RTCCryptoProvider>;

    /// The random stream called `name`.
    fn random(&self, name: &str) -> ChaCha8Rng;

    /// Time since the start of the run.
    fn now(&self) -> Time;

    /// Charges the host's CPU for work of `kind` that costs `cost` at speed 1, and does it as `job`
    /// on some thread; ready when CPU and job are done. [`work`] is the same with a result.
    ///
    /// # Errors
    ///
    /// [`Overloaded`] if the CPU is too far behind; `job` is dropped then.
    fn work(
        &self,
        kind: Work,
        cost: Duration,
        job: Box<dyn FnOnce() + Send>,
    ) -> Result<Working<()>, Overloaded>;

    /// The same for work that is not worth a thread: `job` runs here and now, unless it is refused.
    /// Returns when the CPU is done, which is now where CPUs are free. [`work_here`] is the same
    /// with a result.
    ///
    /// # Errors
    ///
    /// [`Overloaded`] if the CPU is too far behind.
    fn work_here(
        &self,
        kind: Work,
        cost: Duration,
        job: &mut dyn FnMut(),
    ) -> Result<Time, Overloaded>;

    /// Does work that belongs to measuring and not to the call, off the host's CPU account.
    fn aside(&self, work: &mut dyn FnMut());

    /// Does such work on some thread, at any time up to the end of the run.
    fn aside_later(&self, work: Box<dyn FnOnce() + Send>);
}

/// The result of work, when the CPU has done it.
pub type Working<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// [`Environment::work`] with a result. `job` is to be a pure function of what it owns.
///
/// # Errors
///
/// [`Overloaded`] if the CPU is too far behind; `job` is dropped then.
pub fn work<T: Send + 'static>(
    environment: &dyn Environment,
    kind: Work,
    cost: Duration,
    job: impl FnOnce() -> T + Send + 'static,
) -> Result<Working<T>, Overloaded> {
    let (send, mut result) = oneshot::channel();
    let job = move || {
        // Nobody may be interested any more.
        let _ = send.send(job());
    };
    let done = environment.work(kind, cost, Box::new(job))?;
    Ok(Box::pin(async move {
        done.await;
        result.try_recv().expect("the job is done")
    }))
}

/// [`Environment::work_here`] with a result, which is not to be used before the CPU is done.
///
/// # Errors
///
/// [`Overloaded`] if the CPU is too far behind; `job` is not run then.
pub fn work_here<T>(
    environment: &dyn Environment,
    kind: Work,
    cost: Duration,
    job: impl FnOnce() -> T,
) -> Result<(T, Time), Overloaded> {
    let (mut job, mut result) = (Some(job), None);
    let mut run = || result = job.take().map(|job| job());
    let done = environment.work_here(kind, cost, &mut run)?;
    Ok((result.expect("what is not refused is done"), done))
}

/// [`work_here`], whose result is there when the CPU is done.
///
/// # Errors
///
/// [`Overloaded`] if the CPU is too far behind; `job` is not run then.
pub fn brief_work<T: Send + 'static>(
    environment: &Arc<dyn Environment>,
    kind: Work,
    cost: Duration,
    job: impl FnOnce() -> T,
) -> Result<Working<T>, Overloaded> {
    let (result, done) = work_here(environment.as_ref(), kind, cost, job)?;
    let environment = Arc::clone(environment);
    Ok(Box::pin(async move {
        sleep_until(environment.as_ref(), done).await;
        result
    }))
}

/// Sleeps until `deadline`, not at all if it has passed.
pub async fn sleep_until(environment: &dyn Environment, deadline: Time) {
    let span = deadline.saturating_since(environment.now());
    if !span.is_zero() {
        environment.runtime().sleep(span).await;
    }
}

/// Sleeps until `deadline`, for ever if there is none.
pub async fn sleep_until_some(environment: &dyn Environment, deadline: Option<Time>) {
    match deadline {
        Some(deadline) => sleep_until(environment, deadline).await,
        None => std::future::pending().await,
    }
}
