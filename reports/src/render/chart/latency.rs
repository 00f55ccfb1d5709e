//! Latency of pictures and sound: as distribution functions and as box plots.

use plotters::style::RGBColor;

use super::data::DataRow;
use super::estimate::range;
use super::group::{Group, Groups};
use super::panel::{Mark, Panel};
use super::sentence::{Better, Subject, compare};
use super::sheet::{Entry, Sheet};
use super::style::INK;
use super::{Chart, axis};
use crate::distribution::Distribution;
use crate::metrics::latency_us;
use crate::record::Kind;

/// How many sizes have a panel of distribution functions.
const PANELS: usize = 6;
/// What panels of distribution functions call their horizontal axis, and all charts their unit.
const UNIT: &str = "ms";

/// The latencies of one topology and size, in us, seeds pooled; `None` without any.
fn pooled(group: &Group, kind: Kind) -> Option<Distribution> {
    let mut all = Distribution::default();
    for cell in &group.cells {
        all.merge(&latency_us(cell, kind));
    }
    (all.count() > 0).then_some(all)
}

fn percentile(latency: &Distribution, percent: u32) -> f64 {
    let us = latency.quantile(f64::from(percent) / 100.0);
    us.expect("only distributions with samples are drawn") / 1_000.0
}

/// What there is one sample of, and how its latency is called.
fn words(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Video => ("pictures", "capture to display"),
        Kind::Audio => ("probes of sound", "mouth to ear"),
    }
}

/// A topology, its size and its pooled latencies.
type Sample<'a> = (&'a str, u32, Distribution);

fn samples<'a>(groups: impl Iterator<Item = &'a Group<'a>>, kind: Kind) -> Vec<Sample<'a>> {
    let sample =
        |group: &'a Group| Some((group.topology, group.participants, pooled(group, kind)?));
    groups.filter_map(sample).collect()
}

fn legend(groups: &Groups, samples: &[Sample]) -> Vec<Entry> {
    let drawn = |name: &&str| samples.iter().any(|(topology, _, _)| topology == name);
    groups
        .topologies()
        .into_iter()
        .filter(drawn)
        .map(|name| groups.entry(name))
        .collect()
}

/// How many samples there are to a curve or box, in words.
fn counts(samples: &[Sample], things: &str) -> String {
    let counts = samples.iter().map(|(_, _, latency)| latency.count());
    format!("n = {} {things} each, seeds pooled", range(counts))
}

/// How many samples were at most so late: a panel per size.
pub(super) fn cdf(groups: &Groups, kind: Kind) -> Option<Chart> {
    let name = match kind {
        Kind::Video => "video-latency-cdf",
        Kind::Audio => "audio-latency-cdf",
    };
    let (things, meaning) = words(kind);
    let sizes = groups.some_sizes(PANELS);
    let shown = groups
        .iter()
        .filter(|group| sizes.contains(&group.participants));
    let all = samples(shown, kind);
    let sized = |size: u32| all.iter().filter(move |(_, n, _)| *n == size);
    let drawn = sizes
        .into_iter()
        .filter(|&size| sized(size).next().is_some());
    let latest = all
        .iter()
        .map(|(_, _, latency)| percentile(latency, 99))
        .fold(0.0, f64::max);
    let panel = |size| cdf_panel(groups, size, latest, sized(size));
    let panels: Vec<Panel> = drawn.map(panel).collect();
    let title = format!(
        "Latency of {}, {meaning}, up to the 99th percentile",
        kind.name()
    );
    let sheet = Sheet {
        title: title.clone(),
        spread: counts(&all, things),
        legend: legend(groups, &all),
        columns: panels.len().clamp(1, 2),
        height: 230,
        panels,
    };
    let rows = all.iter().flat_map(|(topology, size, latency)| {
        let panel = panel_title(*size);
        let row = move |percent| {
            let point = (f64::from(percent), percentile(latency, percent));
            DataRow::plain(name, (&panel, topology), point, UNIT, latency.count())
        };
        (1..=99).map(row)
    });
    Some(Chart {
        name,
        title,
        sentence: cdf_sentence(&all, things)?,
        svg: sheet.svg(),
        data: rows.collect(),
    })
}

fn panel_title(size: u32) -> String {
    format!("N = {size}: share of samples, %")
}

