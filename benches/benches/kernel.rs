//! What a packet costs in the kernel, beside two other simulators in the same run.
//!
//! The time per iteration is that of one element, which is one packet or one timer; however few
//! iterations criterion asks for, a batch of elements is done and its time scaled.
//! `docs/performance.md` explains each benchmark.

use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use benches::world::{WIRE_BYTES, World, home_line};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput};
use criterion::{criterion_group, criterion_main};
use rustix::time::{ClockId, clock_gettime};
use sim::nat::Nat;
use sim::nat::presets::PORT_RESTRICTED;
use sim::{Pipe, PipeStreams, Protocol, Seed, Time};

use others::turmoil_udp::Turmoil;
use others::vnet::Vnet;

mod others {
    pub mod turmoil_udp;
    pub mod vnet;
}
mod timers;

/// How many hosts there are in the worlds that are compared.
const HOSTS: [usize; 3] = [2, 100, 1_000];
/// How many elements are done at least for one look at the clock.
const BATCH: u64 = 10_000;
/// The same for simulators that are slower by orders of magnitude.
const SMALL_BATCH: u64 = 1_000;

fn kernel(criterion: &mut Criterion) {
    let mut group = group(criterion, "kernel");
    for hosts in HOSTS {
        let mut world = None;
        group.bench_function(BenchmarkId::new("two_nats", hosts), |bencher| {
            let world = world.get_or_insert_with(|| World::two_nats(hosts));
            bencher.iter_custom(|n| per_element(n, BATCH, |packets| world.exchange(packets)));
        });
    }
    let mut world = None;
    group.bench_function("one_link", |bencher| {
        let world = world.get_or_insert_with(World::one_link);
        bencher.iter_custom(|n| per_element(n, BATCH, |packets| world.exchange(packets)));
    });
    group.bench_function("timers", |bencher| {
        bencher.iter_custom(|n| per_element(n, BATCH, timers::expire));
    });
    group.finish();
}

/// The two stages that every packet of `kernel/two_nats` crosses twice, by themselves.
fn stages(criterion: &mut Criterion) {
    let external = Ipv4Addr::new(198, 51, 100, 1);
    let inside = SocketAddrV4::new(Ipv4Addr::new(192, 168, 1, 2), 4_000);
    let remote = SocketAddrV4::new(Ipv4Addr::new(203, 0, 113, 1), 4_000);
    let mut nat = Nat::new(PORT_RESTRICTED, external, Seed(1).stream("nat"));
    group(criterion, "nat").bench_function("existing_mapping", |bencher| {
        bencher.iter_custom(|n| {
            per_element(n, BATCH, |packets| {
                for _ in 0..packets {
                    let remote = black_box(remote);
                    black_box(nat.outbound(Time::ZERO, Protocol::Udp, inside, remote));
                }
            })
        });
    });

    let streams = PipeStreams::new(Seed(1), "pipe");
    let mut pipe = Pipe::new(home_line(0).up, streams).expect("a home line is valid");
    // 1,200 bytes take 480 us at the rate of the line: at this pace it is busy all the time, and
    // one packet or none waits.
    let pace = Duration::from_micros(480);
    let mut now = Time::ZERO;
    group(criterion, "link").bench_function("offer", |bencher| {
        bencher.iter_custom(|n| {
            per_element(n, BATCH, |packets| {
                for _ in 0..packets {
                    now += pace;
                    black_box(pipe.offer(now, WIRE_BYTES as u32));
                }
            })
        });
    });
}

fn others(criterion: &mut Criterion) {
    let mut turmoil = group(criterion, "turmoil");
    // A tick of 1,000 hosts takes seconds: as few as criterion can do with.
    turmoil
        .sample_size(10)
        .warm_up_time(Duration::from_millis(1));
    for hosts in HOSTS {
        if is_smoke_test() && hosts > 100 {
            continue;
        }
        let mut world = None;
        turmoil.bench_function(BenchmarkId::new("udp", hosts), |bencher| {
            let world = world.get_or_insert_with(|| Turmoil::new(hosts));
            bencher.iter_custom(|n| per_element(n, SMALL_BATCH, |packets| world.exchange(packets)));
        });
    }
    turmoil.finish();
    let mut world = None;
    group(criterion, "webrtc_util").bench_function("one_nat", |bencher| {
        let world = world.get_or_insert_with(Vnet::new);
        bencher.iter_custom(|n| per_element(n, SMALL_BATCH, |packets| world.exchange(packets)));
    });
}

/// A group whose benchmarks report the time of one element, in about three seconds each.
fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group
        .throughput(Throughput::Elements(1))
        .sampling_mode(SamplingMode::Flat)
        .sample_size(30)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3));
    group
}

/// Whether this run only checks that the benchmarks work.
fn is_smoke_test() -> bool {
    std::env::args().any(|argument| argument == "--test")
}

/// What `iterations` elements take, measured over `batch` elements if those are more.
///
/// Measured is the CPU time of the process. Nothing here waits, so on an idle machine it is the
/// wall time, and on a busy one it leaves out what others use.
fn per_element(iterations: u64, batch: u64, run: impl FnOnce(u64)) -> Duration {
    let elements = iterations.max(batch);
    let start = cpu_time();
    run(elements);
    (cpu_time() - start).mul_f64(iterations as f64 / elements as f64)
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

criterion_group!(benches, kernel, stages, others);
criterion_main!(benches);
