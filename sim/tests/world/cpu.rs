//! Hosts whose CPUs take time: packets wait for them, and results of work come when it is done.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::join_all;
use sim::kernel::{DropReason, SocketId};
use sim::trace::digest::Digest;
use sim::trace::{PacketEvent, Stage, Tap};
use sim::{
    CpuConfig, HostConfig, HostId, LinkConfig, Overloaded, Seed, SimRuntime, Simulation, Time,
    Work, simulate,
};
use webrtc::runtime::{AsyncUdpSocket, Runtime};

use crate::fixture::{delay, endpoint, host_on, spawn};

const A: [u8; 4] = [203, 0, 113, 1];
const B: [u8; 4] = [203, 0, 113, 2];
const PORT: u16 = 5_000;
const MS: Duration = Duration::from_millis(1);

fn cpu(cores: u32) -> CpuConfig {
    CpuConfig {
        cores,
        speed: 1.0,
        backlog: 1_000 * MS,
        packet_send: Duration::ZERO,
        packet_receive: Duration::ZERO,
    }
}

/// A host with a CPU, 10 ms from the internet.
fn busy_host(name: &str, address: [u8; 4], cpu: CpuConfig) -> HostConfig {
    HostConfig {
        cpu: Some(cpu),
        ..host_on(name, address, LinkConfig::symmetric(delay(10 * MS)))
    }
}

/// When packets were sent, reached a host and were delivered or dropped, in ms.
#[derive(Clone, Default)]
struct Lives(Arc<Mutex<Vec<Life>>>);

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Life {
    id: u64,
    sent: f64,
    arrived: Option<f64>,
    ended: f64,
    dropped: Option<DropReason>,
}

impl Tap for Lives {
    fn packet(&mut self, event: &PacketEvent<'_>) {
        let dropped = match event.stage {
            Stage::Sent => return assert_eq!((event.at, event.arrived), (event.sent, None)),
            Stage::Delivered(_) => None,
            Stage::Dropped(reason, _) => Some(reason),
        };
        self.0.lock().unwrap().push(Life {
            id: event.id,
            sent: event.sent.as_millis_f64(),
            arrived: event.arrived.map(Time::as_millis_f64),
            ended: event.at.as_millis_f64(),
            dropped,
        });
    }
}

