//! The cells of a group, laid out by what the two participants are behind.

use super::record::{Cell, Matrix, Side};
use super::summary::Group;

/// A group of cells as a square, or as one row where every type meets one partner only.
pub(super) struct Grid<'m> {
    /// What all cells have in common.
    pub group: Group,
    /// What the first participants are behind, in order of appearance.
    pub rows: Vec<&'m Side>,
    /// What the second participants are behind; empty if each row has one cell only.
    pub columns: Vec<&'m Side>,
    cells: Vec<&'m Cell>,
}

/// A grid of each group of the matrix.
pub(super) fn all(matrix: &Matrix) -> Vec<Grid<'_>> {
    let groups = matrix.groups().into_iter();
    groups.map(|(group, cells)| grid(group, cells)).collect()
}

fn grid(group: Group, cells: Vec<&Cell>) -> Grid<'_> {
    let rows = distinct(cells.iter().map(|cell| &cell.a));
    let alone = cells.iter().all(|cell| cell.a == cell.b) && rows.len() > 1;
    let columns = match alone {
        true => Vec::new(),
        false => distinct(cells.iter().map(|cell| &cell.b)),
    };
    Grid {
        group,
        rows,
        columns,
        cells,
    }
}

fn distinct<'m>(sides: impl Iterator<Item = &'m Side>) -> Vec<&'m Side> {
    let mut known = Vec::new();
    for side in sides {
        if !known.contains(&side) {
            known.push(side);
        }
    }
    known
}

impl<'m> Grid<'m> {
    /// The cells of all roles of a row and a column.
    pub fn at(&self, row: &Side, column: Option<&Side>) -> Vec<&'m Cell> {
        let is = |cell: &&&Cell| cell.a == *row && column.is_none_or(|side| cell.b == *side);
        self.cells.iter().filter(is).copied().collect()
    }

    /// The cells of all.
    pub fn cells(&self) -> &[&'m Cell] {
        &self.cells
    }

    /// The columns to show: of a row of single cells one without a name.
    pub fn shown_columns(&self) -> Vec<Option<&'m Side>> {
        match self.columns.as_slice() {
            [] => vec![None],
            columns => columns.iter().map(|side| Some(*side)).collect(),
        }
    }
}
