//! What each group of receivers is shown, topology beside topology.

use super::data::DataRow;
use super::estimate::Estimate;
use super::group::{Group, Groups};
use super::panel::{Mark, Panel};
use super::sentence::{Better, Subject};
use super::sheet::Sheet;
use super::{Chart, axis};
use crate::metrics::ReceiverFigures;

const NAME: &str = "receivers";

/// One panel: a figure of a group.
struct Figure {
    /// Title and vertical axis, with the unit.
    title: &'static str,
    subject: Subject,
    of: fn(&ReceiverFigures) -> Option<f64>,
    from_zero: bool,
}

/// Name, unit and decimals of what is better if it is more.
const fn more((name, unit, decimals): (&'static str, &'static str, usize)) -> Subject {
    Subject {
        name,
        unit,
        decimals,
        better: Better::More,
    }
}

const FIGURES: [Figure; 4] = [
    Figure {
        title: "width of pictures, px",
        subject: more(("Width of pictures", "px", 0)),
        of: |group| group.width_px_mean,
        from_zero: true,
    },
    Figure {
        title: "pictures shown per second and stream, 1/s",
        subject: more(("Pictures shown", "1/s", 1)),
        of: |group| group.fps_mean,
        from_zero: true,
    },
    Figure {
        title: "time that streams stood still, %",
        subject: Subject {
            better: Better::Less,
            ..more(("Time that streams stood still", "%", 1))
        },
        of: |group| Some(100.0 * group.freeze_ratio?),
        from_zero: true,
    },
    Figure {
        title: "PSNR, dB",
        subject: more(("PSNR", "dB", 1)),
        of: |group| group.psnr_db_mean,
        from_zero: false,
    },
];

/// The groups of one topology, with their figures, seed by seed.
struct Seen<'a> {
    topology: &'a str,
    seeds: Vec<Vec<ReceiverFigures>>,
}

impl<'a> Seen<'a> {
    fn of(group: &Group<'a>) -> Self {
        let figures = |cell: &&_| ReceiverFigures::all(cell);
        Seen {
            topology: group.topology,
            seeds: group.cells.iter().map(figures).collect(),
        }
    }

    /// A figure of a group over the seeds.
    fn figure(&self, name: &str, figure: &Figure) -> Option<Estimate> {
        let groups = self.seeds.iter().flatten();
        let own = groups.filter(|group| group.group == name);
        Estimate::median(own.filter_map(figure.of))
    }
}

/// The largest calls that have several groups of receivers.
pub(super) fn chart(groups: &Groups) -> Option<Chart> {
    let of_size = |size: u32| groups.of_size(size).map(Seen::of).collect::<Vec<_>>();
    let sizes = groups.sizes().into_iter().rev();
    let mut calls = sizes.map(|size| (size, of_size(size)));
    let (size, seen) = calls.find(|(_, seen)| has_several(seen))?;
    let names = names(&seen);
    let has = |figure: &&Figure| {
        let known = |seen: &Seen, name: &String| seen.figure(name, figure).is_some();
        seen.iter()
            .any(|seen| names.iter().any(|name| known(seen, name)))
    };
    let figures: Vec<_> = FIGURES.iter().filter(has).collect();
    let title = format!("What each group of receivers sees in calls of {size}");
    let panel = |figure: &&Figure| panel(groups, &seen, &names, figure);
    let sheet = Sheet {
        title: title.clone(),
        spread: groups.seeds(),
        legend: seen
            .iter()
            .map(|seen| groups.entry(seen.topology))
            .collect(),
        columns: 1,
        height: 190,
        panels: figures.iter().map(panel).collect(),
    };
    let sentence = |figure: &&Figure| sentence(&seen, &names, figure, size);
    let sentences: Vec<_> = figures.iter().map(sentence).collect();
    let rows = figures
        .iter()
        .flat_map(|figure| rows(&seen, &names, figure, size));
    (!figures.is_empty()).then(|| Chart {
        name: NAME,
        title,
        sentence: sentences.join(" "),
        svg: sheet.svg(),
        data: rows.collect(),
    })
}

