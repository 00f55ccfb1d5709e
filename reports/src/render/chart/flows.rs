//! How the connections of each sender share its uplink, second by second.

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use super::data::DataRow;
use super::estimate::Estimate;
use super::group::Groups;
use super::panel::{Mark, Panel};
use super::sheet::{Entry, Sheet};
use super::{Chart, axis, style};
use crate::record::{CellRecord, FlowRecord, FlowSecond};

const NAME: &str = "flows";

/// Senders that are drawn; more are not to be read side by side.
const MOST: usize = 4;

/// What the line of the capacity is called.
const CAPACITY: &str = "capacity of the uplink";

/// A line by second.
type Course = BTreeMap<u32, f64>;

/// A figure of every connection of a sender.
struct Figure {
    title: String,
    unit: &'static str,
    /// By receiver; what the uplink carries comes first.
    lines: Vec<(String, Course)>,
}

/// The largest call of the first topology in which somebody adapts, at its first seed.
pub(super) fn chart(groups: &Groups) -> Option<Chart> {
    let size = groups.sizes().last().copied()?;
    let mut cells = groups.of_size(size).filter_map(|group| group.cells.first());
    let cell = cells.find(|cell| !figures(cell).is_empty())?;
    let figures = figures(cell);
    let title = format!(
        "How connections share uplinks in a {} call of {size} (seed {})",
        cell.topology, cell.seed
    );
    let colors = colors(&figures);
    let entry = |(name, color): (&&str, &RGBColor)| Entry::area(name, *color);
    let sheet = Sheet {
        title: title.clone(),
        spread: "each line one connection, n = 1; by receiver".to_owned(),
        legend: colors.iter().map(entry).collect(),
        columns: 1,
        height: 220,
        panels: figures
            .iter()
            .map(|figure| panel(figure, &colors))
            .collect(),
    };
    let sentences: Vec<_> = figures.iter().filter_map(sentence).collect();
    Some(Chart {
        name: NAME,
        title,
        sentence: sentences.join(" "),
        svg: sheet.svg(),
        data: figures.iter().flat_map(rows).collect(),
    })
}

/// What arrived, and how long it had waited, of each sender whose uplink has a capacity.
fn figures(cell: &CellRecord) -> Vec<Figure> {
    let senders = cell.hosts.iter().map(|host| host.name.as_str());
    let known = senders.filter_map(|sender| {
        let capacity = capacity(cell, sender);
        let own = cell.flows.iter().filter(|flow| flow.sender == sender);
        let flows: Vec<_> = own.collect();
        let drawn = !capacity.is_empty() && !flows.is_empty();
        drawn.then(|| of_sender(cell, sender, capacity, &flows))
    });
    known.take(MOST).flatten().collect()
}

fn of_sender(
    cell: &CellRecord,
    sender: &str,
    capacity: Course,
    flows: &[&FlowRecord],
) -> [Figure; 2] {
    let lines = |of: fn(&FlowSecond) -> Option<f64>| {
        let line = |flow: &&FlowRecord| (flow.receiver.clone(), course(cell, flow, of));
        flows.iter().map(line).collect::<Vec<_>>()
    };
    let mut rates = vec![(CAPACITY.to_owned(), capacity)];
    rates.extend(lines(|second| Some(second.received_kbps)));
    [
        Figure {
            title: format!("received from {sender}, kbps"),
            unit: "kbps",
            lines: rates,
        },
        Figure {
            title: format!("queueing delay from {sender}, median, ms"),
            unit: "ms",
            lines: lines(|second| second.queue_ms.quantile(0.5)),
        },
    ]
}

/// Up to the end of the window.
fn is_in_call(cell: &CellRecord, second: u32) -> bool {
    f64::from(second) * 1_000.0 < cell.window_to_ms
}

fn course(cell: &CellRecord, flow: &FlowRecord, of: impl Fn(&FlowSecond) -> Option<f64>) -> Course {
    let seconds = flow.seconds.iter();
    let seconds = seconds.filter(|second| is_in_call(cell, second.second));
    let point = |second: &FlowSecond| Some((second.second, of(second)?));
    seconds.filter_map(point).collect()
}

fn capacity(cell: &CellRecord, sender: &str) -> Course {
    let rows = cell.timeline.iter().filter(|row| row.host == sender);
    let rows = rows.filter(|row| is_in_call(cell, row.second));
    rows.filter_map(|row| Some((row.second, row.up_capacity_kbps?)))
        .collect()
}

/// The colour of each line.
fn colors(figures: &[Figure]) -> BTreeMap<&str, RGBColor> {
    let lines = figures.iter().flat_map(|figure| &figure.lines);
    let mut colors = BTreeMap::from([(CAPACITY, style::INK)]);
    for (name, _) in lines {
        let place = colors.len() - 1;
        colors.entry(name).or_insert_with(|| style::flow(place));
    }
    colors
}

fn rows(figure: &Figure) -> Vec<DataRow> {
    let of_line = |(name, course): &(String, Course)| {
        let row = |(second, value): (&u32, &f64)| {
            let point = (f64::from(*second), *value);
            DataRow::plain(NAME, (&figure.title, name), point, figure.unit, 1)
        };
        course.iter().map(row).collect::<Vec<_>>()
    };
    figure.lines.iter().flat_map(of_line).collect()
}

/// The extremes of all connections.
fn sentence(figure: &Figure) -> Option<String> {
    let flows = figure.lines.iter().filter(|(name, _)| name != CAPACITY);
    let values = flows.flat_map(|(_, course)| course.values().copied());
    let range = Estimate::mean(values)?;
    let (what, _) = figure.title.rsplit_once(',')?;
    let mut what = what.to_owned();
    what[..1].make_ascii_uppercase();
    let (low, high, unit) = (range.low, range.high, figure.unit);
    Some(format!(
        "{what}, by connection and second: {low:.1} to {high:.1} {unit}."
    ))
}

fn panel(figure: &Figure, colors: &BTreeMap<&str, RGBColor>) -> Panel {
    let all = || figure.lines.iter().flat_map(|(_, course)| course);
    let last = all().map(|(second, _)| f64::from(*second) + 1.0);
    let line = |(name, course): &(String, Course)| marks(course, colors[name.as_str()]);
    Panel {
        title: figure.title.clone(),
        x: axis::from_zero("time since the start of the call, s", last),
        y: axis::from_zero(&figure.title, all().map(|(_, value)| *value)),
        marks: figure.lines.iter().flat_map(line).collect(),
    }
}

/// A line through the middles of the seconds, with gaps where there are some.
fn marks(course: &Course, color: RGBColor) -> Vec<Mark> {
    let points: Vec<_> = course.iter().collect();
    let stretches = points.chunk_by(|(one, _), (next, _)| **one + 1 == **next);
    let middle = |(second, value): &(&u32, &f64)| (f64::from(**second) + 0.5, **value);
    let mark = |stretch: &[(&u32, &f64)]| Mark::Line(stretch.iter().map(middle).collect(), color);
    stretches.map(mark).collect()
}
