//! What was observed, as records.

use std::collections::BTreeMap;

use reports::distribution::Distribution;
use reports::record::{
    ConnectionRecord, HostRecord, Kind, PacketsRecord, Role, StreamRecord, TimelineRecord,
};
use scenarios::Plan;
use sim::{CpuUsage, Finished, Time};

use super::cpu;
use super::frames::{Frame, PARTS, StreamLog};
use super::freezes::freezes;
use super::traffic::TrafficLog;
use super::{Observations, StreamKey};
use crate::media::audio::SAMPLE_RATE;

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
    /// What the scenario called its computer.
    pub device: String,
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
            let mut record = HostRecord {
                name: info.name.clone(),
                role: info.role,
                group: info.group.clone(),
                nat: info.nat.clone(),
                link: info.link.clone(),
                up: traffic.up,
                down: traffic.down,
                window_up: traffic.window_up,
                window_down: traffic.window_down,
                device: info.device.clone(),
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

    /// Every ordered pair of participants whose presence overlaps.
    fn pairs(&self) -> Vec<(u16, u16)> {
        let all = &self.plan.participants;
        let meet = |a: &scenarios::Participant, b: &scenarios::Participant| {
            let join = a.join.max(b.join);
            [a.leave, b.leave]
                .into_iter()
                .flatten()
                .all(|leave| join < leave)
        };
        let mut pairs = Vec::new();
        for a in all {
            for b in all {
                if a.index != b.index && meet(a, b) {
                    pairs.push((a.index, b.index));
                }
            }
        }
        pairs
    }

    fn name(&self, participant: u16) -> String {
        self.plan.participants[usize::from(participant)]
            .name
            .clone()
    }

    /// `direct` or `relay`, by whether media between the two crossed a relay.
    fn path(&self, a: u16, b: u16) -> Option<String> {
        let end = self.observations.calls.ends.get(&(a, b))?;
        end.connected?;
        let between = |key: &StreamKey| {
            (key.sender, key.receiver) == (a, b) || (key.sender, key.receiver) == (b, a)
        };
        let relayed = self
            .observations
            .sources
            .iter()
            .any(|(ssrc, key)| between(key) && self.traffic.relayed.contains(ssrc));
        Some(if relayed { "relay" } else { "direct" }.to_owned())
    }

    fn candidates(&self, local: u16, remote: u16) -> (Option<String>, Option<String>) {
        let end = self.observations.calls.ends.get(&(local, remote));
        end.and_then(|end| end.candidates.clone()).unzip()
    }

    /// Every end of every connection that there should be.
    pub fn connections(&self) -> Vec<ConnectionRecord> {
        let connection = |(local, remote): (u16, u16)| {
            let end = self.observations.calls.ends.get(&(local, remote));
            let (local_candidate, remote_candidate) = self.candidates(local, remote);
            ConnectionRecord {
                local: self.name(local),
                remote: self.name(remote),
                connected: end.is_some_and(|end| end.connected.is_some()),
                path: self.path(local, remote),
                local_candidate,
                remote_candidate,
                phases: self.observations.calls.phases(local, remote),
            }
        };
        self.pairs().into_iter().map(connection).collect()
    }

    /// Every stream that there should be.
    pub fn streams(&self) -> Vec<StreamRecord> {
        let kinds = [
            (Kind::Video, self.plan.video.is_some()),
            (Kind::Audio, self.plan.audio.is_some()),
        ];
        let mut streams = Vec::new();
        for (sender, receiver) in self.pairs() {
            for (kind, _) in kinds.iter().filter(|(_, exists)| *exists) {
                streams.push(self.stream(StreamKey {
                    sender,
                    receiver,
                    kind: *kind,
                }));
            }
        }
        streams
    }

    fn stream(&self, key: StreamKey) -> StreamRecord {
        let nothing = StreamLog::default();
        let log = self.observations.streams.get(&key).unwrap_or(&nothing);
        let frames = self.window_frames(log);
        let count = |is: &dyn Fn(&Frame) -> bool| frames.iter().filter(|frame| is(frame)).count();
        let sum = |of: &dyn Fn(&Frame) -> u64| frames.iter().map(|frame| of(frame)).sum();
        let shown = shown(log);
        let frozen = match key.kind {
            Kind::Video => freezes(&shown, self.presence(key)),
            Kind::Audio => Default::default(),
        };
        let (local_candidate, remote_candidate) = self.candidates(key.sender, key.receiver);
        StreamRecord {
            sender: self.name(key.sender),
            receiver: self.name(key.receiver),
            kind: key.kind,
            path: self.path(key.sender, key.receiver),
            local_candidate,
            remote_candidate,
            frames_sent: frames.len() as u64,
            frames_received: count(&|frame| frame.assembled.is_some()) as u64,
            frames_rendered: count(&|frame| frame.rendered.is_some()) as u64,
            packets_sent: sum(&|frame| frame.departures.len() as u64),
            packets_received: sum(&|frame| frame.arrivals.len() as u64),
            encoded_bytes: sum(&|frame| frame.bytes),
            first_frame_ms: self.first_frame_ms(key, &shown),
            latency_us: self.latency(key.kind, log, &frames),
            latency_parts_ms: self.parts(key.kind, &frames),
            interval_us: intervals(&shown, self.window),
            freezes: frozen.count,
            freeze_ms: frozen.total_ms,
            psnr_db_mean: mean(frames.iter().filter_map(|frame| frame.psnr_db)),
            ssim_mean: mean(frames.iter().filter_map(|frame| frame.ssim)),
            plis: log.plis,
            keyframes: log.keyframes,
        }
    }

    /// The part of the window in which both ends of a stream are there.
    fn presence(&self, key: StreamKey) -> (Time, Time) {
        let ends = [key.sender, key.receiver].map(|end| &self.plan.participants[usize::from(end)]);
        let joins = ends.iter().map(|end| Time::ZERO + end.join);
        let leaves = ends.iter().filter_map(|end| Some(Time::ZERO + end.leave?));
        let from = joins.fold(self.window.0, Time::max);
        let to = leaves.fold(self.window.1, Time::min);
        (from.min(to), to)
    }

    /// Frames captured in the window.
    fn window_frames<'a>(&self, log: &'a StreamLog) -> Vec<&'a Frame> {
        let window = self.window.0..self.window.1;
        log.frames
            .values()
            .filter(|frame| window.contains(&frame.captured))
            .collect()
    }

    fn first_frame_ms(&self, key: StreamKey, shown: &[Time]) -> Option<f64> {
        let join = self
            .observations
            .calls
            .later_join(key.sender, key.receiver)?;
        let first = shown.first()?;
        Some(first.saturating_since(join).as_secs_f64() * 1e3)
    }

    fn latency(&self, kind: Kind, log: &StreamLog, frames: &[&Frame]) -> Distribution {
        let us = |from: Time, to: Time| (to.saturating_since(from).as_nanos() as u64 + 500) / 1_000;
        let window = self.window.0..self.window.1;
        match kind {
            Kind::Video => frames
                .iter()
                .filter_map(|frame| Some(us(frame.captured, frame.rendered?)))
                .collect(),
            Kind::Audio => log
                .heard
                .iter()
                .filter(|(said, _)| window.contains(said))
                .map(|&(said, heard)| us(said, heard))
                .collect(),
        }
    }

    fn parts(&self, kind: Kind, frames: &[&Frame]) -> BTreeMap<String, f64> {
        let parts: Vec<_> = frames.iter().filter_map(|frame| frame.parts()).collect();
        let mut means: BTreeMap<_, _> = PARTS
            .iter()
            .enumerate()
            .filter_map(|(index, name)| {
                let part = mean(parts.iter().map(|parts| parts[index]))?;
                Some(((*name).to_owned(), part))
            })
            .collect();
        if kind == Kind::Audio && !means.is_empty() {
            let delay_ms = f64::from(self.audio_delay) * 1e3 / f64::from(SAMPLE_RATE);
            means.insert("codec".to_owned(), delay_ms);
        }
        means
    }

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
                let latencies = rendered.get(&(second, index as u16));
                rows.push(TimelineRecord {
                    second,
                    host: info.name.clone(),
                    up_kbps: up as f64 * 8.0 / 1e3,
                    down_kbps: down as f64 * 8.0 / 1e3,
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
        let video = |(key, _): &(&StreamKey, &StreamLog)| key.kind == Kind::Video;
        for (key, log) in self.observations.streams.iter().filter(video) {
            for frame in log.frames.values() {
                let Some(at) = frame.rendered else { continue };
                let second = (at.as_nanos() / 1_000_000_000) as u32;
                let latency = at.as_millis_f64() - frame.captured.as_millis_f64();
                rendered
                    .entry((second, key.receiver))
                    .or_default()
                    .push(latency);
            }
        }
        rendered
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

/// When frames were shown, in order, over the whole run.
fn shown(log: &StreamLog) -> Vec<Time> {
    let mut shown: Vec<_> = log
        .frames
        .values()
        .filter_map(|frame| frame.rendered)
        .collect();
    shown.sort();
    shown
}

/// Intervals between two frames shown in the window, in us.
fn intervals(shown: &[Time], window: (Time, Time)) -> Distribution {
    let inside = |at: &Time| (window.0..window.1).contains(at);
    shown
        .windows(2)
        .filter(|pair| pair.iter().all(inside))
        .map(|pair| ((pair[1] - pair[0]).as_nanos() as u64 + 500) / 1_000)
        .collect()
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0u32);
    for value in values {
        sum += value;
        count += 1;
    }
    (count > 0).then(|| sum / f64::from(count))
}
