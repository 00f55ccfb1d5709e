//! Timers of tasks: armed, due, and their task woken and run.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sim::{HostConfig, LinkConfig, Seed, Time, simulate};
use webrtc::runtime::Runtime;

/// Tasks that sleep at the same time.
const TASKS: u64 = 1_000;

/// Runs one simulation in which tasks sleep `timers` times in all, each on a period of its own
/// between 1 and 2 ms.
///
/// # Panics
///
/// If a task is not done when all its sleeps are over.
pub fn expire(timers: u64) {
    let expired = Arc::new(AtomicU64::new(0));
    simulate(Seed(1), |mut world| {
        let config = HostConfig {
            name: "host".into(),
            address: Ipv4Addr::new(198, 18, 0, 1),
            behind: None,
            link: LinkConfig::default(),
            cpu: None,
        };
        let host = world.add_host(config).expect("the only host");
        for task in 0..TASKS {
            let runtime = world.runtime(host);
            let expired = Arc::clone(&expired);
            let period = Duration::from_micros(1_000 + task);
            // The remainder is spread over the first tasks.
            let sleeps = timers / TASKS + u64::from(task < timers % TASKS);
            world.runtime(host).spawn(Box::pin(async move {
                for _ in 0..sleeps {
                    runtime.sleep(period).await;
                    expired.fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
        world.run_until(Time::from_millis(2 * (timers / TASKS + 1)));
    });
    assert_eq!(expired.load(Ordering::Relaxed), timers, "sleeps are over");
}