fn has_several(seen: &[Seen]) -> bool {
    seen.iter()
        .flat_map(|seen| &seen.seeds)
        .any(|groups| groups.len() > 1)
}

/// The groups of all topologies, each once, in the order of hosts.
fn names(seen: &[Seen]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for group in seen.iter().flat_map(|seen| &seen.seeds).flatten() {
        if !names.contains(&group.group) {
            names.push(group.group.clone());
        }
    }
    names
}

fn rows(seen: &[Seen], names: &[String], figure: &Figure, size: u32) -> Vec<DataRow> {
    let row = |seen: &Seen, name: &String| {
        let series = format!("{name}: {}", seen.topology);
        let value = seen.figure(name, figure)?;
        let (place, unit) = ((f64::from(size), &value), figure.subject.unit);
        Some(DataRow::spread(NAME, (figure.title, &series), place, unit))
    };
    let of_group = |name| seen.iter().filter_map(move |seen| row(seen, name));
    names.iter().flat_map(of_group).collect()
}

/// Of each group, how the topologies compare.
fn sentence(seen: &[Seen], names: &[String], figure: &Figure, size: u32) -> String {
    let of_group = |name: &String| {
        let known =
            |seen: &Seen| Some((seen.topology.to_owned(), seen.figure(name, figure)?.value));
        let known: Vec<_> = seen.iter().filter_map(known).collect();
        Some(format!("to {name} {}", compared(&figure.subject, &known)?))
    };
    let groups: Vec<_> = names.iter().filter_map(of_group).collect();
    let what = figure.subject.name;
    format!("{what} at N = {size}: {}.", groups.join("; "))
}

/// The best and the worst of topologies, what is written the same being the same.
fn compared(subject: &Subject, known: &[(String, f64)]) -> Option<String> {
    let by_value = |a: &&(String, f64), b: &&(String, f64)| a.1.total_cmp(&b.1);
    let (low, high) = (
        known.iter().min_by(by_value)?,
        known.iter().max_by(by_value)?,
    );
    let (best, worst, words) = match subject.better {
        Better::More => (high, low, ("best", "worst")),
        Better::Less => (low, high, ("least", "most")),
    };
    let [good, bad] = [best, worst].map(|(_, value)| subject.written(*value));
    Some(match (known.len(), good == bad) {
        (1, _) => good,
        (_, true) => format!("{good} in every topology"),
        _ => {
            let ((best, _), (worst, _)) = (best, worst);
            format!(
                "{} in {best} ({good}), {} in {worst} ({bad})",
                words.0, words.1
            )
        }
    })
}

/// Groups side by side, and in each of them topologies by a point's width apart.
fn panel(groups: &Groups, seen: &[Seen], names: &[String], figure: &Figure) -> Panel {
    let width = 0.6 / seen.len().max(1) as f64;
    let middle = (seen.len() as f64 - 1.0) / 2.0;
    let mut marks = Vec::new();
    let mut ends = Vec::new();
    for (slot, name) in names.iter().enumerate() {
        for (place, of) in seen.iter().enumerate() {
            let Some(value) = of.figure(name, figure) else {
                continue;
            };
            let x = slot as f64 + (place as f64 - middle) * width;
            let look = groups.entry(of.topology);
            if value.low < value.high {
                marks.push(Mark::Line(
                    vec![(x, value.low), (x, value.high)],
                    look.color,
                ));
            }
            marks.push(Mark::Point((x, value.value), look.shape, look.color));
            ends.extend([value.low, value.high]);
        }
    }
    let ends = ends.into_iter();
    Panel {
        title: figure.title.to_owned(),
        x: axis::wide_slots("group of receivers", names),
        y: match figure.from_zero {
            true => axis::from_zero(figure.title, ends),
            false => axis::around(figure.title, ends),
        },
        marks,
    }
}
