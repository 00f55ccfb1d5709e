//! `[limits]`: what the results have to keep to.
//!
//! Limits change nothing in a run: results are judged by them afterwards.

use std::fmt::Display;
use std::ops::RangeInclusive;

use super::call;
use crate::document::{Keys, Node, Section};
use crate::plan::{Limit, Topology};

/// Every metric, in the order of the reference. The unit is in the name.
pub(super) const METRICS: Keys = Keys {
    section: "[limits]",
    names: &[
        "connected_pairs",
        "unconnected_pairs",
        "relayed_pairs",
        "missing_streams",
        "setup_ms_p50",
        "setup_ms_p95",
        "first_frame_ms_p50",
        "first_frame_ms_p95",
        "video_latency_ms_p50",
        "video_latency_ms_p95",
        "video_latency_ms_p99",
        "audio_latency_ms_p50",
        "audio_latency_ms_p95",
        "fps_mean",
        "freezes",
        "freeze_ratio",
        "psnr_db_mean",
        "ssim_mean",
        "client_up_kbps_mean",
        "client_down_kbps_mean",
        "server_in_kbps",
        "server_out_kbps",
        "turn_in_kbps",
        "turn_out_kbps",
        "client_cpu_cores_mean",
        "client_cpu_cores_max",
        "server_cpu_cores",
        "turn_cpu_cores",
        "skipped_work",
        "signaling_bytes",
        "client_up_use_max",
        "client_down_use_max",
        "client_cpu_use_max",
        "server_cpu_use",
        "money_per_hour",
    ],
};

/// Those of a call as a whole, or of its servers, which are no group's.
const OF_THE_CALL: [&str; 12] = [
    "connected_pairs",
    "unconnected_pairs",
    "relayed_pairs",
    "server_in_kbps",
    "server_out_kbps",
    "turn_in_kbps",
    "turn_out_kbps",
    "server_cpu_cores",
    "turn_cpu_cores",
    "signaling_bytes",
    "server_cpu_use",
    "money_per_hour",
];

/// The keys of one limit.
pub(super) const KEYS: Keys = Keys {
    section: "limit",
    names: &["min", "max", "topology", "participants", "group"],
};

/// No metric is negative, and none comes near the other end.
const BOUNDS: RangeInclusive<f64> = 0.0..=1e12;

const EXAMPLE: &str = "a table such as { max = 250 }, or a list of them";

/// The metrics that a scenario may limit, as columns of `summary.csv` are called, each with whether
/// it can be that of a group.
pub fn limited_metrics() -> impl Iterator<Item = (&'static str, bool)> {
    let names = METRICS.names.iter();
    names.map(|name| (*name, !OF_THE_CALL.contains(name)))
}

/// What a limit may be restricted to, where that could be read.
pub(super) struct Scope<'a> {
    /// The topologies of the scenario.
    pub(super) topologies: Option<&'a [Topology]>,
    /// Its numbers of participants.
    pub(super) participants: Option<&'a [u32]>,
    /// The names of its groups.
    pub(super) groups: Option<Vec<&'a str>>,
}

/// The limits of a scenario, in the order of the reference, those of one metric as written.
pub(super) fn read(section: &Section<'_>, scope: &Scope<'_>) -> Option<Vec<Limit>> {
    let Some(node) = section.get("limits") else {
        return Some(Vec::new());
    };
    let metrics = node.section(&METRICS, "a table: [limits]")?;
    let written = METRICS
        .names
        .iter()
        .filter_map(|name| Some((*name, metrics.get(name)?)));
    let read: Vec<_> = written
        .map(|(metric, node)| of_metric(metric, &node, scope))
        .collect();
    let read: Option<Vec<_>> = read.into_iter().collect();
    Some(read?.concat())
}

/// One limit, or several of one metric.
fn of_metric(metric: &str, node: &Node<'_>, scope: &Scope<'_>) -> Option<Vec<Limit>> {
    let Some(items) = node.as_items() else {
        return limit(metric, node, scope).map(|limit| vec![limit]);
    };
    if items.is_empty() {
        return node.fail(format!("empty; write {EXAMPLE}, or drop the key"));
    }
    let read: Vec<_> = items
        .iter()
        .map(|item| limit(metric, item, scope))
        .collect();
    read.into_iter().collect()
}

fn limit(metric: &str, node: &Node<'_>, scope: &Scope<'_>) -> Option<Limit> {
    let section = node.section(&KEYS, EXAMPLE)?;
    let bounds = bounds(node, &section);
    let topologies = section.maybe("topology", |node| {
        let written = topologies(node)?;
        known(node, written, scope.topologies, "topologies")
    });
    let participants = section.maybe("participants", |node| {
        let written = call::participants(node)?;
        known(node, written, scope.participants, "participants")
    });
    let group = section.maybe("group", |node| group(metric, node, scope));
    let (min, max) = bounds?;
    Some(Limit {
        metric: metric.to_owned(),
        min,
        max,
        topologies: topologies?,
        participants: participants?,
        group: group?,
    })
}

/// The least and the most: one of them at least, in order.
fn bounds(node: &Node<'_>, section: &Section<'_>) -> Option<(Option<f64>, Option<f64>)> {
    let min = section.maybe("min", |node| node.number(BOUNDS));
    let max = section.maybe("max", |node| node.number(BOUNDS));
    match (min?, max?) {
        (None, None) => node.fail("neither a min nor a max; write one of them, or both"),
        (Some(min), Some(max)) if min > max => {
            node.fail(format!("min {min} is above max {max}; swap them"))
        }
        bounds => Some(bounds),
    }
}

/// One topology, or a list.
fn topologies(node: &Node<'_>) -> Option<Vec<Topology>> {
    match node.as_str() {
        Some(_) => call::topology(node).map(|topology| vec![topology]),
        None => call::topologies(node),
    }
}

/// `written`, if the scenario runs all of it (unless that could not be read): a limit that judges
/// nothing is a mistake.
fn known<T: PartialEq + Display>(
    node: &Node<'_>,
    written: Vec<T>,
    scenario: Option<&[T]>,
    key: &str,
) -> Option<Vec<T>> {
    let stranger = |value: &&T| scenario.is_some_and(|known| !known.contains(value));
    match written.iter().find(stranger) {
        None => Some(written),
        Some(value) => node.fail(format!(
            "the scenario runs no call of {value}; add it to `{key}`, or drop it here"
        )),
    }
}

fn group(metric: &str, node: &Node<'_>, scope: &Scope<'_>) -> Option<String> {
    let name = node.string()?;
    if OF_THE_CALL.contains(&metric) {
        return node.fail(format!("{metric} is not of one group; drop the key"));
    }
    match &scope.groups {
        Some(groups) if !groups.contains(&name) => {
            node.unknown(name, "group", groups.iter().copied())
        }
        _ => Some(name.to_owned()),
    }
}
