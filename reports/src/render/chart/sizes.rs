//! Figures of `summary.csv` against the number of participants.

use super::Chart;
use super::axis;
use super::budget::Budget;
use super::data::DataRow;
use super::estimate::Estimate;
use super::group::Groups;
use super::panel::{Mark, Panel};
use super::sentence::{Better, Subject, compare};
use super::sheet::{Entry, Sheet};
use super::style::{INK, MUTED, Shape};
use crate::metrics::{SummaryRow, kbps as kbps_of};
use crate::record::Role;

/// One panel: a figure of a cell.
struct Figure {
    /// Title and vertical axis, with the unit.
    title: &'static str,
    subject: Subject,
    of: fn(&SummaryRow) -> Option<f64>,
    /// Whether the axis begins at zero.
    from_zero: bool,
    /// What there is of it at most.
    budget: Option<Budget>,
    /// Whether to mark where topologies change places.
    crossings: bool,
}

/// A rate on the wire.
const fn kbps(
    title: &'static str,
    name: &'static str,
    of: fn(&SummaryRow) -> Option<f64>,
) -> Figure {
    let subject = Subject {
        name,
        unit: "kbps",
        decimals: 0,
        better: Better::Less,
    };
    Figure {
        title,
        subject,
        of,
        from_zero: true,
        budget: None,
        crossings: false,
    }
}

/// A rate on the links of participants, of which there is so much.
const fn limited(figure: Figure, budget: Budget) -> Figure {
    Figure {
        budget: Some(budget),
        ..figure
    }
}

const UPLINK: Budget = Budget {
    roles: &[Role::Client],
    of: |host| host.link_up_kbps,
    used: |cell, host| kbps_of(cell, host.window_up.bytes),
    owner: |host| host.group.as_deref().unwrap_or(&host.name),
    noun: "uplink",
    unit: "kbps",
};

const DOWNLINK: Budget = Budget {
    of: |host| host.link_down_kbps,
    used: |cell, host| kbps_of(cell, host.window_down.bytes),
    noun: "downlink",
    ..UPLINK
};

/// How good pictures are.
const fn more_is_better(
    title: &'static str,
    (name, unit, decimals): (&'static str, &'static str, usize),
    of: fn(&SummaryRow) -> Option<f64>,
) -> Figure {
    let subject = Subject {
        name,
        unit,
        decimals,
        better: Better::More,
    };
    Figure {
        title,
        subject,
        of,
        from_zero: false,
        budget: None,
        crossings: false,
    }
}

/// What participants send and receive.
pub(super) fn client_traffic(groups: &Groups) -> Option<Chart> {
    let figures = [
        limited(
            kbps("uplink, kbps", "Uplink of a participant", |row| {
                row.client_up_kbps_mean
            }),
            UPLINK,
        ),
        limited(
            kbps("downlink, kbps", "Downlink of a participant", |row| {
                row.client_down_kbps_mean
            }),
            DOWNLINK,
        ),
    ];
    let title = "What a participant sends and receives (mean over participants)";
    chart(groups, "client-traffic", title, &figures)
}

/// What goes through the SFU or MCU.
pub(super) fn server_traffic(groups: &Groups) -> Option<Chart> {
    let figures = [
        kbps(
            "into the server, kbps",
            "Traffic into the SFU or MCU",
            |row| row.server_in_kbps,
        ),
        kbps("out of the server, kbps", "Traffic out of it", |row| {
            row.server_out_kbps
        }),
    ];
    let title = "What the SFU or MCU receives and sends";
    chart(groups, "server-traffic", title, &figures)
}

/// What goes through the TURN server.
pub(super) fn turn_traffic(groups: &Groups) -> Option<Chart> {
    let figures = [
        kbps("into TURN, kbps", "Traffic into the TURN server", |row| {
            row.turn_in_kbps
        }),
        kbps("out of TURN, kbps", "Traffic out of it", |row| {
            row.turn_out_kbps
        }),
    ];
    let title = "What the TURN server receives and sends (STUN included)";
    chart(groups, "turn-traffic", title, &figures)
}

/// Pictures as they are shown.
pub(super) fn quality(groups: &Groups) -> Option<Chart> {
    let figures = [
        more_is_better("PSNR, dB", ("PSNR", "dB", 1), |row| row.psnr_db_mean),
        more_is_better("SSIM", ("SSIM", "", 3), |row| row.ssim_mean),
    ];
    let title = "How true pictures are to what was captured (mean over pictures)";
    chart(groups, "quality", title, &figures)
}

