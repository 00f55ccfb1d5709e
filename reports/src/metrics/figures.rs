//! The arithmetic that several tables share.

use crate::distribution::Distribution;
use crate::record::{CellRecord, HostRecord, Kind, Role, StreamRecord};

/// The arithmetic mean; `None` of nothing.
pub(super) fn mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values
        .into_iter()
        .fold((0.0, 0_u64), |(sum, n), x| (sum + x, n + 1));
    (n > 0).then(|| sum / n as f64)
}

/// The mean of `(value, weight)`; `None` without weight.
pub(super) fn weighted_mean(values: impl IntoIterator<Item = (f64, u64)>) -> Option<f64> {
    let (sum, weights) = values
        .into_iter()
        .fold((0.0, 0), |(sum, weights), (x, weight)| {
            (sum + x * weight as f64, weights + weight)
        });
    (weights > 0).then(|| sum / weights as f64)
}

/// The largest; `None` of nothing.
pub(super) fn max(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    values.into_iter().max_by(f64::total_cmp)
}

/// Quantile `q` of samples in us, in ms.
pub(super) fn quantile_ms(samples_us: &Distribution, q: f64) -> Option<f64> {
    samples_us.quantile(q).map(|us| us / 1_000.0)
}

/// Length of the measured window in ms; `None` if it is empty.
pub(super) fn window_ms(record: &CellRecord) -> Option<f64> {
    let length = record.window_to_ms - record.window_from_ms;
    (length > 0.0).then_some(length)
}

/// Bytes in the measured window as thousands of bits per second (bits per ms).
pub(crate) fn kbps(record: &CellRecord, bytes: u64) -> Option<f64> {
    window_ms(record).map(|window| bytes as f64 * 8.0 / window)
}

/// Frames of a stream rendered per second of the window.
pub(super) fn fps(record: &CellRecord, stream: &StreamRecord) -> Option<f64> {
    window_ms(record).map(|window| stream.frames_rendered as f64 * 1_000.0 / window)
}

/// The hosts with one of these roles.
pub(crate) fn hosts<'a>(
    record: &'a CellRecord,
    roles: &'a [Role],
) -> impl Iterator<Item = &'a HostRecord> + Clone {
    record
        .hosts
        .iter()
        .filter(|host| roles.contains(&host.role))
}

/// The streams of one kind.
pub(crate) fn streams(
    record: &CellRecord,
    kind: Kind,
) -> impl Iterator<Item = &StreamRecord> + Clone {
    record
        .streams
        .iter()
        .filter(move |stream| stream.kind == kind)
}

/// The latencies of all streams of one kind, pooled, in us.
pub(crate) fn latency_us(record: &CellRecord, kind: Kind) -> Distribution {
    let mut pooled = Distribution::default();
    streams(record, kind).for_each(|stream| pooled.merge(&stream.latency_us));
    pooled
}
