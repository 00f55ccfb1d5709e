//! How connections share access links, second by second.

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use super::data::DataRow;
use super::estimate::Estimate;
use super::group::Groups;
use super::panel::{Mark, Panel};
use super::sheet::{Entry, Sheet};
use super::{Chart, axis, style};
use crate::metrics::{Flow, Link, Way};
use crate::record::{CellRecord, FlowSecond};

const NAME: &str = "flows";

/// Links that are drawn; more are not to be read side by side.
const MOST: usize = 4;

/// What the line of the capacity is called.
const CAPACITY: &str = "capacity of the link";

/// How many times as much as arrives a link has to carry at least to be left out of the axis.
const BEYOND: f64 = 3.0;

/// A line by second.
type Course = BTreeMap<u32, f64>;

/// A figure of every connection over a link.
struct Figure {
    title: String,
    unit: &'static str,
    /// What the link carries; empty where that is no matter.
    capacity: Course,
    /// By the other end.
    lines: Vec<(String, Course)>,
}

impl Figure {
    /// The most of any connection.
    fn most(&self) -> Option<f64> {
        let values = self.lines.iter().flat_map(|(_, course)| course.values());
        values.copied().max_by(f64::total_cmp)
    }

    /// The most that the link carries, if lines could not be told apart below it.
    fn beyond(&self) -> Option<f64> {
        let most = self.most().filter(|most| *most > 0.0)?;
        let carried = self.capacity.values().copied().max_by(f64::total_cmp)?;
        (carried > BEYOND * most).then_some(carried)
    }

    /// All that is drawn; the capacity comes first.
    fn all(&self) -> impl Iterator<Item = (&str, &Course)> {
        let capacity = [(CAPACITY, &self.capacity)].into_iter();
        let lines = self
            .lines
            .iter()
            .map(|(name, course)| (name.as_str(), course));
        capacity
            .filter(|(_, course)| !course.is_empty())
            .chain(lines)
    }
}

/// The largest call of the first topology in which somebody adapts, at its first seed.
pub(super) fn chart(groups: &Groups) -> Option<Chart> {
    let size = groups.sizes().last().copied()?;
    let mut cells = groups.of_size(size).filter_map(|group| group.cells.first());
    let has_lines = |figure: &Figure| figure.most().is_some();
    let cell = cells.find(|cell| figures(cell).iter().any(has_lines))?;
    let figures = figures(cell);
    let title = format!(
        "How connections share links in a {} call of {size} (seed {})",
        cell.topology, cell.seed
    );
    let colors = colors(&figures);
    let drawn = || figures.iter().filter(|figure| has_lines(figure));
    let entry = |(name, color): (&&str, &RGBColor)| Entry::area(name, *color);
    let sheet = Sheet {
        title: title.clone(),
        spread: "each line one connection, n = 1; by its other end".to_owned(),
        legend: colors.iter().map(entry).collect(),
        columns: 1,
        height: 220,
        panels: drawn().map(|figure| panel(figure, &colors)).collect(),
    };
    let sentences: Vec<_> = figures.iter().map(sentence).collect();
    Some(Chart {
        name: NAME,
        title,
        sentence: sentences.join(" "),
        svg: sheet.svg(),
        data: drawn().flat_map(rows).collect(),
    })
}

/// What arrived, and how long it had waited, of the links that are used most.
fn figures(cell: &CellRecord) -> Vec<Figure> {
    let links = Link::all(cell);
    let used = |place: &usize| links[*place].use_ratio(cell).unwrap_or(0.0);
    let mut places: Vec<_> = (0..links.len()).collect();
    places.sort_by(|a, b| used(b).total_cmp(&used(a)));
    places.truncate(MOST);
    places.sort_unstable();
    let figures = places.into_iter().map(|place| of_link(cell, &links[place]));
    figures.flatten().collect()
}

