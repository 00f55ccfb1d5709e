//! Modelled CPU of a role against the number of participants, split by work.

use std::collections::{BTreeMap, BTreeSet};

use super::budget::Budget;
use super::data::DataRow;
use super::estimate::{Estimate, range};
use super::group::{Group, Groups};
use super::panel::{Mark, Panel};
use super::sentence::{Better, Subject, compare};
use super::sheet::{Entry, Sheet};
use super::style::{self, INK};
use super::{Chart, axis};
use crate::metrics::hosts;
use crate::record::{HostRecord, Role};

/// The hosts that a chart is about, and how they are called.
struct Who {
    chart: &'static str,
    title: &'static str,
    roles: &'static [Role],
    subject: &'static str,
}

impl Who {
    /// The cores that they have.
    const fn budget(&self) -> Budget {
        Budget {
            roles: self.roles,
            of: |host| host.cores.map(f64::from),
            used: |_, host| host.cpu_cores_mean,
            owner: |host| &host.device,
            noun: "CPU",
            unit: "cores",
        }
    }
}

/// Participants.
pub(super) fn client(groups: &Groups) -> Option<Chart> {
    chart(
        groups,
        &Who {
            chart: "cpu-client",
            title: "Cores in use by a participant, modelled, by work",
            roles: &[Role::Client],
            subject: "Cores of a participant",
        },
    )
}

/// The SFU or MCU.
pub(super) fn server(groups: &Groups) -> Option<Chart> {
    chart(
        groups,
        &Who {
            chart: "cpu-server",
            title: "Cores in use by the SFU or MCU, modelled, by work",
            roles: &[Role::Sfu, Role::Mcu],
            subject: "Cores of the SFU or MCU",
        },
    )
}

/// The TURN server.
pub(super) fn turn(groups: &Groups) -> Option<Chart> {
    chart(
        groups,
        &Who {
            chart: "cpu-turn",
            title: "Cores in use by the TURN server, modelled, by work",
            roles: &[Role::Turn],
            subject: "Cores of the TURN server",
        },
    )
}

/// One bar: the hosts of one topology and size.
struct Bar<'a> {
    topology: &'a str,
    size: u32,
    /// Mean over hosts, from the least to the most busy.
    total: Estimate,
    /// Means by work, which add up to that of `total`.
    works: BTreeMap<&'a str, f64>,
}

impl<'a> Bar<'a> {
    fn of(group: &Group<'a>, roles: &'static [Role]) -> Option<Self> {
        let all = group.cells.iter().flat_map(|cell| hosts(cell, roles));
        let modelled: Vec<&HostRecord> = all
            .filter(|host| host.cpu_cores_mean.is_some_and(f64::is_finite))
            .collect();
        let mut works = BTreeMap::new();
        for (work, cores) in modelled.iter().flat_map(|host| &host.cpu_cores_by_work) {
            *works.entry(work.as_str()).or_insert(0.0) += cores / modelled.len() as f64;
        }
        works.retain(|_, cores| cores.is_finite());
        Some(Bar {
            topology: group.topology,
            size: group.participants,
            total: Estimate::mean(modelled.iter().filter_map(|host| host.cpu_cores_mean))?,
            works,
        })
    }

    /// The works from the bottom to the top, each with its lower and upper end.
    fn stack(&self) -> impl Iterator<Item = (&'a str, f64, f64)> {
        let pile = |top: &mut f64, (&work, &cores): (&&'a str, &f64)| {
            let bottom = *top;
            *top += cores;
            Some((work, bottom, *top))
        };
        self.works.iter().scan(0.0, pile)
    }

    fn rows(&self, chart: &'static str) -> Vec<DataRow> {
        let x = f64::from(self.size);
        let total = DataRow::spread(chart, (self.topology, "total"), (x, &self.total), "cores");
        let works = self.works.iter().map(|(work, &cores)| {
            DataRow::plain(
                chart,
                (self.topology, work),
                (x, cores),
                "cores",
                self.total.n,
            )
        });
        std::iter::once(total).chain(works).collect()
    }
}

