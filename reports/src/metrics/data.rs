//! `data.csv`: a row per workload, sender and receiver; and the figures of a whole workload.

use super::figures::{mean, quantile_ms};
use super::row::row;
use crate::distribution::Distribution;
use crate::record::{CellRecord, DataRecord};

row! {
    /// One workload from one participant to another. Times in ms.
    pub struct DataRow {
        /// The scenario's name.
        pub scenario: String,
        /// `mesh`, `sfu` or `mcu`.
        pub topology: String,
        /// How many participants the call has.
        pub participants: u32,
        /// The seed of the cell.
        pub seed: u64,
        /// What the scenario calls it.
        pub workload: String,
        /// `file`, `state` or `chat`.
        pub kind: &'static str,
        /// The host that sends.
        pub sender: String,
        /// The host that receives.
        pub receiver: String,
        /// Whether messages are delivered in order.
        pub ordered: bool,
        /// How often a message is sent again; missing for no limit.
        pub max_retransmits: Option<u16>,
        /// How long a message is sent again; missing for no limit.
        pub max_lifetime_ms: Option<u16>,
        /// Messages sent while the receiver's channel was open.
        pub messages_sent: u64,
        /// Bytes of those, with headers.
        pub bytes_sent: u64,
        /// Messages that the sender left out, because its channel was full.
        pub messages_skipped: u64,
        /// Messages that the server left out, because the receiver's channel was full.
        pub messages_left_out: u64,
        /// Messages that arrived.
        pub messages_received: u64,
        /// Bytes of those.
        pub bytes_received: u64,
        /// Messages that did not arrive by the end of the call.
        pub messages_lost: u64,
        /// The same as a share of those sent, 0 to 1.
        pub loss_ratio: Option<f64>,
        /// Content that arrived, as a rate.
        pub goodput_kbps: Option<f64>,
        /// How long a file took.
        pub completion_ms: Option<f64>,
        /// Whether a file arrived as it was sent.
        pub sha256_ok: Option<bool>,
        /// From made to there.
        pub latency_ms_p50: Option<f64>,
        /// The same, 95th percentile.
        pub latency_ms_p95: Option<f64>,
        /// The same, 99th percentile.
        pub latency_ms_p99: Option<f64>,
        /// The same, mean.
        pub latency_ms_mean: Option<f64>,
        /// Age of information, mean over time; of state alone.
        pub age_ms_mean: Option<f64>,
        /// The same just before each newer message, 95th percentile.
        pub peak_age_ms_p95: Option<f64>,
        /// The most bytes that waited in a channel on the way.
        pub buffered_bytes_max: u64,
    }
}

impl DataRow {
    /// The row of one workload, sender and receiver.
    pub fn of(record: &CellRecord, data: &DataRecord) -> Self {
        DataRow {
            scenario: record.scenario.clone(),
            topology: record.topology.clone(),
            participants: record.participants,
            seed: record.seed,
            workload: data.workload.clone(),
            kind: data.kind.name(),
            sender: data.sender.clone(),
            receiver: data.receiver.clone(),
            ordered: data.ordered,
            max_retransmits: data.max_retransmits,
            max_lifetime_ms: data.max_lifetime_ms,
            messages_sent: data.messages_sent,
            bytes_sent: data.bytes_sent,
            messages_skipped: data.messages_skipped,
            messages_left_out: data.messages_left_out,
            messages_received: data.messages_received,
            bytes_received: data.bytes_received,
            messages_lost: data.messages_lost,
            loss_ratio: ratio(data.messages_lost, data.messages_sent),
            goodput_kbps: data.goodput_kbps,
            completion_ms: data.completion_ms,
            sha256_ok: data.sha256_ok,
            latency_ms_p50: quantile_ms(&data.latency_us, 0.50),
            latency_ms_p95: quantile_ms(&data.latency_us, 0.95),
            latency_ms_p99: quantile_ms(&data.latency_us, 0.99),
            latency_ms_mean: data.latency_us.mean().map(|us| us / 1_000.0),
            age_ms_mean: data.age_ms_mean,
            peak_age_ms_p95: quantile_ms(&data.peak_age_us, 0.95),
            buffered_bytes_max: data.buffered_bytes_max,
        }
    }
}