fn of_link(cell: &CellRecord, link: &Link) -> [Figure; 2] {
    let lines = |of: fn(&FlowSecond) -> Option<f64>| {
        let line = |(other, flow): &(&str, Flow)| ((*other).to_owned(), course(cell, flow, of));
        link.flows.iter().map(line).collect::<Vec<_>>()
    };
    let capacity = link.capacity_kbps.iter();
    let capacity = capacity.filter(|(second, _)| is_in_call(cell, **second));
    let host = link.host;
    let (received, queued) = match link.way {
        Way::Up => (format!("received from {host}"), format!("from {host}")),
        Way::Down => (format!("received by {host}"), format!("to {host}")),
    };
    [
        Figure {
            title: format!("{received}, kbps"),
            unit: "kbps",
            capacity: capacity.map(|(second, kbps)| (*second, *kbps)).collect(),
            lines: lines(|second| Some(second.received_kbps)),
        },
        Figure {
            title: format!("queueing delay {queued}, median, ms"),
            unit: "ms",
            capacity: Course::new(),
            lines: lines(|second| second.queue_ms.quantile(0.5)),
        },
    ]
}

/// Up to the end of the window.
fn is_in_call(cell: &CellRecord, second: u32) -> bool {
    f64::from(second) * 1_000.0 < cell.window_to_ms
}

fn course(cell: &CellRecord, flow: &Flow, of: impl Fn(&FlowSecond) -> Option<f64>) -> Course {
    let seconds = flow.iter().filter(|(second, _)| is_in_call(cell, **second));
    let point = |(second, what): (&u32, &&FlowSecond)| Some((*second, of(what)?));
    seconds.filter_map(point).collect()
}

/// The colour of each line.
fn colors(figures: &[Figure]) -> BTreeMap<&str, RGBColor> {
    let mut colors = BTreeMap::from([(CAPACITY, style::INK)]);
    for (name, _) in figures.iter().flat_map(|figure| &figure.lines) {
        let place = colors.len() - 1;
        colors.entry(name).or_insert_with(|| style::flow(place));
    }
    colors
}

fn rows(figure: &Figure) -> Vec<DataRow> {
    let of_line = |(name, course): (&str, &Course)| {
        let row = |(second, value): (&u32, &f64)| {
            let point = (f64::from(*second), *value);
            DataRow::plain(NAME, (&figure.title, name), point, figure.unit, 1)
        };
        course.iter().map(row).collect::<Vec<_>>()
    };
    figure.all().flat_map(of_line).collect()
}

/// The extremes of all connections, or that there is nothing to draw.
fn sentence(figure: &Figure) -> String {
    let values = figure
        .lines
        .iter()
        .flat_map(|(_, course)| course.values().copied());
    let what = figure
        .title
        .trim_end_matches(figure.unit)
        .trim_end_matches(", ");
    let mut what = what.to_owned();
    what[..1].make_ascii_uppercase();
    let Some(range) = Estimate::mean(values) else {
        return format!("{what}: not known, as it is relayed or delays change, and not drawn.");
    };
    let (low, high, unit) = (range.low, range.high, figure.unit);
    format!("{what}, by connection and second: {low:.1} to {high:.1} {unit}.")
}

fn panel(figure: &Figure, colors: &BTreeMap<&str, RGBColor>) -> Panel {
    let last = figure.all().flat_map(|(_, course)| course.keys());
    let last = last.map(|second| f64::from(*second) + 1.0);
    let beyond = figure.beyond();
    let in_sight = figure
        .all()
        .filter(|(name, _)| beyond.is_none() || *name != CAPACITY);
    let heights = in_sight.flat_map(|(_, course)| course.values().copied());
    let y = axis::from_zero(&figure.title, heights);
    let top = y.range.end;
    let line = |(name, course): (&str, &Course)| {
        let known = course.iter().filter(|(_, value)| **value <= top);
        let known = known.map(|(second, value)| (*second, *value)).collect();
        marks(&known, colors[name])
    };
    let said = |kbps: f64| {
        let varies = figure.capacity.values().any(|other| *other != kbps);
        let most = if varies { "at most " } else { "" };
        Mark::Guide(
            kbps,
            vec!["capacity".to_owned(), format!("{most}{kbps:.0} kbps")],
        )
    };
    Panel {
        title: figure.title.clone(),
        x: axis::from_zero("time since the start of the call, s", last),
        marks: figure
            .all()
            .flat_map(line)
            .chain(beyond.map(said))
            .collect(),
        y,
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