impl Lives {
    fn take(&self) -> Vec<Life> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Two hosts with these CPUs and a socket each.
fn pair(world: &mut Simulation, a: CpuConfig, b: CpuConfig) -> (Lives, [SocketId; 2], [HostId; 2]) {
    let hosts = [("a", A, a), ("b", B, b)]
        .map(|(name, address, cpu)| world.add_host(busy_host(name, address, cpu)).unwrap());
    let lives = Lives::default();
    let sockets = world.network(|network| {
        network.add_tap(Box::new(lives.clone()));
        hosts.map(|host| network.bind_udp(host, PORT).unwrap())
    });
    (lives, sockets, hosts)
}

fn send(world: &Simulation, from: SocketId, to: [u8; 4], packets: usize) {
    world.network(|network| {
        for number in 0..packets {
            let data = Bytes::from(vec![0; number + 1]);
            network.send_udp(from, endpoint(to, PORT), data);
        }
    });
}

#[test]
fn packets_are_late_by_the_work_that_is_charged_for_them() {
    // Sending takes 3 ms at speed 2, so 1.5 ms: of three packets at once, the k-th leaves the CPU
    // at 1.5 k ms. The links take 20 ms. Receiving takes 2 ms, so the receiver falls behind: the
    // packets arrive at 21.5, 23 and 24.5 ms and are read at 23.5, 25.5 and 27.5 ms.
    simulate(Seed(1), |mut world| {
        let sender = CpuConfig {
            speed: 2.0,
            packet_send: 3 * MS,
            ..cpu(1)
        };
        let receiver = CpuConfig {
            packet_receive: 2 * MS,
            ..cpu(1)
        };
        let (lives, [a, _], hosts) = pair(&mut world, sender, receiver);
        send(&world, a, B, 3);
        // In the CPU they are not the network's yet.
        world.network(|network| assert_eq!((network.counters().sent, network.in_flight()), (0, 0)));
        world.run_until(Time::from_millis(100));
        let life = |id: u64, sent, ended| Life {
            id,
            sent,
            arrived: Some(sent + 20.0),
            ended,
            dropped: None,
        };
        let expected = [life(0, 1.5, 23.5), life(1, 3.0, 25.5), life(2, 4.5, 27.5)];
        assert_eq!(lives.take(), expected);
        let cpus = world.finish().cpus;
        let busy = hosts.map(|host| {
            let usage = cpus[host.index()].as_ref().unwrap();
            usage.busy()[&Work::Transport]
        });
        assert_eq!(busy, [3 * MS * 3 / 2, 6 * MS]);
    });
}

#[test]
fn packets_of_one_direction_keep_their_order_on_many_cores() {
    // Three cores, and other work of all sizes between the packets, so that cores are free at odd
    // times: whatever the order in which work ends, packets leave and are read in theirs.
    simulate(Seed(1), |mut world| {
        let config = CpuConfig {
            packet_send: MS,
            packet_receive: 2 * MS,
            backlog: 10_000 * MS,
            ..cpu(3)
        };
        let (lives, [a, _], hosts) = pair(&mut world, config, config);
        for step in 0..100_u64 {
            for host in hosts {
                let cost = Duration::from_micros(step * 7_919 % 10_000);
                let mixed = world.runtime(host).work_here(Work::Mix, cost, || ());
                assert!(mixed.is_ok());
            }
            send(&world, a, B, 2);
            world.run_until(Time::from_millis(step));
        }
        world.run_until(Time::from_millis(3_000));
        let ids: Vec<_> = lives.take().iter().map(|life| life.id).collect();
        assert_eq!(ids, (0..200).collect::<Vec<_>>());
    });
}

#[test]
fn packets_beyond_the_backlog_are_dropped_and_counted() {
    // Sending takes 1 ms, and work may wait for 4 ms: packet k waits k ms, so of 20 at once the
    // first five leave, from 1 to 5 ms, and 15 are dropped. At the receiver reading takes 3 ms and
    // nothing may wait for more than 2 ms. Arriving at 21, 22, .. 25 ms: the first is read from 21
    // to 24; the second would wait 2 ms and may, until 27; the third would wait 4 ms, the fourth 3,
    // and the fifth 2, so that one may.
    simulate(Seed(1), |mut world| {
        let sender = CpuConfig {
            backlog: 4 * MS,
            packet_send: MS,
            ..cpu(1)
        };
        let receiver = CpuConfig {
            backlog: 2 * MS,
            packet_receive: 3 * MS,
            ..cpu(1)
        };
        let (lives, [a, b], hosts) = pair(&mut world, sender, receiver);
        send(&world, a, B, 20);
        world.run_until(Time::from_millis(100));
        let lives = lives.take();
        let (refused, arrived): (Vec<Life>, Vec<Life>) =
            lives.into_iter().partition(|life| life.arrived.is_none());
        assert_eq!(refused.len(), 15);
        let overload = Some(DropReason::CpuOverload);
        assert!(refused.iter().all(|life| life.dropped == overload));
        assert!(refused.iter().all(|life| life.sent == 0.0));
        let mut fates: Vec<_> = (arrived.iter())
            .map(|life| (life.sent, life.dropped, life.ended))
            .collect();
        fates.sort_by(|a, b| a.0.total_cmp(&b.0));
        let expected = [
            (1.0, None, 24.0),
            (2.0, None, 27.0),
            (3.0, overload, 23.0),
            (4.0, overload, 24.0),
            (5.0, None, 30.0),
        ];
        assert_eq!(fates, expected);
        world.network(|network| {
            let counters = network.counters();
            assert_eq!((counters.sent, counters.delivered), (20, 3));
            assert_eq!(counters.dropped, [(DropReason::CpuOverload, 17)].into());
            let refused = |host| network.cpu_usage(host).unwrap().refused()[&Work::Transport];
            assert_eq!(hosts.map(refused), [15, 2]);
            assert_eq!(std::iter::from_fn(|| network.receive_udp(b)).count(), 3);
        });
    });
}

#[test]
fn what_a_host_sends_to_itself_costs_nothing() {
    simulate(Seed(1), |mut world| {
        let config = CpuConfig {
            packet_send: MS,
            packet_receive: MS,
            ..cpu(1)
        };
        let (lives, [a, _], _) = pair(&mut world, config, config);
        send(&world, a, A, 1);
        world.run_until(Time::from_millis(10));
        assert_eq!(lives.take()[0].ended, 0.0);
    });
}

/// A host of these cores, alone in its world; `None` for one whose CPU is free.
fn alone(world: &mut Simulation, cpu: Option<CpuConfig>) -> SimRuntime {
    let config = HostConfig {
        cpu,
        ..busy_host("alone", A, self::cpu(1))
    };
    let host = world.add_host(config).unwrap();
    world.runtime(host)
}

/// Something that takes a while, and how long depends on `rounds`; its result does not tell.
fn spin(rounds: u64) -> u64 {
    let hash = |hash: u64, round: u64| (hash ^ round).wrapping_mul(0x0100_0000_01b3);
    u64::from((0..rounds).fold(1, hash) == 0)
}

/// Starts jobs of these costs at once, with `rounds(job)` of real work each, and returns who was
/// done when.
fn jobs(
    runtime: &SimRuntime,
    costs: &[Duration],
    rounds: impl Fn(usize) -> u64,
) -> Arc<Mutex<Vec<(Time, usize)>>> {
    let done = Arc::new(Mutex::new(Vec::new()));
    for (number, &cost) in costs.iter().enumerate() {
        let rounds = rounds(number);
        let job = runtime.work(Work::Encode, cost, move || number + spin(rounds) as usize);
        let (job, host, done) = (job.unwrap(), runtime.clone(), Arc::clone(&done));
        spawn(runtime, async move {
            let result = job.await;
            done.lock().unwrap().push((host.time(), result));
        });
    }
    done
}

#[test]
fn results_are_there_when_the_modelled_work_ends_in_that_order() {
    // Two cores get 5, 1, 2 and 1 ms at once: the first one does job 0 until 5 ms, the second one
    // job 1 until 1, job 2 until 3, job 3 until 4 ms. Job 1 takes by far the longest in truth.
    simulate(Seed(1), |mut world| {
        let runtime = alone(&mut world, Some(cpu(2)));
        let costs = [5 * MS, MS, 2 * MS, MS];
        let done = jobs(&runtime, &costs, |number| [10, 10_000_000, 10, 10][number]);
        world.run_until(Time::from_millis(10));
        let at = |ms, number| (Time::from_millis(ms), number);
        assert_eq!(
            *done.lock().unwrap(),
            [at(1, 1), at(3, 2), at(4, 3), at(5, 0)]
        );
        // What the jobs took in truth is on the account of the host and the work.
        let host = runtime.host();
        drop(runtime);
        let meter = world.finish().meter;
        let works: Vec<_> = meter.works(host).collect();
        let [(Work::Encode, spent)] = works[..] else {
            panic!("{works:?}");
        };
        assert!(spent > Duration::ZERO && spent <= meter.host(host));
    });
}

#[test]
fn work_on_a_free_cpu_ends_in_the_instant_in_which_it_starts() {
    simulate(Seed(1), |mut world| {
        let runtime = alone(&mut world, None);
        let done = jobs(&runtime, &[5 * MS, MS], |_| 1_000);
        let here = runtime.work_here(Work::Mix, MS, || 7);
        assert_eq!(here, Ok((7, Time::ZERO)));
        world.run_until(Time::ZERO);
        assert_eq!(*done.lock().unwrap(), [(Time::ZERO, 0), (Time::ZERO, 1)]);
        assert_eq!(world.finish().cpus, [None]);
    });
}

#[test]
fn refused_work_is_not_done() {
    // One core, no backlog: while it is busy it takes nothing.
    simulate(Seed(1), |mut world| {
        let config = CpuConfig {
            backlog: Duration::ZERO,
            ..cpu(1)
        };
        let runtime = alone(&mut world, Some(config));
        let first = runtime.work_here(Work::Decode, MS, || 7);
        assert_eq!(first, Ok((7, Time::from_millis(1))));
        let unwanted = || -> () { panic!("this was refused") };
        let here = runtime.work_here(Work::Decode, MS, unwanted);
        assert_eq!(here.err(), Some(Overloaded));
        let elsewhere = runtime.work(Work::Encode, MS, unwanted);
        assert_eq!(elsewhere.err(), Some(Overloaded));
        let usage = world.finish().cpus.remove(0).unwrap();
        assert_eq!(
            *usage.refused(),
            [(Work::Encode, 1), (Work::Decode, 1)].into()
        );
    });
}

#[test]
fn work_that_nobody_waits_for_any_more_is_let_go() {
    // Dropped before, at and after its end, of the simulation's too.
    simulate(Seed(1), |mut world| {
        let runtime = alone(&mut world, Some(cpu(4)));
        let job = || runtime.work(Work::Encode, MS, || spin(1_000_000)).unwrap();
        drop(job());
        let (late, never) = (job(), job());
        world.run_until(Time::from_millis(5));
        drop(late);
        spawn(&runtime, never);
        let unfinished = runtime.work(Work::Encode, 100 * MS, || spin(1_000_000));
        spawn(&runtime, async move { unfinished.unwrap().await });
        world.run_until(Time::from_millis(6));
        world.finish();
    });
}

#[test]
fn what_observers_leave_for_later_is_done_at_the_end() {
    // Twenty jobs that together take some time: all are done when the simulation has finished, and
    // the time is the observers', not the host's.
    simulate(Seed(1), |mut world| {
        let runtime = alone(&mut world, None);
        let host = runtime.host();
        let done = Arc::new(Mutex::new(0));
        for _ in 0..20 {
            let done = Arc::clone(&done);
            runtime.aside_later(move || *done.lock().unwrap() += 1 + spin(1_000_000));
        }
        drop(runtime);
        world.run_until(Time::ZERO);
        let meter = world.finish().meter;
        assert_eq!(*done.lock().unwrap(), 20);
        assert!(meter.observer() > Duration::ZERO);
        assert_eq!(meter.works(host).count(), 0);
    });
}

#[test]
fn a_panic_in_a_job_is_that_of_whoever_waits_for_it() {
    simulate(Seed(1), |mut world| {
        let runtime = alone(&mut world, None);
        let job = runtime.work(Work::Encode, MS, || -> () { panic!("the job's own words") });
        let job = AssertUnwindSafe(job.unwrap()).catch_unwind();
        let outcome = spawn(&runtime, job);
        world.run_until(Time::ZERO);
        let panic = outcome.try_recv().unwrap().unwrap_err();
        assert_eq!(panic.downcast_ref(), Some(&"the job's own words"));
    });
}

/// A digest of what two hosts send to each other when jobs are done, which take `rounds` in truth.
fn conversation(config: Option<CpuConfig>, rounds: fn(u64) -> u64) -> String {
    simulate(Seed(1), |mut world| {
        let digest = Arc::new(Mutex::new(Digest::default()));
        world.network(|network| network.add_tap(Box::new(Arc::clone(&digest))));
        for (name, from, to) in [("a", A, B), ("b", B, A)] {
            let config = HostConfig {
                cpu: config,
                ..busy_host(name, from, cpu(1))
            };
            let host = world.add_host(config).unwrap();
            let runtime = world.runtime(host);
            spawn(&runtime.clone(), talk(runtime, to, rounds));
        }
        world.run_until(Time::from_millis(1_000));
        digest.lock().unwrap().hex()
    })
}

async fn talk(runtime: SimRuntime, to: [u8; 4], rounds: fn(u64) -> u64) {
    let socket = runtime.bind_udp(PORT).unwrap();
    for turn in 0..20_u64 {
        let job = |number: u64| {
            let cost = Duration::from_micros(100 * (number * 37 + turn * 11) % 5_000);
            let rounds = rounds(turn + number);
            runtime.work(Work::Encode, cost, move || {
                [(number + spin(rounds)) as u8; 50]
            })
        };
        let jobs: Vec<_> = (0..5).filter_map(|number| job(number).ok()).collect();
        for payload in join_all(jobs).await {
            socket
                .send_to(&payload, endpoint(to, PORT).into())
                .await
                .unwrap();
        }
        runtime.sleep(3 * MS).await;
    }
}

#[test]
fn how_long_jobs_take_in_truth_makes_no_difference() {
    let config = CpuConfig {
        packet_send: MS / 10,
        packet_receive: MS / 5,
        ..cpu(2)
    };
    for config in [None, Some(config)] {
        let first = conversation(config, |_| 1);
        assert_eq!(
            conversation(config, |number| number * 7_919 % 50_000),
            first
        );
        assert_eq!(
            conversation(config, |number| 50_000 - number * 1_000),
            first
        );
    }
    let other = CpuConfig {
        speed: 0.5,
        ..config
    };
    let digests = [None, Some(config), Some(other)].map(|config| conversation(config, |_| 1));
    assert!(digests[0] != digests[1] && digests[1] != digests[2]);
}
