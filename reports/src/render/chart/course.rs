//! The course of one call, second by second.

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use super::data::DataRow;
use super::estimate::Estimate;
use super::group::Groups;
use super::panel::{Mark, Panel};
use super::sheet::Sheet;
use super::{Chart, axis};
use crate::metrics::streams;
use crate::record::{CellRecord, Kind, TimelineRecord};

const NAME: &str = "course";

/// What is followed: a figure of one participant in one second.
struct Figure {
    title: &'static str,
    unit: &'static str,
    /// Of a second, given how many video streams the participant receives.
    of: fn(&TimelineRecord, u64) -> Option<f64>,
}

const FIGURES: [Figure; 3] = [
    Figure {
        title: "pictures shown per second and stream, 1/s",
        unit: "1/s",
        of: |second, streams| (streams > 0).then(|| second.frames_rendered as f64 / streams as f64),
    },
    Figure {
        title: "capture to display, ms",
        unit: "ms",
        of: |second, _| second.video_latency_ms_mean,
    },
    Figure {
        title: "time that streams stood still, %",
        unit: "%",
        of: |second, streams| {
            let frozen_ms = second.frozen_ms.filter(|_| streams > 0)?;
            Some(100.0 * frozen_ms / 1_000.0 / streams as f64)
        },
    },
];

/// A topology with a figure of each of its seconds, gaps included.
type Line<'a> = (&'a str, BTreeMap<u32, Option<Estimate>>);

/// Frame rate and latency in the largest call of every topology that has one, at its first seed.
pub(super) fn chart(groups: &Groups) -> Option<Chart> {
    let size = groups.sizes().last().copied()?;
    let cells: Vec<&CellRecord> = groups
        .of_size(size)
        .filter_map(|group| group.cells.first().copied())
        .collect();
    let all: Vec<(&Figure, Vec<Line>)> = FIGURES
        .iter()
        .map(|figure| {
            (
                figure,
                cells.iter().filter_map(|cell| line(cell, figure)).collect(),
            )
        })
        .filter(|(_, lines): &(_, Vec<Line>)| !lines.is_empty())
        .collect();
    let seed = cells.first()?.seed;
    let title = format!("The call of {size}, second by second (seed {seed})");
    let drawn = |cell: &&&CellRecord| all.iter().any(|(_, lines)| has(lines, &cell.topology));
    let sheet = Sheet {
        title: title.clone(),
        spread: format!(
            "mean of n = {size} participants at most; shade: lowest to highest of them"
        ),
        legend: cells
            .iter()
            .filter(drawn)
            .map(|cell| groups.entry(&cell.topology))
            .collect(),
        columns: 1,
        height: 220,
        panels: all
            .iter()
            .map(|(figure, lines)| panel(groups, figure, lines))
            .collect(),
    };
    let sentences: Vec<String> = all
        .iter()
        .filter_map(|(f, lines)| sentence(f, lines, &cells))
        .collect();
    (!all.is_empty()).then(|| Chart {
        name: NAME,
        title,
        sentence: sentences.join(" "),
        svg: sheet.svg(),
        data: all
            .iter()
            .flat_map(|(figure, lines)| rows(figure, lines))
            .collect(),
    })
}

fn has(lines: &[Line], topology: &str) -> bool {
    lines.iter().any(|(name, _)| *name == topology)
}

/// A figure over time, up to the end of the window; `None` if there is none at any time.
fn line<'a>(cell: &'a CellRecord, figure: &Figure) -> Option<Line<'a>> {
    let mut received: BTreeMap<&str, u64> = BTreeMap::new();
    for stream in streams(cell, Kind::Video) {
        *received.entry(&stream.receiver).or_default() += 1;
    }
    let mut seconds: BTreeMap<u32, Vec<Option<f64>>> = BTreeMap::new();
    let in_call = |second: &&TimelineRecord| f64::from(second.second) * 1_000.0 < cell.window_to_ms;
    for second in cell.timeline.iter().filter(in_call) {
        let streams = received.get(second.host.as_str()).copied().unwrap_or(0);
        seconds
            .entry(second.second)
            .or_default()
            .push((figure.of)(second, streams));
    }
    let mean = |values: Vec<Option<f64>>| Estimate::mean(values.into_iter().flatten());
    let points: BTreeMap<_, _> = seconds
        .into_iter()
        .map(|(second, values)| (second, mean(values)))
        .collect();
    points
        .values()
        .any(Option::is_some)
        .then_some((cell.topology.as_str(), points))
}

fn rows(figure: &Figure, lines: &[Line]) -> Vec<DataRow> {
    let known = lines.iter().flat_map(|(topology, points)| {
        points
            .iter()
            .filter_map(move |(second, value)| Some((topology, second, value.as_ref()?)))
    });
    let row = |(topology, second, value): (&&str, &u32, &Estimate)| {
        let point = (f64::from(*second), value);
        DataRow::spread(NAME, (figure.title, topology), point, figure.unit)
    };
    known.map(row).collect()
}

/// The extremes within the measured window.
fn sentence(figure: &Figure, lines: &[Line], cells: &[&CellRecord]) -> Option<String> {
    let of_line = |(topology, points): &Line| {
        let cell = cells.iter().find(|cell| cell.topology == *topology)?;
        let measured = |second: u32| f64::from(second) * 1_000.0 >= cell.window_from_ms;
        let known = points.iter().filter(|(second, _)| measured(**second));
        let values = known.filter_map(|(_, value)| Some((*value)?.value));
        let range = Estimate::mean(values)?;
        let (low, high, unit) = (range.low, range.high, figure.unit);
        Some(format!("{low:.1} to {high:.1} {unit} in {topology}"))
    };
    let parts: Vec<String> = lines.iter().filter_map(of_line).collect();
    let what = figure
        .title
        .rsplit_once(',')
        .map_or(figure.title, |(what, _)| what);
    (!parts.is_empty()).then(|| {
        let mut what = what.to_owned();
        what[..1].make_ascii_uppercase();
        format!(
            "{what}, from the lowest to the highest second measured: {}.",
            parts.join(", ")
        )
    })
}

fn panel(groups: &Groups, figure: &Figure, lines: &[Line]) -> Panel {
    let all = lines
        .iter()
        .flat_map(|(_, points)| points.values())
        .filter_map(|value| *value);
    let last = lines
        .iter()
        .filter_map(|(_, points)| Some(f64::from(*points.keys().last()?) + 1.0));
    Panel {
        title: figure.title.to_owned(),
        x: axis::from_zero("time since the start of the call, s", last),
        y: axis::from_zero(figure.title, all.map(|value| value.high)),
        marks: lines
            .iter()
            .flat_map(|line| marks(line, groups.entry(line.0).color))
            .collect(),
    }
}

/// The spread as a shade, the means as a line through the middles of the seconds.
fn marks((_, points): &Line, color: RGBColor) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut stretch = Vec::new();
    let mut next = None;
    for (&second, value) in points {
        if (value.is_none() || next != Some(second)) && !stretch.is_empty() {
            marks.push(Mark::Line(std::mem::take(&mut stretch), color));
        }
        next = second.checked_add(1);
        let Some(value) = value else { continue };
        let from = f64::from(second);
        marks.push(Mark::Area(
            [(from, value.low), (from + 1.0, value.high)],
            color,
            0.15,
        ));
        stretch.push((from + 0.5, value.value));
    }
    marks.push(Mark::Line(stretch, color));
    marks
}
