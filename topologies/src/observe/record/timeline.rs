//! A row per host and second.

use std::collections::BTreeMap;

use reports::record::{Kind, TimelineRecord};
use sim::Time;

use super::{Recorder, mean};
use crate::observe::journey::captured;

impl Recorder<'_> {
    /// A row per host and second up to the end of the window.
    pub fn timeline(&self) -> Vec<TimelineRecord> {
        let seconds = self.window.1.as_nanos().div_ceil(1_000_000_000) as u32;
        let rendered = self.rendered_by_second();
        let mut rows = Vec::new();
        for second in 0..seconds {
            for (index, info) in self.hosts.iter().enumerate() {
                let bytes = self
                    .host_traffic(index)
                    .and_then(|traffic| traffic.seconds.get(&second));
                let (up, down) = bytes.copied().unwrap_or_default();
                let end = Time::from_millis(u64::from(second + 1) * 1_000);
                let rates = &self.observations.rates;
                let kbps = |bps: Option<f64>| bps.map(|bps| bps / 1e3);
                let latencies = rendered.get(&(second, index as u16));
                rows.push(TimelineRecord {
                    second,
                    host: info.name.clone(),
                    up_kbps: up as f64 * 8.0 / 1e3,
                    down_kbps: down as f64 * 8.0 / 1e3,
                    estimate_kbps: kbps(rates.estimate_of(index as u16, end)),
                    target_kbps: kbps(rates.target_of(index as u16, end)),
                    frames_rendered: latencies.map_or(0, |all| all.len() as u64),
                    video_latency_ms_mean: latencies.and_then(|all| mean(all.iter().copied())),
                });
            }
        }
        rows
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
                let second = (shown.at.as_nanos() / 1_000_000_000) as u32;
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
