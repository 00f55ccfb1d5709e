//! The figures of charts as rows of `charts.csv`.

use super::estimate::Estimate;
use crate::metrics::row;

row! {
    /// One figure of one chart.
    pub struct DataRow {
        /// The chart, such as `client-traffic`.
        pub chart: &'static str,
        /// The panel, by its title.
        pub panel: String,
        /// The line or the colour: a topology, a work, a phase.
        pub series: String,
        /// The figure's place: number of participants, seconds, or percent of samples.
        pub x: f64,
        /// The figure.
        pub value: f64,
        /// Lower end of the spread that is drawn.
        pub low: Option<f64>,
        /// Upper end of the spread.
        pub high: Option<f64>,
        /// 5th percentile of the samples, in box plots.
        pub p05: Option<f64>,
        /// 95th percentile, likewise.
        pub p95: Option<f64>,
        /// Of the figure.
        pub unit: &'static str,
        /// How many values (seeds, hosts, pictures) the figure is of.
        pub n: u64,
    }
}

impl DataRow {
    /// The row of a figure without a spread.
    pub(super) fn plain(
        chart: &'static str,
        (panel, series): (&str, &str),
        (x, value): (f64, f64),
        unit: &'static str,
        n: u64,
    ) -> Self {
        DataRow {
            chart,
            panel: panel.to_owned(),
            series: series.to_owned(),
            x,
            value,
            low: None,
            high: None,
            p05: None,
            p95: None,
            unit,
            n,
        }
    }

    /// The row of a figure at `x` with its spread.
    pub(super) fn spread(
        chart: &'static str,
        names: (&str, &str),
        (x, figure): (f64, &Estimate),
        unit: &'static str,
    ) -> Self {
        DataRow {
            low: Some(figure.low),
            high: Some(figure.high),
            ..DataRow::plain(chart, names, (x, figure.value), unit, figure.n)
        }
    }
}