/// The figures of one workload, over all of its senders and receivers.
#[derive(Clone, Debug, PartialEq)]
pub struct DataFigures {
    /// What the scenario calls it.
    pub workload: String,
    /// `file`, `state` or `chat`.
    pub kind: &'static str,
    /// Pairs of sender and receiver.
    pub pairs: u64,
    /// Files that arrived as they were sent; `None` of other kinds.
    pub intact: Option<u64>,
    /// Messages that were sent; what goes to a server counts once for each receiver.
    pub messages_sent: u64,
    /// Messages that did not arrive, as a share of those sent, 0 to 1.
    pub loss_ratio: Option<f64>,
    /// Mean over the pairs, thousands of bits per second.
    pub goodput_kbps_mean: Option<f64>,
    /// How long the slowest of the files took that are complete, ms.
    pub completion_ms_max: Option<f64>,
    /// From made to there, over all messages, ms.
    pub latency_ms_p50: Option<f64>,
    /// The same, 95th percentile.
    pub latency_ms_p95: Option<f64>,
    /// The same, 99th percentile.
    pub latency_ms_p99: Option<f64>,
    /// Age of information, mean over time and pairs, ms.
    pub age_ms_mean: Option<f64>,
}

impl DataFigures {
    /// The workloads of a cell, in the order of the scenario.
    pub fn all(record: &CellRecord) -> Vec<Self> {
        let mut names: Vec<&str> = Vec::new();
        for data in &record.data {
            if !names.contains(&data.workload.as_str()) {
                names.push(&data.workload);
            }
        }
        let of = |name: &&str| {
            let pairs = record.data.iter().filter(|data| data.workload == **name);
            DataFigures::of(&pairs.collect::<Vec<_>>())
        };
        names.iter().map(of).collect()
    }

    /// Of pairs of one workload, at least one.
    fn of(pairs: &[&DataRecord]) -> Self {
        let sum = |of: fn(&DataRecord) -> u64| pairs.iter().map(|data| of(data)).sum::<u64>();
        let mut latency_us = Distribution::default();
        pairs
            .iter()
            .for_each(|data| latency_us.merge(&data.latency_us));
        let sent = sum(|data| data.messages_sent);
        let is_file = pairs[0].kind == crate::record::DataKind::File;
        let intact = sum(|data| u64::from(data.sha256_ok == Some(true)));
        let times = pairs.iter().filter_map(|data| data.completion_ms);
        DataFigures {
            workload: pairs[0].workload.clone(),
            kind: pairs[0].kind.name(),
            pairs: pairs.len() as u64,
            intact: is_file.then_some(intact),
            messages_sent: sent,
            loss_ratio: ratio(sum(|data| data.messages_lost), sent),
            goodput_kbps_mean: mean(pairs.iter().filter_map(|data| data.goodput_kbps)),
            completion_ms_max: super::figures::max(times),
            latency_ms_p50: quantile_ms(&latency_us, 0.50),
            latency_ms_p95: quantile_ms(&latency_us, 0.95),
            latency_ms_p99: quantile_ms(&latency_us, 0.99),
            age_ms_mean: mean(pairs.iter().filter_map(|data| data.age_ms_mean)),
        }
    }
}

/// A share; `None` of nothing.
fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::cell;

    #[test]
    fn a_workload_is_all_of_its_pairs() {
        let all = DataFigures::all(&cell());
        let [slides, moves] = &all[..] else {
            panic!("two workloads: {all:?}");
        };
        // One of two files is whole, and took 4 s; of 200 messages 50 are missing. 100 messages
        // took 12 ms and 50 took 16 ms.
        assert_eq!(
            (slides.pairs, slides.intact, slides.messages_sent),
            (2, Some(1), 200)
        );
        assert_eq!(slides.loss_ratio, Some(0.25));
        assert_eq!(slides.goodput_kbps_mean, Some(2_400.0));
        assert_eq!(slides.completion_ms_max, Some(4_000.0));
        assert_eq!(slides.latency_ms_p50, Some(12.0));
        assert_eq!(slides.latency_ms_p95, Some(16.0));
        assert_eq!((moves.intact, moves.age_ms_mean), (None, Some(10.5)));
        assert_eq!(moves.loss_ratio, Some(0.1));
    }
}
