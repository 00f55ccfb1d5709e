//! What hosts' CPUs did, and what they left out.

use std::time::Duration;

use reports::record::HostRecord;
use sim::CpuUsage;

use super::Observations;

/// What the record of a host, by its place in the order of creation, says of its CPU and codecs.
/// `usage` counts in the measured window; it is `None` where CPUs are free.
pub fn fill(
    record: &mut HostRecord,
    index: usize,
    observations: &Observations,
    usage: Option<&CpuUsage>,
    window: Duration,
) {
    let host = index as u16;
    record.codecs = observations.codecs.get(&host).copied().unwrap_or_default();
    let own = observations.skipped.iter();
    let own = own.filter(|((skipper, _), _)| *skipper == host);
    let refused = usage.into_iter().flat_map(CpuUsage::refused);
    for (work, pieces) in own.map(|((_, work), pieces)| (work, pieces)).chain(refused) {
        *record.skipped.entry(work.name().to_owned()).or_default() += pieces;
    }
    let Some(usage) = usage else { return };
    let cores = |busy: &Duration| busy.as_secs_f64() / window.as_secs_f64();
    let by_work = usage.busy().iter();
    let by_work = by_work.map(|(work, busy)| (work.name().to_owned(), cores(busy)));
    record.cpu_cores_by_work = by_work.collect();
    record.cpu_cores_mean = Some(record.cpu_cores_by_work.values().sum());
}
