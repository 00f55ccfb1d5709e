//! The waterfall of set-up: phase after phase, up to the first picture.

use super::data::DataRow;
use super::estimate::{Estimate, range};
use super::group::{Group, Groups};
use super::panel::{Axis, Mark, Panel};
use super::sentence::{Better, Subject, compare};
use super::sheet::{Entry, Sheet};
use super::style::{INK, PHASES, Shape};
use super::{Chart, axis};
use crate::metrics::streams;
use crate::record::{Kind, Phases};

const NAME: &str = "setup";
const TITLE: &str = "Set-up from join to first picture, by phase";
const PANEL: &str = "topology and participants";
/// How many sizes are shown.
const SIZES: usize = 6;
/// Height of a bar with the space around it, px.
const BAR: u32 = 30;

/// The phases in the order in which they come.
const NAMES: [&str; 4] = ["signaling", "gathering", "ICE", "DTLS"];

fn of_phases(phases: &Phases) -> [Option<f64>; 4] {
    let Phases {
        signaling_ms,
        gathering_ms,
        ice_ms,
        dtls_ms,
        ..
    } = *phases;
    [signaling_ms, gathering_ms, ice_ms, dtls_ms]
}

/// One row of the waterfall, all times in ms, mean.
struct Bar {
    name: String,
    size: u32,
    /// How long each phase took.
    phases: [Option<f64>; 4],
    /// All phases; over connected ends.
    setup: Estimate,
    /// Join to the first picture, over streams.
    first_frame: Option<Estimate>,
}

impl Bar {
    fn of(group: &Group) -> Option<Self> {
        let ends = group.cells.iter().flat_map(|cell| &cell.connections);
        let connected: Vec<&Phases> = ends
            .filter(|end| end.connected)
            .map(|end| &end.phases)
            .collect();
        let video = group
            .cells
            .iter()
            .flat_map(|cell| streams(cell, Kind::Video));
        let phase = |index: usize| {
            let times = connected
                .iter()
                .filter_map(|phases| of_phases(phases)[index]);
            Some(Estimate::mean(times)?.value)
        };
        Some(Bar {
            name: format!("{} {}", group.topology, group.participants),
            size: group.participants,
            phases: [0, 1, 2, 3].map(phase),
            setup: Estimate::mean(connected.iter().filter_map(|phases| phases.setup_ms))?,
            first_frame: Estimate::mean(video.filter_map(|stream| stream.first_frame_ms)),
        })
    }

    /// Phases with their start and end.
    fn steps(&self) -> Vec<(usize, f64, f64)> {
        let mut now = 0.0;
        let mut steps = Vec::new();
        for (index, phase) in self.phases.iter().enumerate() {
            let Some(length) = phase else { continue };
            steps.push((index, now, now + length));
            now += length;
        }
        steps
    }

    fn rows(&self) -> Vec<DataRow> {
        let x = f64::from(self.size);
        let names = |series| (self.name.as_str(), series);
        let phases = self.phases.iter().zip(NAMES).filter_map(|(length, name)| {
            Some(DataRow::plain(
                NAME,
                names(name),
                (x, (*length)?),
                "ms",
                self.setup.n,
            ))
        });
        let setup = DataRow::spread(NAME, names("set-up"), (x, &self.setup), "ms");
        let picture = self.first_frame.as_ref();
        let picture =
            picture.map(|first| DataRow::spread(NAME, names("first picture"), (x, first), "ms"));
        phases.chain([setup]).chain(picture).collect()
    }
}

/// The waterfall of every topology, at some sizes.
pub(super) fn chart(groups: &Groups) -> Option<Chart> {
    let sizes = groups.some_sizes(SIZES);
    let shown = sizes.iter().flat_map(|&size| groups.of_size(size));
    let bars: Vec<Bar> = shown.filter_map(Bar::of).collect();
    let n = bars.iter().map(|bar| bar.setup.n);
    let spread = format!(
        "mean of n = {} ends of connections, seeds pooled; point: mean first picture",
        range(n)
    );
    let phases = NAMES
        .iter()
        .zip(PHASES)
        .map(|(name, color)| Entry::area(name, color));
    let picture = Entry {
        name: "first picture".into(),
        color: INK,
        shape: Shape::Circle,
    };
    let sheet = Sheet {
        title: TITLE.into(),
        spread,
        legend: phases.chain([picture]).collect(),
        columns: 1,
        height: 90 + BAR * bars.len() as u32,
        panels: vec![panel(&bars)],
    };
    Some(Chart {
        name: NAME,
        title: TITLE.into(),
        sentence: sentence(groups, &bars)?,
        svg: sheet.svg(),
        data: bars.iter().flat_map(Bar::rows).collect(),
    })
}

/// How topologies compare, and which phase is the longest in the largest call.
fn sentence(groups: &Groups, bars: &[Bar]) -> Option<String> {
    let subject = Subject {
        name: "Set-up of a connection",
        unit: "ms",
        decimals: 0,
        better: Better::Less,
    };
    let of = |topology: &str| {
        let own = bars
            .iter()
            .filter(|bar| bar.name == format!("{topology} {}", bar.size));
        own.map(|bar| (bar.size, bar.setup.value)).collect()
    };
    let curves: Vec<_> = groups
        .topologies()
        .into_iter()
        .map(|name| (name, of(name)))
        .collect();
    let mut sentence = compare(&subject, &curves)?;
    if let Some(bar) = bars.last() {
        let known = bar
            .phases
            .iter()
            .zip(NAMES)
            .filter_map(|(length, name)| Some(((*length)?, name)));
        if let Some((length, name)) = known.max_by(|a, b| a.0.total_cmp(&b.0)) {
            let longest = subject.written(length);
            sentence += &format!(" The longest phase of {} is {name} ({longest}).", bar.name);
        }
    }
    Some(sentence)
}

/// From top to bottom.
fn panel(bars: &[Bar]) -> Panel {
    let row = |place: usize| -(place as f64);
    let last = |bar: &Bar| bar.steps().last().map_or(0.0, |&(_, _, end)| end);
    let ends = bars
        .iter()
        .flat_map(|bar| [Some(last(bar)), bar.first_frame.map(|f| f.value)]);
    let mut marks = Vec::new();
    for (place, bar) in bars.iter().enumerate() {
        let y = row(place);
        marks.extend(bar.steps().into_iter().map(|(phase, from, to)| {
            Mark::Area([(from, y - 0.35), (to, y + 0.35)], PHASES[phase], 1.0)
        }));
        let picture = bar.first_frame.map(|first| (first.value, y));
        marks.extend(picture.map(|at| Mark::Point(at, Shape::Circle, INK)));
    }
    Panel {
        title: PANEL.into(),
        x: axis::from_zero("time since the later of two joins, ms", ends.flatten()),
        y: Axis {
            label: PANEL.into(),
            range: row(bars.len()) + 0.4..0.6,
            ticks: bars
                .iter()
                .enumerate()
                .map(|(place, bar)| (row(place), bar.name.clone()))
                .collect(),
        },
        marks,
    }
}
