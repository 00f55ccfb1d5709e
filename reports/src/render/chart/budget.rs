//! What hosts have at most, beside what they use: the rates of links, the cores of computers.

use super::data::DataRow;
use super::group::{Group, Groups};
use super::panel::Mark;
use crate::metrics::hosts;
use crate::record::{CellRecord, HostRecord, Role};

/// From this share on a budget counts as filled: what is left is lost to bursts.
const FILLED: f64 = 0.9;
/// A budget beyond so many times what is used is named above the chart, not drawn into it, where
/// it would flatten everything else.
const IN_SIGHT: f64 = 2.0;

/// Something that hosts have a limited amount of.
#[derive(Clone, Copy)]
pub(super) struct Budget {
    /// Whose.
    pub roles: &'static [Role],
    /// How much a host has; `None` if that has no end, or is not known.
    pub of: fn(&HostRecord) -> Option<f64>,
    /// How much it uses.
    pub used: fn(&CellRecord, &HostRecord) -> Option<f64>,
    /// Who has it, such as a group or a class of computers.
    pub owner: fn(&HostRecord) -> &str,
    /// What it is called in a sentence, such as `uplink`.
    pub noun: &'static str,
    /// Of all of these figures.
    pub unit: &'static str,
}

/// The most that any host of a call uses of its budget.
struct Use<'a> {
    topology: &'a str,
    size: u32,
    owner: &'a str,
    /// What it has.
    budget: f64,
    /// What it uses of that, %.
    percent: f64,
    /// How many hosts there are with a budget.
    n: u64,
}

impl Budget {
    /// The different amounts, ascending, each with its owners.
    fn amounts(&self, groups: &Groups) -> Vec<(f64, String)> {
        let mut amounts: Vec<(f64, Vec<String>)> = Vec::new();
        let cells = groups.iter().flat_map(|group| &group.cells);
        for host in cells.flat_map(|cell| hosts(cell, self.roles)) {
            let Some(amount) = (self.of)(host).filter(|amount| amount.is_finite()) else {
                continue;
            };
            let owner = (self.owner)(host).to_owned();
            match amounts.iter_mut().find(|(known, _)| *known == amount) {
                Some((_, owners)) if owners.contains(&owner) => {}
                Some((_, owners)) => owners.push(owner),
                None => amounts.push((amount, vec![owner])),
            }
        }
        amounts.sort_by(|a, b| a.0.total_cmp(&b.0));
        let joined = amounts
            .into_iter()
            .map(|(amount, owners)| (amount, owners.join(", ")));
        joined.collect()
    }

    /// Those that an axis has to hold, beside `values` up to `most`.
    pub(super) fn in_sight(&self, groups: &Groups, most: f64) -> Vec<f64> {
        let amounts = self.amounts(groups).into_iter().map(|(amount, _)| amount);
        amounts
            .filter(|amount| *amount <= IN_SIGHT * most)
            .collect()
    }

    /// Lines across a panel, or names above it.
    pub(super) fn marks(&self, groups: &Groups) -> Vec<Mark> {
        let amounts = self.amounts(groups).into_iter();
        let guide = |(amount, owners): (f64, String)| {
            Mark::Guide(amount, vec![short(&owners), self.written(amount)])
        };
        amounts.map(guide).collect()
    }

    /// The budgets, and the largest share of them in use, of the panel `panel` of a chart.
    pub(super) fn rows(&self, groups: &Groups, chart: &'static str, panel: &str) -> Vec<DataRow> {
        let first = groups.sizes().first().copied().map_or(0.0, f64::from);
        let amounts = self.amounts(groups).into_iter();
        let limits = amounts.map(|(amount, owners)| {
            let series = format!("{} of {owners}", self.noun);
            DataRow::plain(chart, (panel, &series), (first, amount), self.unit, 1)
        });
        let uses = groups
            .iter()
            .filter_map(|group| self.most(group))
            .map(|most| {
                let series = format!("{}: most in use", most.topology);
                let point = (f64::from(most.size), most.percent);
                DataRow::plain(chart, (panel, &series), point, "%", most.n)
            });
        limits.chain(uses).collect()
    }

    /// From which size on each topology fills a budget, or how near the nearest one comes.
    pub(super) fn sentence(&self, groups: &Groups) -> Option<String> {
        let all: Vec<Use> = groups.iter().filter_map(|group| self.most(group)).collect();
        let first = |name: &&str| {
            let mut own = all.iter().filter(|most| most.topology == *name);
            own.find(|most| most.percent >= 100.0 * FILLED)
        };
        let names = groups.topologies();
        let filled: Vec<String> = names
            .iter()
            .filter_map(first)
            .map(|most| {
                let (topology, what, size) = (most.topology, self.named(most), most.size);
                format!("{topology} fills nine tenths of the {what} at N = {size}.")
            })
            .collect();
        if !filled.is_empty() {
            return Some(filled.join(" "));
        }
        let most = all.iter().max_by(|a, b| a.percent.total_cmp(&b.percent))?;
        Some(format!(
            "Nobody fills nine tenths of the {}: {:.1} % of the {} are in use in {} at N = {}, which is the most.",
            self.noun,
            most.percent,
            self.named(most),
            most.topology,
            most.size
        ))
    }

    fn most<'a>(&self, group: &Group<'a>) -> Option<Use<'a>> {
        let with = |cell: &'a CellRecord| {
            hosts(cell, self.roles)
                .map(move |host| (cell, host))
                .collect::<Vec<_>>()
        };
        let share = |(cell, host): (&'a CellRecord, &'a HostRecord)| {
            let budget = (self.of)(host)?;
            let percent = 100.0 * (self.used)(cell, host)? / budget;
            Some((percent, budget, (self.owner)(host)))
        };
        let shares = group
            .cells
            .iter()
            .flat_map(|cell| with(cell))
            .filter_map(share);
        let shares: Vec<_> = shares.filter(|(percent, ..)| percent.is_finite()).collect();
        let (percent, budget, owner) = shares.iter().copied().max_by(|a, b| a.0.total_cmp(&b.0))?;
        Some(Use {
            topology: group.topology,
            size: group.participants,
            owner,
            budget,
            percent,
            n: shares.len() as u64,
        })
    }

    fn named(&self, most: &Use) -> String {
        format!(
            "{} of {} ({})",
            self.noun,
            most.owner,
            self.written(most.budget)
        )
    }

    fn written(&self, amount: f64) -> String {
        format!("{amount:.0} {}", self.unit)
    }
}

/// As much of a name as there is room for beside a panel.
fn short(name: &str) -> String {
    const ROOM: usize = 14;
    match name.chars().count() <= ROOM {
        true => name.to_owned(),
        false => name.chars().take(ROOM - 2).chain("..".chars()).collect(),
    }
}
