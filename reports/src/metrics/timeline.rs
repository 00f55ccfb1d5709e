//! `timeline.csv`: a row per host and second of the call.

use super::row::row;
use crate::record::{CellRecord, TimelineRecord};

row! {
    /// What one host of one cell did in one second of the call.
    pub struct TimelineRow {
        /// The scenario's name.
        pub scenario: String,
        /// `mesh`, `sfu` or `mcu`.
        pub topology: String,
        /// How many participants the call has.
        pub participants: u32,
        /// The seed of the cell.
        pub seed: u64,
        /// Start of the second, s after the start of the call.
        pub second: u32,
        /// The host.
        pub host: String,
        /// Put on its access link, thousands of bits per second.
        pub up_kbps: f64,
        /// Delivered by its access link, thousands of bits per second.
        pub down_kbps: f64,
        /// Carried by its access link from it at most, likewise.
        pub up_capacity_kbps: Option<f64>,
        /// What its connections were estimated to carry from it at the end of the second, together.
        pub estimate_kbps: Option<f64>,
        /// What its encoders were asked for then, together.
        pub target_kbps: Option<f64>,
        /// Video frames rendered, over all its streams.
        pub frames_rendered: u64,
        /// Mean capture-to-render latency of those, ms.
        pub video_latency_ms_mean: Option<f64>,
        /// How long its video streams were frozen within the measured window, ms, all together.
        pub frozen_ms: Option<f64>,
        /// Carried by its access link to it at most, thousands of bits per second.
        pub down_capacity_kbps: Option<f64>,
    }
}

impl TimelineRow {
    /// The rows of one cell, in the order of its timeline.
    pub fn all(record: &CellRecord) -> impl Iterator<Item = TimelineRow> {
        record
            .timeline
            .iter()
            .map(|second| TimelineRow::of(record, second))
    }

    fn of(record: &CellRecord, second: &TimelineRecord) -> Self {
        TimelineRow {
            scenario: record.scenario.clone(),
            topology: record.topology.clone(),
            participants: record.participants,
            seed: record.seed,
            second: second.second,
            host: second.host.clone(),
            up_kbps: second.up_kbps,
            down_kbps: second.down_kbps,
            up_capacity_kbps: second.up_capacity_kbps,
            estimate_kbps: second.estimate_kbps,
            target_kbps: second.target_kbps,
            frames_rendered: second.frames_rendered,
            video_latency_ms_mean: second.video_latency_ms_mean,
            frozen_ms: second.frozen_ms,
            down_capacity_kbps: second.down_capacity_kbps,
        }
    }
}
