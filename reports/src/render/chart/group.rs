//! Cells by topology and size: what one point of a chart stands for.

use super::sheet::Entry;
use crate::metrics::SummaryRow;
use crate::record::{CellRecord, kind_of};
use crate::run::Run;

/// The cells of one topology and size, one per seed.
pub(super) struct Group<'a> {
    pub topology: &'a str,
    pub participants: u32,
    pub cells: Vec<&'a CellRecord>,
    /// Their rows of `summary.csv`, in the same order.
    pub rows: Vec<SummaryRow>,
}

/// All groups of a run, by topology in the order of the grid, then by size.
pub(super) struct Groups<'a>(Vec<Group<'a>>);

impl<'a> Groups<'a> {
    pub(super) fn of(run: &'a Run) -> Self {
        let place = |cell: &CellRecord| {
            let known = run.grid.topologies.iter().position(|t| *t == cell.topology);
            known.unwrap_or(usize::MAX)
        };
        let mut cells: Vec<&CellRecord> = run.cells.iter().collect();
        cells.sort_by_key(|cell| (place(cell), &cell.topology, cell.participants));
        let same = |a: &&CellRecord, b: &&CellRecord| {
            (&a.topology, a.participants) == (&b.topology, b.participants)
        };
        let group = |cells: &[&'a CellRecord]| Group {
            topology: &cells[0].topology,
            participants: cells[0].participants,
            rows: cells.iter().map(|cell| SummaryRow::of(cell)).collect(),
            cells: cells.to_vec(),
        };
        Groups(cells.chunk_by(same).map(group).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Group<'a>> + Clone {
        self.0.iter()
    }

    /// The names of the topologies, each once.
    pub(super) fn topologies(&self) -> Vec<&'a str> {
        let mut names: Vec<&str> = self.iter().map(|group| group.topology).collect();
        names.dedup();
        names
    }

    /// How a topology looks: by its place if it is a variant.
    pub(super) fn entry(&self, name: &str) -> Entry {
        let all = self.topologies().into_iter();
        let mut variants = all.filter(|name| kind_of(name) != *name);
        Entry::topology(name, variants.position(|other| other == name))
    }

    /// All numbers of participants, ascending.
    pub(super) fn sizes(&self) -> Vec<u32> {
        let mut sizes: Vec<u32> = self.iter().map(|group| group.participants).collect();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    }

    /// At most `most` of the sizes, evenly over all of them, the smallest and the largest included.
    pub(super) fn some_sizes(&self, most: usize) -> Vec<u32> {
        let sizes = self.sizes();
        if sizes.len() <= most {
            return sizes;
        }
        let last = sizes.len() - 1;
        (0..most)
            .map(|step| sizes[step * last / (most - 1)])
            .collect()
    }

    /// The groups of one size.
    pub(super) fn of_size(&self, size: u32) -> impl Iterator<Item = &Group<'a>> + Clone {
        self.iter().filter(move |group| group.participants == size)
    }

    /// The groups of one topology.
    pub(super) fn of_topology(&self, name: &str) -> impl Iterator<Item = &Group<'a>> + Clone {
        self.iter().filter(move |group| group.topology == name)
    }

    /// How many seeds a figure is of, and what its spread is, in words.
    pub(super) fn seeds(&self) -> String {
        match self.iter().map(|group| group.cells.len()).max() {
            None | Some(0 | 1) => "n = 1 seed, hence no spread".into(),
            Some(n) => {
                format!("median of n = {n} seeds, with a line from the lowest to the highest")
            }
        }
    }
}
