//! Timers fire at their exact instants, in the documented order, and not after they are dropped.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use sim::{LinkConfig, Seed, SimRuntime, Simulation, Time, simulate};
use webrtc::runtime::{AsyncUdpSocket, Runtime};

use crate::fixture::{delay, endpoint, host, host_on, spawn};

const ADDRESS: [u8; 4] = [203, 0, 113, 1];

type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What happened, and when.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(Time, String)>>>);

impl Log {
    fn note(&self, runtime: &SimRuntime, what: impl ToString) {
        let line = (runtime.time(), what.to_string());
        self.0.lock().unwrap().push(line);
    }

    fn lines(&self) -> Vec<(Time, String)> {
        self.0.lock().unwrap().clone()
    }
}

fn alone<R: Send>(test: impl FnOnce(Simulation, SimRuntime) -> R + Send) -> R {
    simulate(Seed(1), |mut world| {
        let host = world.add_host(host("alone", ADDRESS, None)).unwrap();
        let runtime = world.runtime(host);
        test(world, runtime)
    })
}

/// Sleeps and writes down when it is over.
fn sleeper(runtime: &SimRuntime, log: &Log, span: Duration, name: &str) {
    let (log, view, name) = (log.clone(), runtime.clone(), name.to_owned());
    spawn(runtime, async move {
        view.sleep(span).await;
        log.note(&view, name);
    });
}

/// Counts how often it is woken.
#[derive(Default)]
struct Alarm(AtomicUsize);