/// The curves of one size, up to the `latest` of all sizes, so that panels compare.
fn cdf_panel<'a>(
    groups: &Groups,
    size: u32,
    latest: f64,
    samples: impl Iterator<Item = &'a Sample<'a>>,
) -> Panel {
    let curve = |(topology, _, latency): &Sample| {
        let point = |percent| (percentile(latency, percent), f64::from(percent));
        let start = (percentile(latency, 1), 0.0);
        let points = std::iter::once(start).chain((1..=99).map(point));
        Mark::Line(points.collect(), groups.entry(topology).color)
    };
    Panel {
        title: panel_title(size),
        x: axis::from_zero("latency, ms", [latest].into_iter()),
        y: axis::percent("share of samples, %"),
        marks: samples.map(curve).collect(),
    }
}

fn cdf_sentence(samples: &[Sample], things: &str) -> Option<String> {
    let size = samples.iter().map(|&(_, size, _)| size).max()?;
    let of_size = samples.iter().filter(|(_, n, _)| *n == size);
    let parts = of_size
        .map(|(topology, _, latency)| format!("{:.1} ms in {topology}", percentile(latency, 95)));
    let parts = parts.collect::<Vec<_>>().join(", ");
    Some(format!(
        "At N = {size}, 95 % of {things} are at most so late: {parts}."
    ))
}

/// Box plots against the number of participants.
pub(super) fn boxes(groups: &Groups, kind: Kind) -> Option<Chart> {
    let name = match kind {
        Kind::Video => "video-latency-boxes",
        Kind::Audio => "audio-latency-boxes",
    };
    let (things, meaning) = words(kind);
    let all = samples(groups.iter(), kind);
    let title = format!(
        "Latency of {}, {meaning}, against the size of the call",
        kind.name()
    );
    let spread = format!(
        "median; box: middle half; line: 5th to 95th percentile; {}",
        counts(&all, things)
    );
    let sheet = Sheet {
        title: title.clone(),
        spread,
        legend: legend(groups, &all),
        columns: 1,
        height: 270,
        panels: vec![box_panel(groups, &all)],
    };
    let subject = Subject {
        name: match kind {
            Kind::Video => "Median latency of video",
            Kind::Audio => "Median latency of audio",
        },
        unit: UNIT,
        decimals: 1,
        better: Better::Less,
    };
    let medians = |topology: &str| {
        let of_topology = all.iter().filter(|(name, _, _)| *name == topology);
        of_topology
            .map(|(_, size, latency)| (*size, percentile(latency, 50)))
            .collect()
    };
    let curves: Vec<_> = groups
        .topologies()
        .into_iter()
        .map(|t| (t, medians(t)))
        .collect();
    Some(Chart {
        name,
        title,
        sentence: compare(&subject, &curves)?,
        svg: sheet.svg(),
        data: all.iter().map(|sample| box_row(name, sample)).collect(),
    })
}

fn box_row(chart: &'static str, (topology, size, latency): &Sample) -> DataRow {
    let at = |percent| percentile(latency, percent);
    let point = (f64::from(*size), at(50));
    DataRow {
        low: Some(at(25)),
        high: Some(at(75)),
        p05: Some(at(5)),
        p95: Some(at(95)),
        ..DataRow::plain(
            chart,
            ("latency, ms", topology),
            point,
            UNIT,
            latency.count(),
        )
    }
}

fn box_panel(groups: &Groups, samples: &[Sample]) -> Panel {
    let sizes = groups.sizes();
    let names: Vec<String> = sizes.iter().map(u32::to_string).collect();
    let topologies = groups.topologies();
    let ends = samples
        .iter()
        .map(|(_, _, latency)| percentile(latency, 95));
    // Topologies side by side in a slot, of which a fifth is left free.
    let width = 0.8 / topologies.len().max(1) as f64;
    let marks = samples.iter().flat_map(|sample| {
        let slot = sizes.iter().position(|size| *size == sample.1).unwrap_or(0) as f64;
        let place = topologies
            .iter()
            .position(|name| *name == sample.0)
            .unwrap_or(0) as f64;
        let center = slot - 0.4 + width * (place + 0.5);
        let color = groups.entry(sample.0).color;
        box_marks(sample, center, 0.4 * width, color)
    });
    Panel {
        title: "latency, ms".into(),
        x: axis::slots("participants", &names),
        y: axis::from_zero("latency, ms", ends),
        marks: marks.collect(),
    }
}

fn box_marks((_, _, latency): &Sample, x: f64, half: f64, color: RGBColor) -> [Mark; 3] {
    let at = |percent| percentile(latency, percent);
    [
        Mark::Line(vec![(x, at(5)), (x, at(95))], color),
        Mark::Area([(x - half, at(25)), (x + half, at(75))], color, 1.0),
        Mark::Line(vec![(x - half, at(50)), (x + half, at(50))], INK),
    ]
}
