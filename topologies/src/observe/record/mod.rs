//! What was observed, as records.

mod capacity;
mod connections;
mod data;
mod flows;
mod interruptions;
mod streams;
mod timeline;

use std::collections::BTreeMap;

use reports::record::{HostRecord, PacketsRecord, Role};
use scenarios::Plan;
use sim::{CpuUsage, Finished, Time};

use super::traffic::TrafficLog;
use super::{Observations, cpu};

/// A host of the world, in the order of creation.
#[derive(Clone, Debug)]
pub struct HostInfo {
    /// Unique in the cell.
    pub name: String,
    /// What it is there for.
    pub role: Role,
    /// The group of the scenario; `None` for servers.
    pub group: Option<String>,
    /// What the scenario called its NAT.
    pub nat: String,
    /// What the scenario called its link.
    pub link: String,
    /// What the link carries at most, up and down, bits per second; `None` without end.
    pub rates_bps: [Option<u64>; 2],
    /// What the scenario called its computer.
    pub device: String,
    /// How many cores it has.
    pub cores: u32,
}

/// Turns observations into records.
pub struct Recorder<'a> {
    /// The call.
    pub plan: &'a Plan,
    /// Every host, in the order of creation: participants first.
    pub hosts: &'a [HostInfo],
    /// What peers reported.
    pub observations: &'a Observations,
    /// What the network carried.
    pub traffic: &'a TrafficLog,
    /// The measured window.
    pub window: (Time, Time),
    /// What the CPU of each host did; `None` where CPUs are free.
    pub cpus: &'a [Option<CpuUsage>],
    /// Algorithmic delay of the audio codec, in samples at 48 kHz.
    pub audio_delay: u32,
}

impl Recorder<'_> {
    /// Every host.
    pub fn hosts(&self) -> Vec<HostRecord> {
        let idle = Default::default();
        let host = |(index, info): (usize, &HostInfo)| {
            let traffic = self.host_traffic(index).unwrap_or(&idle);
            let [link_up_kbps, link_down_kbps] = info
                .rates_bps
                .map(|rate| rate.map(|bps| bps as f64 / 1_000.0));
            let mut record = HostRecord {
                name: info.name.clone(),
                role: info.role,
                group: info.group.clone(),
                nat: info.nat.clone(),
                link: info.link.clone(),
                link_up_kbps,
                link_down_kbps,
                up: traffic.up,
                down: traffic.down,
                window_up: traffic.window_up,
                window_down: traffic.window_down,
                device: info.device.clone(),
                cores: Some(info.cores),
                cpu_cores_mean: None,
                cpu_cores_by_work: BTreeMap::new(),
                skipped: BTreeMap::new(),
                codecs: Default::default(),
            };
            let usage = self.cpus.get(index).and_then(Option::as_ref);
            let window = self.window.1 - self.window.0;
            cpu::fill(&mut record, index, self.observations, usage, window);
            record
        };
        self.hosts.iter().enumerate().map(host).collect()
    }

    fn host_traffic(&self, index: usize) -> Option<&super::traffic::HostTraffic> {
        self.traffic
            .hosts
            .iter()
            .find(|(id, _)| id.index() == index)
            .map(|(_, traffic)| traffic)
    }

    fn name(&self, host: u16) -> String {
        self.hosts[usize::from(host)].name.clone()
    }
}

/// What became of every packet.
pub fn packets(finished: &Finished) -> PacketsRecord {
    let counters = &finished.counters;
    let mut dropped = BTreeMap::new();
    for (reason, count) in &counters.dropped {
        *dropped.entry(reason.name()).or_default() += count;
    }
    PacketsRecord {
        sent: counters.sent,
        delivered: counters.delivered,
        dropped,
        in_flight: finished.in_flight,
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0u32);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / f64::from(count))
}