/// How many pairs need the TURN server.
pub(super) fn relayed_pairs(groups: &Groups) -> Option<Chart> {
    let subject = Subject {
        name: "Share of relayed pairs",
        unit: "%",
        decimals: 1,
        better: Better::Less,
    };
    let share = |row: &SummaryRow| {
        let connected = row.connected_pairs as f64;
        (row.connected_pairs > 0).then(|| 100.0 * row.relayed_pairs as f64 / connected)
    };
    let figure = Figure {
        title: "relayed, % of connected pairs",
        subject,
        of: share,
        from_zero: true,
        budget: None,
        crossings: false,
    };
    let title = "Pairs whose media crosses the TURN server";
    chart(groups, "relayed-pairs", title, &[figure])
}

/// What servers cost.
pub(super) fn money(groups: &Groups) -> Option<Chart> {
    let prices = groups.iter().flat_map(|group| &group.cells);
    let currency = prices.filter_map(|cell| cell.prices.as_ref()).next();
    let currency = currency.map_or("", |prices| prices.currency.as_str());
    let subject = Subject {
        name: "Servers for an hour",
        unit: "per hour",
        decimals: 3,
        better: Better::Less,
    };
    let figure = Figure {
        title: "price per hour",
        subject,
        of: |row| row.money_per_hour,
        from_zero: true,
        budget: None,
        crossings: true,
    };
    let title = format!("What servers cost, in {currency} per hour of the call");
    chart(groups, "money", &title, &[figure])
}

/// A topology and its figure at each of its sizes, ascending.
type Line<'a> = (&'a str, Vec<Point>);
/// A size, and the figure there.
type Point = (u32, Option<Estimate>);

fn lines<'a>(groups: &Groups<'a>, of: fn(&SummaryRow) -> Option<f64>) -> Vec<Line<'a>> {
    let line = |topology: &&'a str| {
        let points = groups.of_topology(topology).map(|group| {
            (
                group.participants,
                Estimate::median(group.rows.iter().filter_map(of)),
            )
        });
        (*topology, points.collect::<Vec<_>>())
    };
    let lines = groups.topologies().iter().map(line).collect::<Vec<_>>();
    let has_figures = |(_, points): &Line| points.iter().any(|(_, figure)| figure.is_some());
    lines.into_iter().filter(has_figures).collect()
}

fn chart(groups: &Groups, name: &'static str, title: &str, figures: &[Figure]) -> Option<Chart> {
    let all: Vec<(&Figure, Vec<Line>)> = figures
        .iter()
        .map(|figure| (figure, lines(groups, figure.of)))
        .filter(|(_, lines)| !lines.is_empty())
        .collect();
    let drawn = |name: &&str| {
        all.iter()
            .any(|(_, lines)| lines.iter().any(|(t, _)| t == name))
    };
    let sheet = Sheet {
        title: title.to_owned(),
        spread: groups.seeds(),
        legend: groups
            .topologies()
            .into_iter()
            .filter(drawn)
            .map(|name| groups.entry(name))
            .collect(),
        columns: all.len().max(1),
        height: 270,
        panels: all
            .iter()
            .map(|(figure, lines)| panel(groups, figure, lines))
            .collect(),
    };
    let sentences: Vec<String> = all
        .iter()
        .flat_map(|(figure, lines)| {
            let budget = figure.budget.and_then(|budget| budget.sentence(groups));
            [
                compare(&figure.subject, &known(lines)),
                budget,
                crossing_sentence(figure, lines),
            ]
        })
        .flatten()
        .collect();
    (!all.is_empty()).then(|| Chart {
        name,
        title: title.to_owned(),
        sentence: sentences.join(" "),
        svg: sheet.svg(),
        data: all
            .iter()
            .flat_map(|(figure, lines)| {
                let budget = figure
                    .budget
                    .map(|budget| budget.rows(groups, name, figure.title));
                let mut rows = rows(name, figure, lines);
                rows.extend(budget.into_iter().flatten());
                rows
            })
            .collect(),
    })
}

/// The figures alone, without spread.
fn known<'a>(lines: &[Line<'a>]) -> Vec<(&'a str, Vec<(u32, f64)>)> {
    let point = |&(size, figure): &(u32, Option<Estimate>)| Some((size, figure?.value));
    let of_line = |(name, points): &Line<'a>| (*name, points.iter().filter_map(point).collect());
    lines.iter().map(of_line).collect()
}

fn rows(chart: &'static str, figure: &Figure, lines: &[Line]) -> Vec<DataRow> {
    let mut rows = Vec::new();
    for (topology, points) in lines {
        let known = points
            .iter()
            .filter_map(|(size, figure)| Some((*size, figure.as_ref()?)));
        rows.extend(known.map(|(size, value)| {
            let (names, unit) = ((figure.title, *topology), figure.subject.unit);
            DataRow::spread(chart, names, (f64::from(size), value), unit)
        }));
    }
    if figure.crossings {
        rows.extend(crossings(lines).into_iter().map(|(names, point)| {
            let unit = figure.subject.unit;
            DataRow::plain(chart, (figure.title, &names), point, unit, 1)
        }));
    }
    rows
}

