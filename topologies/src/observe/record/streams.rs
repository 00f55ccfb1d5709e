//! Every sender's media as every receiver got it.

use std::collections::BTreeMap;

use reports::distribution::Distribution;
use reports::record::{Kind, RepairRecord, StreamRecord};
use scenarios::Topology;
use sim::Time;

use super::{Recorder, mean};
use crate::media::audio::SAMPLE_RATE;
use crate::observe::frames::{Frame, HopKey, HopLog};
use crate::observe::freezes::freezes;
use crate::observe::journey::{Journey, captured};
use crate::observe::shown::{Shown, StreamKey, StreamLog};
use crate::peer::kinds;
use crate::world;

/// The hops of a stream: the one that begins at the sender and the one that ends at the receiver.
/// In a mesh they are the same.
struct Hops {
    first: HopKey,
    last: HopKey,
}

impl Recorder<'_> {
    /// Every stream that there should be.
    pub fn streams(&self) -> Vec<StreamRecord> {
        let keys = self.stream_keys().into_iter();
        keys.map(|key| self.stream(key)).collect()
    }

    /// By sender, receiver and kind.
    pub(super) fn stream_keys(&self) -> Vec<StreamKey> {
        let mut keys = Vec::new();
        for (sender, receiver) in self.pairs(|sender, receiver| receiver.gets(sender)) {
            for kind in kinds(self.plan) {
                let key = StreamKey {
                    sender,
                    receiver,
                    kind,
                };
                if !self.is_left_out(key) {
                    keys.push(key);
                }
            }
        }
        keys
    }

    /// Whether the SFU, by its last-N rule, never showed the receiver anything of this stream.
    fn is_left_out(&self, key: StreamKey) -> bool {
        let chooses = self.plan.topology == Topology::Sfu && self.plan.sfu.last_n.is_some();
        let last = self.hops(key).last;
        chooses && key.kind == Kind::Video && !self.observations.hops.contains_key(&last)
    }

    fn stream(&self, key: StreamKey) -> StreamRecord {
        let nothing = (HopLog::default(), StreamLog::default());
        let hops = self.hops(key);
        let log = |hop| self.observations.hops.get(&hop).unwrap_or(&nothing.0);
        let (sent, received) = (log(hops.first), log(hops.last));
        let stream = self.observations.streams.get(&key).unwrap_or(&nothing.1);
        let out = match self.layers(key) {
            1 => self.window_frames(sent, |frame| frame.captured),
            layers => self.sent_in_layers(&hops, layers, received),
        };
        let arrived = self.window_frames(received, |frame| frame.captured);
        let shown = self.window_shown(key, stream);
        let times: Vec<_> = stream.shown.iter().map(|shown| shown.at).collect();
        let frozen = match key.kind {
            Kind::Video => freezes(&times, self.presence(key)),
            Kind::Audio => Default::default(),
        };
        StreamRecord {
            sender: self.name(key.sender),
            receiver: self.name(key.receiver),
            kind: key.kind,
            path: self.stream_path(&hops),
            local_candidate: self.candidates(hops.first.from, hops.first.to).0,
            remote_candidate: self.candidates(hops.last.to, hops.last.from).0,
            frames_sent: out.len() as u64,
            frames_received: count(&arrived, |frame| frame.assembled.is_some()),
            frames_rendered: shown.len() as u64,
            packets_sent: out.iter().map(|frame| frame.departures.len() as u64).sum(),
            packets_received: arrived
                .iter()
                .map(|frame| frame.arrivals.len() as u64)
                .sum(),
            encoded_bytes: out.iter().map(|frame| frame.bytes).sum(),
            first_frame_ms: self.first_frame_ms(key, &times),
            latency_us: self.latency(key.kind, stream, &shown),
            latency_parts_ms: self.parts(key, &shown),
            interval_us: intervals(&times, self.window),
            freezes: frozen.count,
            freeze_ms: frozen.total_ms,
            psnr_db_mean: mean(shown.iter().filter_map(|(shown, _)| shown.psnr_db)),
            ssim_mean: mean(shown.iter().filter_map(|(shown, _)| shown.ssim)),
            width_px_mean: mean(
                shown
                    .iter()
                    .filter_map(|(shown, _)| Some(shown.width? as f64)),
            ),
            plis: received.plis,
            keyframes: match self.layers(key) {
                1 => sent.keyframes,
                _ => received.keyframes,
            },
            transport: self.stream_transport(&hops),
            interruptions: self.interruptions(key, &times),
            repair: Some(self.repair(&hops)),
        }
    }

    /// What was done about losses, over all hops.
    fn repair(&self, hops: &Hops) -> RepairRecord {
        let window = self.window.0..self.window.1;
        let within = |times: &[Time]| times.iter().filter(|at| window.contains(at)).count() as u64;
        let second = (hops.last != hops.first).then_some(hops.last);
        let mut sum = RepairRecord::default();
        let logs = [Some(hops.first), second].into_iter().flatten();
        for log in logs.filter_map(|hop| self.observations.hops.get(&hop)) {
            for frame in self.window_frames(log, |frame| frame.captured) {
                let RepairRecord {
                    retransmitted_packets,
                    retransmitted_bytes,
                    fec_packets,
                    fec_bytes,
                    rebuilt_packets,
                    ..
                } = frame.repair;
                sum.retransmitted_packets += retransmitted_packets;
                sum.retransmitted_bytes += retransmitted_bytes;
                sum.fec_packets += fec_packets;
                sum.fec_bytes += fec_bytes;
                sum.rebuilt_packets += rebuilt_packets;
                let add = |sum: &mut Option<u64>, n| *sum = Some(sum.unwrap_or(0) + n);
                add(&mut sum.media_packets, frame.departures.len() as u64);
                add(&mut sum.media_bytes, frame.bytes);
                add(&mut sum.lost_packets, frame.lost.len() as u64);
                add(&mut sum.missing_packets, frame.missing() as u64);
            }
            sum.redundant_frames += within(&log.recovered);
            sum.concealed_frames += within(&log.concealed);
        }
        sum
    }

    fn hops(&self, key: StreamKey) -> Hops {
        let StreamKey {
            sender,
            receiver,
            kind,
        } = key;
        let server = world::media_server(self.plan);
        let last = match self.plan.topology {
            Topology::Mesh => HopKey::first(sender, receiver, kind),
            Topology::Sfu => HopKey {
                source: sender,
                from: server,
                to: receiver,
                kind,
                layer: 0,
            },
            Topology::Mcu => HopKey::first(server, receiver, kind),
        };
        Hops {
            first: match self.plan.topology {
                Topology::Mesh => last,
                Topology::Sfu | Topology::Mcu => HopKey::first(sender, server, kind),
            },
            last,
        }
    }

    /// In how many layers a stream leaves its sender.
    fn layers(&self, key: StreamKey) -> u8 {
        match key.kind {
            Kind::Video => self.plan.layers().len() as u8,
            Kind::Audio => 1,
        }
    }

    /// Frames that left the sender in the window, each once: in the layer that the receiver got, or
    /// else in the smallest.
    fn sent_in_layers(&self, hops: &Hops, layers: u8, received: &HopLog) -> Vec<&Frame> {
        let mut out = BTreeMap::new();
        let logs = (0..layers).map(|layer| self.observations.hops.get(&hops.first.on_layer(layer)));
        for (layer, log) in (0..layers).zip(logs) {
            let frames = log.into_iter().flat_map(|log| &log.frames);
            for (timestamp, frame) in frames {
                let forwarded = received.frames.get(timestamp);
                if forwarded.is_some_and(|forwarded| forwarded.layer == layer) {
                    out.insert(timestamp, frame);
                }
                out.entry(timestamp).or_insert(frame);
            }
        }
        let window = self.window.0..self.window.1;
        let inside = |frame: &&Frame| window.contains(&frame.captured);
        out.into_values().filter(inside).collect()
    }

    /// `relay` if any hop is relayed; `None` if any hop never came up.
    fn stream_path(&self, hops: &Hops) -> Option<String> {
        let first = self.path(hops.first.from, hops.first.to)?;
        let last = self.path(hops.last.from, hops.last.to)?;
        Some(if first == "direct" { last } else { first })
    }

    /// `tcp` if any hop is; `None` if any hop never came up.
    fn stream_transport(&self, hops: &Hops) -> Option<String> {
        let ends = [hops.first, hops.last].map(|hop| (hop.from, hop.to));
        let transport = |end| self.observations.calls.ends.get(&end)?.transport.as_deref();
        let transports = [transport(ends[0])?, transport(ends[1])?];
        let slow = transports.contains(&"tcp");
        Some(if slow { "tcp" } else { "udp" }.to_owned())
    }

    /// The part of the window in which both ends of a stream are there.
    pub(super) fn presence(&self, key: StreamKey) -> (Time, Time) {
        let ends = [key.sender, key.receiver].map(|end| &self.plan.participants[usize::from(end)]);
        let joins = ends.iter().map(|end| Time::ZERO + end.join);
        let leaves = ends.iter().filter_map(|end| Some(Time::ZERO + end.leave?));
        let from = joins.fold(self.window.0, Time::max);
        let to = leaves.fold(self.window.1, Time::min);
        (from.min(to), to)
    }

    /// Frames that began their hop in the window.
    fn window_frames<'a>(&self, log: &'a HopLog, began: fn(&Frame) -> Time) -> Vec<&'a Frame> {
        let window = self.window.0..self.window.1;
        let inside = |frame: &&Frame| window.contains(&began(frame));
        log.frames.values().filter(inside).collect()
    }

    /// What was shown of frames captured in the window, with when they were captured.
    fn window_shown<'a>(&self, key: StreamKey, log: &'a StreamLog) -> Vec<(&'a Shown, Time)> {
        let window = self.window.0..self.window.1;
        let with_capture = |shown: &'a Shown| {
            let captured = captured(self.observations, key.sender, shown)?;
            window.contains(&captured).then_some((shown, captured))
        };
        log.shown.iter().filter_map(with_capture).collect()
    }

    fn first_frame_ms(&self, key: StreamKey, shown: &[Time]) -> Option<f64> {
        let join = self
            .observations
            .calls
            .later_join(key.sender, key.receiver)?;
        let first = shown.first()?;
        Some(first.saturating_since(join).as_secs_f64() * 1e3)
    }

    fn latency(&self, kind: Kind, log: &StreamLog, shown: &[(&Shown, Time)]) -> Distribution {
        let us = |from: Time, to: Time| (to.saturating_since(from).as_nanos() as u64 + 500) / 1_000;
        let window = self.window.0..self.window.1;
        match kind {
            Kind::Video => shown
                .iter()
                .map(|(shown, captured)| us(*captured, shown.at))
                .collect(),
            Kind::Audio => log
                .heard
                .iter()
                .filter(|(said, _)| window.contains(said))
                .map(|&(said, heard)| us(said, heard))
                .collect(),
        }
    }

    fn parts(&self, key: StreamKey, shown: &[(&Shown, Time)]) -> BTreeMap<String, f64> {
        let mut sums: BTreeMap<&'static str, f64> = BTreeMap::new();
        let mut count = 0u32;
        for (shown, _) in shown {
            let Some(journey) = Journey::of(self.observations, key.sender, shown) else {
                continue;
            };
            count += 1;
            for (part, length) in journey.parts() {
                *sums.entry(part).or_default() += length;
            }
        }
        let mean = |(part, sum): (&str, f64)| (part.to_owned(), sum / f64::from(count));
        let mut means: BTreeMap<_, _> = sums.into_iter().map(mean).collect();
        if key.kind == Kind::Audio && !means.is_empty() {
            let codecs = match self.plan.topology {
                Topology::Mesh | Topology::Sfu => 1.0,
                // Decoded and encoded again on the way.
                Topology::Mcu => 2.0,
            };
            let delay_ms = f64::from(self.audio_delay) * 1e3 / f64::from(SAMPLE_RATE);
            means.insert("codec".to_owned(), codecs * delay_ms);
        }
        means
    }
}

fn count(frames: &[&Frame], is: impl Fn(&Frame) -> bool) -> u64 {
    frames.iter().filter(|frame| is(frame)).count() as u64
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
