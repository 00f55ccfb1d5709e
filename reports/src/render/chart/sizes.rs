//! Figures of `summary.csv` against the number of participants.

use super::axis;
use super::data::DataRow;
use super::estimate::Estimate;
use super::group::Groups;
use super::panel::{Mark, Panel};
use super::sentence::{Better, Subject, compare};
use super::sheet::{Entry, Sheet};
use super::{Chart, style};
use crate::metrics::SummaryRow;

/// One panel: a figure of a cell.
struct Figure {
    /// Title and vertical axis, with the unit.
    title: &'static str,
    subject: Subject,
    of: fn(&SummaryRow) -> Option<f64>,
    /// Whether the axis begins at zero.
    from_zero: bool,
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
    }
}

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
    }
}

/// What participants send and receive.
pub(super) fn client_traffic(groups: &Groups) -> Option<Chart> {
    let figures = [
        kbps("uplink, kbps", "Uplink of a participant", |row| {
            row.client_up_kbps_mean
        }),
        kbps("downlink, kbps", "Downlink of a participant", |row| {
            row.client_down_kbps_mean
        }),
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
    };
    let title = "Pairs whose media crosses the TURN server";
    chart(groups, "relayed-pairs", title, &[figure])
}

/// A topology and its figure at each of its sizes, ascending.
type Line<'a> = (&'a str, Vec<(u32, Option<Estimate>)>);

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
            .map(Entry::topology)
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
        .filter_map(|(figure, lines)| compare(&figure.subject, &known(lines)))
        .collect();
    (!all.is_empty()).then(|| Chart {
        name,
        title: title.to_owned(),
        sentence: sentences.join(" "),
        svg: sheet.svg(),
        data: all
            .iter()
            .flat_map(|(figure, lines)| rows(name, figure, lines))
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
    rows
}

fn panel(groups: &Groups, figure: &Figure, lines: &[Line]) -> Panel {
    let all = lines
        .iter()
        .flat_map(|(_, points)| points)
        .filter_map(|(_, figure)| *figure);
    let ends = all.flat_map(|estimate| [estimate.low, estimate.high]);
    let x = axis::participants(&groups.sizes());
    // Topologies beside each other by a point's width, or equal ones would hide one another.
    let width = 0.014 * (x.range.end - x.range.start);
    let middle = (lines.len() as f64 - 1.0) / 2.0;
    let aside = |place: usize| (place as f64 - middle) * width;
    let marks = lines
        .iter()
        .enumerate()
        .flat_map(|(place, line)| marks(line, aside(place)));
    Panel {
        title: figure.title.to_owned(),
        y: match figure.from_zero {
            true => axis::from_zero(figure.title, ends),
            false => axis::around(figure.title, ends),
        },
        marks: marks.collect(),
        x,
    }
}

/// The line of a topology, interrupted where there is no figure, its points and their spread.
fn marks((topology, points): &Line, aside: f64) -> Vec<Mark> {
    let (color, shape) = (style::topology(topology), style::shape(topology));
    let mut marks = Vec::new();
    for stretch in points.split(|(_, figure)| figure.is_none()) {
        let point =
            |&(size, figure): &(u32, Option<Estimate>)| Some((f64::from(size) + aside, figure?));
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