/// Where two topologies change places, on the lines as they are drawn: who, and the point.
fn crossings(lines: &[Line]) -> Vec<(String, (f64, f64))> {
    let known = known(lines);
    let mut all = Vec::new();
    for (place, (name, own)) in known.iter().enumerate() {
        for (other_name, other) in &known[place + 1..] {
            let value = |size| {
                other
                    .iter()
                    .find(|&&(n, _)| n == size)
                    .map(|&(_, value)| value)
            };
            let both = own
                .iter()
                .filter_map(|&(size, a)| Some((f64::from(size), a, value(size)?)));
            let both: Vec<_> = both.collect();
            for two in both.windows(2) {
                let [(from, a, b), (to, c, d)] = [two[0], two[1]];
                let (before, after) = (a - b, c - d);
                if before * after < 0.0 {
                    let share = before / (before - after);
                    let point = (from + share * (to - from), a + share * (c - a));
                    all.push((format!("{name} = {other_name}"), point));
                }
            }
        }
    }
    all
}

fn panel(groups: &Groups, figure: &Figure, lines: &[Line]) -> Panel {
    let all = lines
        .iter()
        .flat_map(|(_, points)| points)
        .filter_map(|(_, figure)| *figure);
    let ends: Vec<f64> = all
        .flat_map(|estimate| [estimate.low, estimate.high])
        .collect();
    let most = ends.iter().copied().fold(0.0, f64::max);
    let in_sight = figure.budget.map(|budget| budget.in_sight(groups, most));
    let ends = ends.into_iter().chain(in_sight.into_iter().flatten());
    let x = axis::participants(&groups.sizes());
    // Topologies beside each other by a point's width, or equal ones would hide one another.
    let width = 0.014 * (x.range.end - x.range.start);
    let middle = (lines.len() as f64 - 1.0) / 2.0;
    let aside = |place: usize| (place as f64 - middle) * width;
    let marks = lines
        .iter()
        .enumerate()
        .flat_map(|(place, (name, points))| marks(points, &groups.entry(name), aside(place)));
    let budgets = figure.budget.map(|budget| budget.marks(groups));
    let budgets = budgets.into_iter().flatten();
    Panel {
        title: figure.title.to_owned(),
        y: match figure.from_zero {
            true => axis::from_zero(figure.title, ends),
            false => axis::around(figure.title, ends),
        },
        marks: marks
            .chain(crossing_marks(figure, lines))
            .chain(budgets)
            .collect(),
        x,
    }
}

/// Where topologies change places, in words.
fn crossing_sentence(figure: &Figure, lines: &[Line]) -> Option<String> {
    let all = figure.crossings.then(|| crossings(lines))?;
    let one = |(names, (x, y)): (String, (f64, f64))| {
        format!(
            "{names} at about N = {x:.1}: {}.",
            figure.subject.written(y)
        )
    };
    let all: Vec<String> = all.into_iter().map(one).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

/// A drop line from each crossing to the axis.
fn crossing_marks(figure: &Figure, lines: &[Line]) -> Vec<Mark> {
    let all = if figure.crossings {
        crossings(lines)
    } else {
        Vec::new()
    };
    let marks = all.into_iter().flat_map(|(_, (x, y))| {
        [
            Mark::Line(vec![(x, 0.0), (x, y)], MUTED),
            Mark::Point((x, y), Shape::Circle, INK),
        ]
    });
    marks.collect()
}

/// The line of a topology, interrupted where there is no figure, its points and their spread.
fn marks(points: &[Point], entry: &Entry, aside: f64) -> Vec<Mark> {
    let (color, shape) = (entry.color, entry.shape);
    let mut marks = Vec::new();
    for stretch in points.split(|(_, figure)| figure.is_none()) {
        let point = |&(size, figure): &Point| Some((f64::from(size) + aside, figure?));
        let known: Vec<(f64, Estimate)> = stretch.iter().filter_map(point).collect();
        let line = known.iter().map(|(x, figure)| (*x, figure.value));
        marks.push(Mark::Line(line.collect(), color));
        for (x, figure) in known {
            if figure.low < figure.high {
                marks.push(Mark::Line(vec![(x, figure.low), (x, figure.high)], color));
            }
            marks.push(Mark::Point((x, figure.value), shape, color));
        }
    }
    marks
}
