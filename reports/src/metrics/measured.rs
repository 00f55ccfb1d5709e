//! `measured.csv`: what the machine that ran a cell spent on it, a row per figure.

use super::row::row;
use crate::record::{CellRecord, Measured};

row! {
    /// One measured figure of one cell.
    pub struct MeasuredRow {
        /// The scenario's name.
        pub scenario: String,
        /// `mesh`, `sfu` or `mcu`.
        pub topology: String,
        /// How many participants the call has.
        pub participants: u32,
        /// The seed of the cell.
        pub seed: u64,
        /// `wall`, `virtual`, `cpu_host`, `cpu_host_` and a work, `cpu_observer`,
        /// `cpu_workaround`, `cpu_kernel` or `peak_rss`.
        pub figure: String,
        /// The host, for figures of one host.
        pub host: Option<String>,
        /// The figure; missing if it could not be measured.
        pub value: Option<f64>,
        /// `s` or `bytes`.
        pub unit: &'static str,
    }
}

impl MeasuredRow {
    /// The rows of one cell, in a fixed order.
    pub fn all(record: &CellRecord, measured: &Measured) -> Vec<MeasuredRow> {
        let row = |figure: &str, host: Option<&String>, value, unit| MeasuredRow {
            scenario: record.scenario.clone(),
            topology: record.topology.clone(),
            participants: record.participants,
            seed: record.seed,
            figure: figure.to_owned(),
            host: host.cloned(),
            value,
            unit,
        };
        let peak_rss = measured.peak_rss_bytes.map(|bytes| bytes as f64);
        let mut rows = vec![
            row("wall", None, Some(measured.wall_s), "s"),
            row("virtual", None, Some(measured.virtual_s), "s"),
            row("cpu_kernel", None, Some(measured.kernel_cpu_s), "s"),
            row("cpu_observer", None, Some(measured.observer_cpu_s), "s"),
            row("cpu_workaround", None, Some(measured.workaround_cpu_s), "s"),
            row("peak_rss", None, peak_rss, "bytes"),
        ];
        for (host, &cpu_s) in &measured.host_cpu_s {
            rows.push(row("cpu_host", Some(host), Some(cpu_s), "s"));
            for (work, &cpu_s) in measured.host_work_cpu_s.get(host).into_iter().flatten() {
                let figure = format!("cpu_host_{work}");
                rows.push(row(&figure, Some(host), Some(cpu_s), "s"));
            }
        }
        rows
    }
}
