//! The cells of one topology and size, which differ in their seeds, and one figure of them all.

use super::catalogue::{Metric, Needs, Pool};
use super::figures::{hosts, mean, streams};
use super::summary::SummaryRow;
use crate::record::{CellRecord, Kind, Role};
use crate::stats::Estimate;

/// The seeds of a cell, as a call or as one group of it saw them.
#[derive(Debug)]
pub struct Block {
    /// Seeds and what is known of each, seeds upwards.
    rows: Vec<(u64, SummaryRow)>,
    /// All samples of all seeds together.
    pooled: SummaryRow,
    /// What the calls have.
    has: Vec<Needs>,
}

/// A metric over the seeds of a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// The figure with its interval; `None` if any seed has none.
    pub estimate: Option<Estimate>,
    /// Seeds and their figures, those that have one, seeds upwards.
    pub by_seed: Vec<(u64, f64)>,
}

impl Block {
    /// Of the cells of `topology` and `participants`, as `group` saw them, or as a whole; `None` if
    /// there are no such cells, or nobody of that group.
    pub fn of<'a>(
        cells: impl IntoIterator<Item = &'a CellRecord>,
        (topology, participants): (&str, u32),
        group: Option<&str>,
    ) -> Option<Self> {
        let chosen = cells
            .into_iter()
            .filter(|cell| cell.topology == topology && cell.participants == participants);
        let seen = |cell: &CellRecord| match group {
            Some(group) => seen_by(cell, group),
            None => cell.clone(),
        };
        let mut cells: Vec<_> = chosen.map(seen).collect();
        cells.sort_by_key(|cell| cell.seed);
        let has = cells.first().map(has)?;
        cells
            .iter()
            .any(|cell| hosts(cell, &[Role::Client]).next().is_some())
            .then_some(())?;
        let rows = cells
            .iter()
            .map(|cell| (cell.seed, SummaryRow::of(cell)))
            .collect();
        let pooled = SummaryRow::of(&pooled(cells)?);
        Some(Block { rows, pooled, has })
    }

    /// The seeds, upwards.
    pub fn seeds(&self) -> impl Iterator<Item = u64> {
        self.rows.iter().map(|(seed, _)| *seed)
    }

    /// A metric of these cells; `None` where it does not apply.
    pub fn figure(&self, metric: &Metric) -> Option<Figure> {
        self.has.contains(&metric.needs).then_some(())?;
        let figure = |(seed, row): &(u64, SummaryRow)| {
            Some((*seed, (metric.of)(row).filter(|value| value.is_finite())?))
        };
        let by_seed: Vec<_> = self.rows.iter().filter_map(figure).collect();
        let values: Vec<_> = by_seed.iter().map(|(_, value)| *value).collect();
        let value = match metric.pool {
            Pool::Samples => (metric.of)(&self.pooled),
            Pool::Mean | Pool::Count => mean(values.iter().copied()),
        };
        let whole = by_seed.len() == self.rows.len();
        let estimate = value
            .filter(|_| whole)
            .map(|value| Estimate::over_seeds(value, &values));
        Some(Figure { estimate, by_seed })
    }
}

/// What the members of a group saw: their hosts, their ends of connections, what they received.
fn seen_by(cell: &CellRecord, group: &str) -> CellRecord {
    let mut seen = cell.clone();
    seen.hosts
        .retain(|host| host.group.as_deref() == Some(group));
    let hosts = std::mem::take(&mut seen.hosts);
    let is_member = |name: &str| hosts.iter().any(|host| host.name == name);
    seen.connections
        .retain(|connection| is_member(&connection.local));
    seen.streams.retain(|stream| is_member(&stream.receiver));
    seen.hosts = hosts;
    seen
}

/// The samples of all of these in one record; what is not a sample is that of the first.
fn pooled(cells: Vec<CellRecord>) -> Option<CellRecord> {
    cells.into_iter().reduce(|mut all, cell| {
        all.connections.extend(cell.connections);
        all.streams.extend(cell.streams);
        all
    })
}

/// What there is to judge in calls like this one.
fn has(cell: &CellRecord) -> Vec<Needs> {
    let is_modelled = |roles: &[Role]| hosts(cell, roles).any(|host| host.cpu_cores_mean.is_some());
    let clients = || hosts(cell, &[Role::Client]);
    let servers = [Role::Sfu, Role::Mcu];
    let has_video = streams(cell, Kind::Video).next().is_some();
    let all = [
        (Needs::Nothing, true),
        (Needs::Connections, !cell.connections.is_empty()),
        (Needs::Video, has_video),
        (Needs::Audio, streams(cell, Kind::Audio).next().is_some()),
        (Needs::Pictures, has_video && cell.fidelity == "codec"),
        (
            Needs::Uplinks,
            clients().any(|host| host.link_up_kbps.is_some()),
        ),
        (
            Needs::Downlinks,
            clients().any(|host| host.link_down_kbps.is_some()),
        ),
        (Needs::ClientCpu, is_modelled(&[Role::Client])),
        (Needs::Server, hosts(cell, &servers).next().is_some()),
        (Needs::ServerCpu, is_modelled(&servers)),
        (Needs::TurnCpu, is_modelled(&[Role::Turn])),
    ];
    all.into_iter()
        .filter_map(|(need, there)| there.then_some(need))
        .collect()
}
