//! Counts, and what regressed.

use std::collections::BTreeMap;

use super::record::{Cell, Matrix, Outcome};

/// How many cells of a group ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By [`Outcome`].
    pub outcomes: [usize; 3],
    /// Cells that differ from the expectation, and are accepted.
    pub allowed: usize,
    /// Cells that fail the matrix.
    pub unexpected: usize,
}

impl Counts {
    /// Of these cells.
    pub fn of<'c>(cells: impl IntoIterator<Item = &'c Cell>) -> Self {
        let mut counts = Counts::default();
        for cell in cells {
            counts.outcomes[cell.outcome as usize] += 1;
            counts.unexpected += usize::from(cell.is_unexpected());
            let accepted = cell.deviation.is_some() && !cell.is_unexpected();
            counts.allowed += usize::from(accepted);
        }
        counts
    }

    /// How many cells there are.
    pub fn total(&self) -> usize {
        self.outcomes.iter().sum()
    }

    /// How many ended so.
    pub fn ended(&self, outcome: Outcome) -> usize {
        self.outcomes[outcome as usize]
    }
}

impl Matrix {
    /// The counts of all cells.
    pub fn counts(&self) -> Counts {
        Counts::of(&self.cells)
    }

    /// The cells of each group that is counted by itself: of one suite, topology and pinning mode,
    /// in the order of the plan.
    pub fn groups(&self) -> Vec<(Group, Vec<&Cell>)> {
        let mut groups: Vec<(Group, Vec<&Cell>)> = Vec::new();
        for cell in &self.cells {
            let group = Group::of(cell);
            match groups.iter_mut().find(|(known, _)| *known == group) {
                Some((_, cells)) => cells.push(cell),
                None => groups.push((group, vec![cell])),
            }
        }
        groups
    }

    /// What regressed: the pairs of the cells that fail the matrix, by how and why, with the number
    /// of their cells. `None` if nothing did.
    pub fn regression(&self) -> Option<String> {
        let mut causes: BTreeMap<(String, String, Option<String>), BTreeMap<String, usize>> =
            BTreeMap::new();
        for cell in self.cells.iter().filter(|cell| cell.is_unexpected()) {
            let cause = cell.deviation.as_ref().and_then(|d| d.cause.clone());
            let key = (cell.change(), cell.because.clone(), cause);
            *causes
                .entry(key)
                .or_default()
                .entry(cell.pair())
                .or_default() += 1;
        }
        if causes.is_empty() {
            return None;
        }
        let (unexpected, all) = (self.counts().unexpected, self.cells.len());
        let mut text = format!("{unexpected} of {all} cells are not as expected");
        for ((change, because, cause), pairs) in causes {
            let cells: usize = pairs.values().sum();
            let pairs: Vec<String> = pairs.into_keys().collect();
            text += &format!(
                "\n  {change} ({cells} cells): {}\n    expected because {because}",
                pairs.join("; ")
            );
            if let Some(cause) = cause {
                text += &format!("\n    explained by {cause}");
            }
        }
        Some(text)
    }
}

/// What cells have in common that are counted together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// See [`Cell::suite`].
    pub suite: String,
    /// See [`Cell::topology`].
    pub topology: String,
    /// See [`Cell::reply_pinning`].
    pub reply_pinning: bool,
}

impl Group {
    fn of(cell: &Cell) -> Self {
        Group {
            suite: cell.suite.clone(),
            topology: cell.topology.clone(),
            reply_pinning: cell.reply_pinning,
        }
    }

    /// The name used in tables.
    pub fn title(&self) -> String {
        let pinning = ["strict", "reply pinning"][usize::from(self.reply_pinning)];
        match self.topology.as_str() {
            "mesh" => format!("{}, {pinning}", self.suite),
            server => format!("{} ({server}), {pinning}", self.suite),
        }
    }
}

impl Cell {
    /// Whose cell it is: `A x B`, or `A with an sfu`.
    pub fn pair(&self) -> String {
        match (self.topology.as_str(), self.same_nat) {
            ("mesh", false) => format!("{} x {}", self.a.name, self.b.name),
            ("mesh", true) => format!("{} x {} (same NAT)", self.a.name, self.b.name),
            (server, _) => format!("{} with an {server}", self.a.name),
        }
    }

    /// How it differs, in a few words.
    fn change(&self) -> String {
        match (self.outcome, self.expected) {
            (is, should) if is != should => format!("{} instead of {}", is.name(), should.name()),
            (is, _) => format!("{}, but against a limit", is.name()),
        }
    }
}
