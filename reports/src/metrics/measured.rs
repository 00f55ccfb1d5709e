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
        /// `wall`, `virtual`, `cpu_host`, `cpu_work`, `cpu_observer`, `cpu_workaround`, `cpu_kernel` or
        /// `peak_rss`.
        pub figure: &'static str,
        /// The host, for figures of one host.
        pub host: Option<String>,
        /// The kind of work, for figures of one.
        pub work: Option<String>,
        /// The figure; missing if it could not be measured.
        pub value: Option<f64>,
        /// `s` or `bytes`.
        pub unit: &'static str,
    }
}

impl MeasuredRow {
    /// The rows of one cell, in a fixed order.
    pub fn all(record: &CellRecord, measured: &Measured) -> Vec<MeasuredRow> {
        let row = |figure, host: Option<&String>, value, unit| MeasuredRow {
            scenario: record.scenario.clone(),
            topology: record.topology.clone(),
            participants: record.participants,
            seed: record.seed,
            figure,
            host: host.cloned(),
            work: None,
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
        let hosts = measured.host_cpu_s.iter();
        rows.extend(hosts.map(|(host, &cpu_s)| row("cpu_host", Some(host), Some(cpu_s), "s")));
        for (host, works) in &measured.host_work_cpu_s {
            rows.extend(works.iter().map(|(work, &cpu_s)| MeasuredRow {
                work: Some(work.clone()),
                ..row("cpu_work", Some(host), Some(cpu_s), "s")
            }));
        }
        rows
    }
}
