//! Figures of one cell, as the rows of the tables.
//!
//! Pure functions of a [`CellRecord`](crate::record::CellRecord). Percentiles are nearest-rank
//! and over pooled samples, never means of percentiles; a figure without samples is `None`, which
//! every rendering shows as missing, never as 0. Figures are not rounded.

mod block;
mod catalogue;
mod data;
mod figures;
mod flows;
mod measured;
mod money;
mod pairs;
mod peers;
mod receivers;
mod repair;
mod row;
mod streams;
mod summary;
mod timeline;

pub use block::{Block, Figure};
pub use catalogue::{Better, METRICS, Metric, Needs, Pool};
pub use data::{DataFigures, DataRow};
pub use flows::{FlowRow, jain, settled};
pub use measured::MeasuredRow;
pub use pairs::{Pair, pairs};
pub use peers::PeerRow;
pub use receivers::ReceiverFigures;
pub use repair::RepairFigures;
pub use row::Row;
pub use streams::StreamRow;
pub use summary::SummaryRow;
pub use timeline::TimelineRow;

pub(crate) use figures::{hosts, kbps, latency_us, streams};
pub(crate) use flows::{Flow, Link, Way};
#[cfg(test)]
pub(crate) use repair::tests::repaired;
pub(crate) use row::row;
