//! Whole calls: how much virtual time a mesh lives through in a second of wall time.
//!
//! An element is a millisecond of virtual time, so `1 Kelem/s` is real time. Each iteration builds
//! the world, sets up every connection and lets media flow in `codec` fidelity.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use scenarios::{Overrides, Plan, Scenario};
use topologies::RunOptions;

/// One group of each NAT of the quick start, on links that carry eight participants.
const SCENARIO: &str = r#"
name = "calls"
participants = 4
warmup = "2 s"
duration = "2 s"

[[group]]
name = "home"
nat = "port-restricted"
link = "fiber"
"#;

/// What a call lives through beyond its window.
const DRAIN: Duration = Duration::from_secs(1);

fn plan(participants: u32) -> Plan {
    let scenario = Scenario::parse(SCENARIO, Path::new("calls.toml")).expect("it is valid");
    let overrides = Overrides {
        participants: Some(vec![participants]),
        ..Overrides::default()
    };
    let mut plans = scenario.resolve(&overrides).expect("it resolves");
    plans.remove(0)
}

fn mesh(c: &mut Criterion) {
    let mut group = c.benchmark_group("calls/mesh");
    group.sample_size(10);
    for participants in [4, 8] {
        let plan = plan(participants);
        let lived = plan.warmup + plan.duration + DRAIN;
        group.throughput(Throughput::Elements(lived.as_millis() as u64));
        group.bench_function(BenchmarkId::from_parameter(participants), |b| {
            b.iter(|| {
                let output = topologies::run(&plan, &RunOptions::default(), &|_| ());
                black_box(output.expect("the call runs"))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, mesh);
criterion_main!(benches);
