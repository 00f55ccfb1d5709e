//! A row per host and second.

use std::collections::BTreeMap;

use reports::record::{Kind, TimelineRecord};
use sim::Time;

use super::capacity::{Capacity, Way};
use super::{Recorder, mean};
use crate::observe::freezes::frozen;
use crate::observe::journey::captured;

/// A second, ns.
const SECOND: u64 = 1_000_000_000;

impl Recorder<'_> {
    /// A row per host and second up to the end of the window.
    pub fn timeline(&self) -> Vec<TimelineRecord> {
        let seconds = self.window.1.as_nanos().div_ceil(SECOND) as u32;
        let rendered = self.rendered_by_second();
        let frozen = self.frozen_by_second();
        let [up_capacities, down_capacities] = [Way::Up, Way::Down].map(|way| self.capacities(way));
        let mut rows = Vec::new();
        for second in 0..seconds {
            for (index, info) in self.hosts.iter().enumerate() {
                let bytes = self
                    .host_traffic(index)
                    .and_then(|traffic| traffic.seconds.get(&second));
                let (up, down) = bytes.copied().unwrap_or_default();
                let frozen_ms = frozen.get(&(second, index as u16)).copied();
                let end = Time::from_millis(u64::from(second + 1) * 1_000);
                let rates = &self.observations.rates;
                let kbps = |bps: Option<f64>| bps.map(|bps| bps / 1e3);
                let capacity = |all: &[Capacity]| kbps(all.get(index)?.mean_bps(second));
                let latencies = rendered.get(&(second, index as u16));
                rows.push(TimelineRecord {
                    second,
                    host: info.name.clone(),
                    up_kbps: up as f64 * 8.0 / 1e3,
                    down_kbps: down as f64 * 8.0 / 1e3,
                    up_capacity_kbps: capacity(&up_capacities),
                    down_capacity_kbps: capacity(&down_capacities),
                    estimate_kbps: kbps(rates.estimate_of(index as u16, end)),
                    target_kbps: kbps(rates.target_of(index as u16, end)),
                    frames_rendered: latencies.map_or(0, |all| all.len() as u64),
                    frozen_ms: Some(frozen_ms.unwrap_or(0.0)),
                    video_latency_ms_mean: latencies.and_then(|all| mean(all.iter().copied())),
                });
            }
        }
        rows
    }

    /// What the links of participants carry, by index, where senders adapt.
    fn capacities(&self, way: Way) -> Vec<Capacity> {
        let all = self.plan.participants.iter();
        let adapting = all.filter(|_| self.plan.congestion.adapts());
        let capacity = |participant| Capacity::of(self.plan, participant, way);
        adapting.map(capacity).collect()
    }

    /// How long the video streams of each participant were frozen in the window, ms, all together,
    /// by second and participant.
    fn frozen_by_second(&self) -> BTreeMap<(u32, u16), f64> {
        let mut by_second = BTreeMap::new();
        let videos = self.stream_keys().into_iter();
        for key in videos.filter(|key| key.kind == Kind::Video) {
            let log = self.observations.streams.get(&key);
            let shown = log.iter().flat_map(|log| log.shown.iter());
            let times: Vec<_> = shown.map(|shown| shown.at).collect();
            for (from, to) in frozen(&times, self.presence(key)) {
                let (from, to) = (from.as_nanos(), to.as_nanos());
                for second in from / SECOND..to.div_ceil(SECOND) {
                    let inside = to.min((second + 1) * SECOND) - from.max(second * SECOND);
                    *by_second.entry((second as u32, key.receiver)).or_default() +=
                        inside as f64 / 1e6;
                }
            }
        }
        by_second
    }

    /// Latencies in ms of the video frames that each participant saw, by second and participant.
    fn rendered_by_second(&self) -> BTreeMap<(u32, u16), Vec<f64>> {
        let mut rendered: BTreeMap<_, Vec<f64>> = BTreeMap::new();
        for (key, log) in &self.observations.streams {
            if key.kind != Kind::Video {
                continue;
            }
            for shown in &log.shown {
                let Some(captured) = captured(self.observations, key.sender, shown) else {
                    continue;
                };
                let second = (shown.at.as_nanos() / SECOND) as u32;
                let latency = shown.at.as_millis_f64() - captured.as_millis_f64();
                rendered
                    .entry((second, key.receiver))
                    .or_default()
                    .push(latency);
            }
        }
        rendered
    }
}
