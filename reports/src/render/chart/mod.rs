//! Charts of a run, as SVG and PNG, each with a sentence and with the figures that it shows.
//!
//! Pure functions of the records: the same run gives the same bytes. What is missing is a gap, and
//! a chart without a single figure is left out.
//!
//! - `style`, `axis`, `panel`, `sheet`: how charts look.
//! - `group`, `estimate`, `data`, `sentence`: what the families share.
//! - `budget`: what hosts have at most, drawn into what they use.
//! - `sizes`, `latency`, `cpu`, `setup`, `course`, `flows`, `receivers`: one family of charts each.

mod axis;
mod budget;
mod course;
mod cpu;
mod data;
mod estimate;
mod flows;
mod group;
mod latency;
mod panel;
mod png;
mod receivers;
mod sentence;
mod setup;
mod sheet;
mod sizes;
mod style;

pub use data::DataRow;

use crate::record::Kind;
use crate::run::Run;
use group::Groups;

/// A chart of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Its name, one of [`NAMES`].
    pub name: &'static str,
    /// What it shows.
    pub title: String,
    /// What is to be seen in it; every number is one of `data`.
    pub sentence: String,
    /// The picture, which stands alone.
    pub svg: String,
    /// The figures that are drawn, not rounded.
    pub data: Vec<DataRow>,
}

impl Chart {
    /// The picture as PNG, on white, two pixels to each of the SVG's.
    pub fn png(&self) -> Vec<u8> {
        png::of(&self.svg)
    }
}

/// The names of all charts that there may be, in the order in which they are read.
pub const NAMES: [&str; 17] = [
    "client-traffic",
    "server-traffic",
    "turn-traffic",
    "video-latency-cdf",
    "video-latency-boxes",
    "audio-latency-cdf",
    "audio-latency-boxes",
    "cpu-client",
    "cpu-server",
    "cpu-turn",
    "setup",
    "course",
    "flows",
    "quality",
    "receivers",
    "relayed-pairs",
    "money",
];

/// The charts of a run for which it has figures, in the order of [`NAMES`].
pub fn all(run: &Run) -> Vec<Chart> {
    let groups = &Groups::of(run);
    let charts = [
        sizes::client_traffic(groups),
        sizes::server_traffic(groups),
        sizes::turn_traffic(groups),
        latency::cdf(groups, Kind::Video),
        latency::boxes(groups, Kind::Video),
        latency::cdf(groups, Kind::Audio),
        latency::boxes(groups, Kind::Audio),
        cpu::client(groups),
        cpu::server(groups),
        cpu::turn(groups),
        setup::chart(groups),
        course::chart(groups),
        flows::chart(groups),
        sizes::quality(groups),
        receivers::chart(groups),
        sizes::relayed_pairs(groups),
        sizes::money(groups),
    ];
    charts.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests;
