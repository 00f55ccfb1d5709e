//! What is left of a run.

use std::sync::Arc;

use reports::record::{CellRecord, Measured, Prices};
use scenarios::{Plan, StackProfile};
use sim::{Finished, Time};

use super::Screen;
use super::observers::Observers;
use crate::media::{Frame, png};
use crate::observe::frames::HopKey;
use crate::observe::record::{Recorder, packets};
use crate::observe::warnings::worth_a_look;
use crate::peer::stack;
use crate::world::{self, Hosts, Servers};

/// The pictures that were kept.
pub fn screens(plan: &Plan, observers: &Observers) -> Vec<Screen> {
    let hosts = world::host_infos(plan);
    let name = |host: u16| hosts[usize::from(host)].name.clone();
    let observations = observers.observatory.lock();
    let screens = observations.screens.iter().flatten();
    let screen = |(hop, picture): (&HopKey, &Arc<Frame>)| Screen {
        receiver: name(hop.to),
        source: name(hop.source),
        png: png::encode(picture),
    };
    screens.map(screen).collect()
}

/// Bytes of signalling messages both ways.
pub fn signaling_bytes(servers: &Servers) -> u64 {
    let traffic = servers.signaling.traffic();
    traffic.bytes_in + traffic.bytes_out
}

/// What the run recorded.
pub fn record(
    plan: &Plan,
    observers: &Observers,
    finished: &Finished,
    audio_delay: u32,
    signaling_bytes: u64,
) -> CellRecord {
    let (from, to) = world::window(plan);
    let hosts = world::host_infos(plan);
    let observations = observers.observatory.lock();
    let traffic = observers.traffic.lock();
    let recorder = Recorder {
        plan,
        hosts: &hosts,
        observations: &observations,
        traffic: &traffic,
        window: (from, to),
        cpus: &finished.cpus,
        audio_delay,
    };
    CellRecord {
        scenario: plan.scenario.clone(),
        topology: plan.label(),
        participants: plan.participants.len() as u32,
        seed: plan.seed.0,
        fidelity: plan.fidelity.name().to_owned(),
        cost_profile: plan.costs.as_ref().map(|costs| costs.name.clone()),
        stack: match plan.stack.profile {
            StackProfile::Tuned => "tuned".to_owned(),
            StackProfile::Stock => "stock".to_owned(),
        },
        stack_settings: stack::describe(&plan.stack),
        window_from_ms: from.as_millis_f64(),
        window_to_ms: to.as_millis_f64(),
        hosts: recorder.hosts(),
        connections: recorder.connections(),
        streams: recorder.streams(),
        data: recorder.data(),
        timeline: recorder.timeline(),
        flows: recorder.flows(),
        prices: Some(prices(plan)),
        packets: packets(finished),
        signaling_bytes,
        digest: observers.digest.lock().expect("taps do not panic").hex(),
        warnings: worth_a_look(&finished.warnings),
    }
}

fn prices(plan: &Plan) -> Prices {
    let scenarios::Prices {
        currency,
        egress_per_gb,
        relay_per_gb,
        vcpu_hour,
    } = plan.prices.clone();
    Prices {
        currency,
        egress_per_gb,
        relay_per_gb,
        vcpu_hour,
    }
}

/// What the machine spent on the run.
pub fn measured(plan: &Plan, hosts: &Hosts, finished: &Finished, end: Time) -> Measured {
    let named = || world::host_infos(plan).into_iter().zip(hosts.all());
    let host_cpu_s = named()
        .map(|(info, id)| (info.name, finished.meter.host(id).as_secs_f64()))
        .collect();
    let works = |id| {
        let works = finished.meter.works(id);
        works.map(|(work, spent)| (work.name().to_owned(), spent.as_secs_f64()))
    };
    let host_work_cpu_s = named()
        .map(|(info, id)| (info.name, works(id).collect()))
        .collect();
    Measured {
        wall_s: 0.0,
        virtual_s: end.as_secs_f64(),
        host_cpu_s,
        host_work_cpu_s,
        workaround_cpu_s: finished.meter.workaround().as_secs_f64(),
        observer_cpu_s: finished.meter.observer().as_secs_f64(),
        kernel_cpu_s: finished.meter.kernel().as_secs_f64(),
        peak_rss_bytes: peak_rss_bytes(),
    }
}

/// `VmHWM` of `/proc/self/status` (proc_pid_status(5)); `None` where there is none.
fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}