impl Alarm {
    fn rings(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn poll_once(sleep: &mut Sleep, alarm: &Arc<Alarm>) -> Poll<()> {
    let waker = Waker::from(Arc::clone(alarm));
    sleep.as_mut().poll(&mut Context::from_waker(&waker))
}

#[test]
fn sleeps_end_at_their_instants_and_equal_ones_in_the_order_of_arming() {
    // Armed in the order of the list; due at 5 ms, 1 ns, 5 ms, 0, 5 ms and 1 h. The order of
    // events is (time, sequence of scheduling).
    let spans = [5_000_000, 1, 5_000_000, 0, 5_000_000, 3_600_000_000_000];
    alone(|mut world, runtime| {
        let log = Log::default();
        for (name, nanos) in ["a", "b", "c", "d", "e", "f"].into_iter().zip(spans) {
            sleeper(&runtime, &log, Duration::from_nanos(nanos), name);
        }
        world.run_until(Time::from_millis(3_600_000));
        let expected = [
            (0, "d"),
            (1, "b"),
            (5_000_000, "a"),
            (5_000_000, "c"),
            (5_000_000, "e"),
            (3_600_000_000_000, "f"),
        ];
        let expected = expected.map(|(at, name)| (Time::from_nanos(at), name.to_owned()));
        assert_eq!(log.lines(), expected);
    });
}

#[test]
fn a_sleep_is_pending_a_nanosecond_before_its_deadline() {
    alone(|mut world, runtime| {
        let alarm = Arc::new(Alarm::default());
        let mut sleep = runtime.sleep(Duration::from_millis(7));
        assert_eq!(poll_once(&mut sleep, &alarm), Poll::Pending);
        world.run_until(Time::from_nanos(6_999_999));
        assert_eq!(poll_once(&mut sleep, &alarm), Poll::Pending);
        assert_eq!(alarm.rings(), 0);
        world.run_until(Time::from_nanos(7_000_000));
        assert_eq!(alarm.rings(), 1);
        assert_eq!(poll_once(&mut sleep, &alarm), Poll::Ready(()));
    });
}

#[test]
fn a_packet_is_read_before_a_timer_of_the_same_instant_fires() {
    // The timer is armed first and due at 10 ms; the packet leaves at 0 and is there after 10 ms.
    // Packets come before timers (the order of the variants of `Event`).
    simulate(Seed(1), |mut world| {
        let link = LinkConfig {
            down: delay(Duration::from_millis(10)),
            ..LinkConfig::default()
        };
        let id = world.add_host(host_on("reader", ADDRESS, link)).unwrap();
        let ideal = host_on("sender", [203, 0, 113, 200], LinkConfig::default());
        let sender = world.add_host(ideal).unwrap();
        let (runtime, sender) = (world.runtime(id), world.runtime(sender));
        let log = Log::default();
        sleeper(&runtime, &log, Duration::from_millis(10), "timer");
        let (noted, view) = (log.clone(), runtime.clone());
        spawn(&runtime, async move {
            let socket = view.bind_udp(4_000).unwrap();
            socket.recv_from(&mut [0; 16]).await.unwrap();
            noted.note(&view, "packet");
        });
        spawn(&sender.clone(), async move {
            let socket = sender.bind_udp(0).unwrap();
            let reader = endpoint(ADDRESS, 4_000).into();
            socket.send_to(b"good morning", reader).await.unwrap();
        });
        world.run_until(Time::from_millis(20));
        let at = Time::from_millis(10);
        assert_eq!(log.lines(), [(at, "packet".into()), (at, "timer".into())]);
    });
}

#[test]
fn a_dropped_sleep_never_wakes_nor_does_its_place_wake_another() {
    // The dropped sleep was due at 10 ms. The next one may take over its place in the table and
    // is due at 30 ms: it rings once, then, and the dropped one never.
    alone(|mut world, runtime| {
        let [dropped, next] = [(); 2].map(|_| Arc::new(Alarm::default()));
        let mut sleep = runtime.sleep(Duration::from_millis(10));
        assert_eq!(poll_once(&mut sleep, &dropped), Poll::Pending);
        drop(sleep);
        let mut sleep = runtime.sleep(Duration::from_millis(30));
        assert_eq!(poll_once(&mut sleep, &next), Poll::Pending);
        world.run_until(Time::from_nanos(29_999_999));
        assert_eq!((dropped.rings(), next.rings()), (0, 0));
        world.run_until(Time::from_millis(60));
        assert_eq!((dropped.rings(), next.rings()), (0, 1));
    });
}

#[test]
fn a_sleep_wakes_whoever_polled_it_last() {
    alone(|mut world, runtime| {
        let [first, last] = [(); 2].map(|_| Arc::new(Alarm::default()));
        let mut sleep = runtime.sleep(Duration::from_millis(1));
        assert_eq!(poll_once(&mut sleep, &first), Poll::Pending);
        assert_eq!(poll_once(&mut sleep, &last), Poll::Pending);
        world.run_until(Time::from_millis(2));
        assert_eq!((first.rings(), last.rings()), (0, 1));
    });
}

#[test]
fn many_dropped_sleeps_leave_the_others_alone() {
    // 20,000 sleeps, every hundredth of which lives: 19,800 dropped ones are more than the 4,096
    // that stay until they are due, so they are swept out, more than once, while the 200 live
    // ones wait. Those are due at 1, 2, .. 200 ms, armed in descending order.
    alone(|mut world, runtime| {
        let log = Log::default();
        for index in 0..20_000_u64 {
            if index % 100 == 0 {
                let millis = 200 - index / 100;
                let span = Duration::from_millis(millis);
                sleeper(&runtime, &log, span, &millis.to_string());
                world.run_until(Time::ZERO);
            } else {
                drop(runtime.sleep(Duration::from_millis(index % 300)));
            }
        }
        world.run_until(Time::from_millis(400));
        let expected: Vec<_> = (1..=200)
            .map(|millis: u64| (Time::from_millis(millis), millis.to_string()))
            .collect();
        assert_eq!(log.lines(), expected);
    });
}

#[test]
fn an_interval_ticks_on_its_grid_and_catches_up() {
    // Ticks are due at 0, 10, 20, .. ms. The reader takes 25 ms after the first: the ticks of 10
    // and 20 ms come at 25 ms, and then the grid goes on at 30 ms.
    alone(|mut world, runtime| {
        let log = Log::default();
        let (noted, view) = (log.clone(), runtime.clone());
        spawn(&runtime, async move {
            let mut interval = view.interval(Duration::from_millis(10));
            for tick in 0..5 {
                interval.tick().await;
                noted.note(&view, tick);
                if tick == 0 {
                    view.sleep(Duration::from_millis(25)).await;
                }
            }
        });
        world.run_until(Time::from_millis(100));
        let times: Vec<Time> = log.lines().into_iter().map(|(at, _)| at).collect();
        assert_eq!(times, [0, 25, 25, 30, 40].map(Time::from_millis));
    });
}

#[test]
fn an_aborted_task_stops_and_a_detached_one_goes_on() {
    alone(|mut world, runtime| {
        let log = Log::default();
        let start = |name: &'static str| {
            let (log, view) = (log.clone(), runtime.clone());
            runtime.spawn(Box::pin(async move {
                view.sleep(Duration::from_millis(10)).await;
                log.note(&view, name);
            }))
        };
        let (aborted, detached) = (start("aborted"), start("detached"));
        drop(start("dropped handle"));
        detached.detach();
        world.run_until(Time::from_millis(5));
        aborted.abort();
        world.run_until(Time::from_millis(20));
        let at = Time::from_millis(10);
        assert_eq!(
            log.lines(),
            [(at, "detached".into()), (at, "dropped handle".into())]
        );
    });
}

#[test]
fn a_task_that_yields_does_not_stop_time() {
    // Polling to quiescence must let a task that wakes itself finish, at one instant.
    alone(|mut world, runtime| {
        let log = Log::default();
        let (noted, view) = (log.clone(), runtime.clone());
        spawn(&runtime, async move {
            let mut left = 1_000;
            poll_fn(|cx| {
                left -= 1;
                cx.waker().wake_by_ref();
                if left == 0 {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
            noted.note(&view, "done");
        });
        world.run_until(Time::from_millis(1));
        assert_eq!(log.lines(), [(Time::ZERO, "done".into())]);
    });
}

#[test]
#[should_panic(expected = "an invariant is broken")]
fn a_task_that_panics_ends_the_simulation() {
    simulate(Seed(1), |mut world| {
        let host = world.add_host(host("a", [10, 0, 0, 1], None)).unwrap();
        let runtime = world.runtime(host);
        let sleep = runtime.sleep(Duration::from_secs(1));
        runtime.spawn(Box::pin(async move {
            sleep.await;
            panic!("an invariant is broken");
        }));
        world.run_until(Time::from_millis(2_000));
    });
}