fn chart(groups: &Groups, who: &Who) -> Option<Chart> {
    let bars: Vec<Bar> = groups
        .iter()
        .filter_map(|group| Bar::of(group, who.roles))
        .collect();
    let works: BTreeSet<&str> = bars
        .iter()
        .flat_map(|bar| bar.works.keys().copied())
        .collect();
    let topologies = groups.topologies().into_iter();
    let drawn = topologies.filter(|name| bars.iter().any(|bar| bar.topology == *name));
    let panels: Vec<Panel> = drawn.map(|name| panel(groups, who, name, &bars)).collect();
    let n = bars.iter().map(|bar| bar.total.n);
    let spread = format!(
        "mean of n = {} hosts, seeds pooled; line: from the least to the most busy host",
        range(n)
    );
    let sheet = Sheet {
        title: who.title.to_owned(),
        spread,
        legend: works
            .iter()
            .map(|work| Entry::area(work, style::work(work)))
            .collect(),
        columns: panels.len().clamp(1, 3),
        height: 260,
        panels,
    };
    Some(Chart {
        name: who.chart,
        title: who.title.to_owned(),
        sentence: sentence(groups, who, &bars)?,
        svg: sheet.svg(),
        data: bars
            .iter()
            .flat_map(|bar| bar.rows(who.chart))
            .chain(who.budget().rows(groups, who.chart, "cores"))
            .collect(),
    })
}

/// How topologies compare, and what most of the work is where there are most participants.
fn sentence(groups: &Groups, who: &Who, bars: &[Bar]) -> Option<String> {
    let subject = Subject {
        name: who.subject,
        unit: "cores",
        decimals: 3,
        better: Better::Less,
    };
    let of = |topology: &str| {
        let own = bars.iter().filter(|bar| bar.topology == topology);
        own.map(|bar| (bar.size, bar.total.value)).collect()
    };
    let curves: Vec<_> = groups
        .topologies()
        .into_iter()
        .map(|name| (name, of(name)))
        .collect();
    let mut sentence = compare(&subject, &curves)?;
    let largest = bars.iter().map(|bar| bar.size).max()?;
    for bar in bars.iter().filter(|bar| bar.size == largest) {
        if let Some((work, cores)) = bar.works.iter().max_by(|a, b| a.1.total_cmp(b.1)) {
            sentence += &format!(
                " Most of it in {} at N = {largest} is {work} ({}).",
                bar.topology,
                subject.written(*cores)
            );
        }
    }
    if let Some(budget) = who.budget().sentence(groups) {
        sentence = format!("{sentence} {budget}");
    }
    Some(sentence)
}

/// The bars of one topology; all panels have the same vertical axis.
fn panel(groups: &Groups, who: &Who, topology: &str, bars: &[Bar]) -> Panel {
    let sizes = groups.sizes();
    let names: Vec<String> = sizes.iter().map(u32::to_string).collect();
    let ends = bars
        .iter()
        .map(|bar| bar.total.high.max(bar.works.values().sum()));
    let most = ends.clone().fold(0.0, f64::max);
    let ends = ends.chain(who.budget().in_sight(groups, most));
    let own = bars.iter().filter(|bar| bar.topology == topology);
    let marks = own.flat_map(|bar| {
        let slot = sizes.iter().position(|size| *size == bar.size).unwrap_or(0) as f64;
        let areas = bar.stack().map(move |(work, bottom, top)| {
            Mark::Area(
                [(slot - 0.35, bottom), (slot + 0.35, top)],
                style::work(work),
                1.0,
            )
        });
        let spread = Mark::Line(vec![(slot, bar.total.low), (slot, bar.total.high)], INK);
        areas
            .chain((bar.total.low < bar.total.high).then_some(spread))
            .collect::<Vec<_>>()
    });
    Panel {
        title: format!("{topology}: cores"),
        x: axis::slots("participants", &names),
        y: axis::from_zero("cores", ends),
        marks: marks.chain(who.budget().marks(groups)).collect(),
    }
}
