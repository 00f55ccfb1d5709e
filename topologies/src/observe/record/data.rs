//! Every workload from everybody who sends it to everybody who receives it.

use reports::record::{DataKind as Kind, DataRecord};
use scenarios::{DataKind, DataPlan, Reliability};
use sim::Time;

use super::Recorder;
use crate::observe::data::{ChannelKey, ChannelLog, Delivery, DeliveryKey, Sent};
use crate::world;

impl Recorder<'_> {
    /// Every workload, sender and receiver that there should be.
    pub fn data(&self) -> Vec<DataRecord> {
        let workloads = self.plan.data.iter().enumerate();
        let of_workload = |(workload, data): (usize, &DataPlan)| {
            let pairs = self.pairs(|a, b| data.joins(a.index, b.index));
            let key = |(sender, receiver)| DeliveryKey {
                workload,
                sender,
                receiver,
            };
            let records = pairs.into_iter().map(|pair| self.delivery(data, key(pair)));
            records.collect::<Vec<_>>()
        };
        workloads.flat_map(of_workload).collect()
    }

    fn delivery(&self, data: &DataPlan, key: DeliveryKey) -> DataRecord {
        let log = &self.observations.data;
        let idle = (ChannelLog::default(), Delivery::default());
        let [first, last] = self.channels(key);
        let channel = |key| log.channels.get(&key).unwrap_or(&idle.0);
        let delivery = log.deliveries.get(&key).unwrap_or(&idle.1);
        let sent = self.sent_to(key, channel(first), channel(last));
        let bytes_sent = sent.iter().map(|sent| u64::from(sent.bytes)).sum();
        let messages_sent = sent.len() as u64;
        let start = sent.first().map(|sent| sent.at);
        let is_state = matches!(data.kind, DataKind::State { .. });
        let (max_retransmits, max_lifetime_ms) = limits(data.reliability);
        let buffered = [first, last].map(|key| channel(key).buffered_max);
        DataRecord {
            workload: data.name.clone(),
            kind: kind(data.kind),
            sender: self.name(key.sender),
            receiver: self.name(key.receiver),
            ordered: data.ordered,
            max_retransmits,
            max_lifetime_ms,
            messages_sent,
            bytes_sent,
            messages_skipped: channel(first).skipped,
            messages_left_out: delivery.left_out,
            messages_received: delivery.messages,
            bytes_received: delivery.bytes,
            messages_lost: messages_sent.saturating_sub(delivery.messages),
            goodput_kbps: goodput_kbps(delivery),
            completion_ms: start
                .zip(delivery.complete)
                .map(|(start, (at, _))| ms(start, at)),
            sha256_ok: delivery.complete.map(|(_, intact)| intact),
            latency_us: delivery.latency_us.clone(),
            age_ms_mean: delivery.age.mean_ms(self.over(key)).filter(|_| is_state),
            peak_age_us: match is_state {
                true => delivery.age.peak_us.clone(),
                false => Default::default(),
            },
            buffered_bytes_max: buffered.into_iter().max().unwrap_or(0),
        }
    }

    /// The channels on the way: from the sender, and to the receiver. In a mesh they are the same.
    fn channels(&self, key: DeliveryKey) -> [ChannelKey; 2] {
        let DeliveryKey {
            workload,
            sender,
            receiver,
        } = key;
        let channel = |from, to| ChannelKey { workload, from, to };
        match world::media_role(self.plan) {
            None => [channel(sender, receiver); 2],
            Some(_) => {
                let server = world::media_server(self.plan);
                [channel(sender, server), channel(server, receiver)]
            }
        }
    }

    /// What a sender sent while a receiver could get it.
    fn sent_to(&self, key: DeliveryKey, first: &ChannelLog, last: &ChannelLog) -> Vec<Sent> {
        let Some(opened) = last.opened else {
            return Vec::new();
        };
        let there = opened..self.over(key);
        let sent = first.sent.iter();
        sent.filter(|sent| there.contains(&sent.at))
            .copied()
            .collect()
    }

    /// When the workload is over for a pair: at the end of the window, or when one of them leaves.
    fn over(&self, key: DeliveryKey) -> Time {
        let leave = |index: u16| self.plan.participants[usize::from(index)].leave;
        let leaves = [key.sender, key.receiver].into_iter().filter_map(leave);
        let leaves = leaves.map(|leave| Time::ZERO + leave);
        leaves.fold(self.window.1, Time::min)
    }
}

fn kind(kind: DataKind) -> Kind {
    match kind {
        DataKind::File { .. } => Kind::File,
        DataKind::State { .. } => Kind::State,
        DataKind::Chat { .. } => Kind::Chat,
    }
}

fn limits(reliability: Reliability) -> (Option<u16>, Option<u16>) {
    match reliability {
        Reliability::Full => (None, None),
        Reliability::Retransmits(number) => (Some(number), None),
        Reliability::LifetimeMs(ms) => (None, Some(ms)),
    }
}

/// Bits per ms.
fn goodput_kbps(delivery: &Delivery) -> Option<f64> {
    let (from, to) = delivery.span?;
    let span = ms(from, to);
    (span > 0.0).then(|| delivery.content as f64 * 8.0 / span)
}

fn ms(from: Time, to: Time) -> f64 {
    to.saturating_since(from).as_secs_f64() * 1e3
}
