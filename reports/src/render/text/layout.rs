//! Tables for a terminal, with columns that are there only if they say something.

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};

use crate::render::format::MISSING;

/// The width that tables aim at, in characters.
const WIDTH: usize = 120;

/// Headers and rows of a table, for pages and documents.
pub(in crate::render) type Comparison = (Vec<&'static str>, Vec<Vec<String>>);

/// One column of a table.
#[derive(Clone, Copy, Debug)]
pub(in crate::render) struct Column {
    header: &'static str,
    align: CellAlignment,
    shown: bool,
    hidden_if_empty: bool,
}

impl Column {
    /// A column of figures, aligned at their end.
    pub(in crate::render) const fn figure(header: &'static str) -> Self {
        Column {
            header,
            align: CellAlignment::Right,
            shown: true,
            hidden_if_empty: false,
        }
    }

    /// A column of words, aligned at their beginning.
    pub(in crate::render) const fn text(header: &'static str) -> Self {
        Column {
            align: CellAlignment::Left,
            ..Column::figure(header)
        }
    }

    /// Left out unless `shown`.
    pub(super) const fn only_if(self, shown: bool) -> Self {
        Column { shown, ..self }
    }

    /// Left out if no row has a figure in it.
    pub(in crate::render) const fn hidden_if_empty(self) -> Self {
        Column {
            hidden_if_empty: true,
            ..self
        }
    }
}

/// Lays out rows below their header, two spaces apart, or one if they are too wide for that.
pub(in crate::render) fn table<const N: usize>(
    columns: [Column; N],
    rows: Vec<[String; N]>,
) -> String {
    let shown = shown(&columns, &rows);
    let wide = laid_out(&columns, &shown, &rows, 1);
    match wide.lines().all(|line| line.chars().count() <= WIDTH) {
        true => wide,
        false => laid_out(&columns, &shown, &rows, 0),
    }
}

/// The header of every column that says something, and the rows below it.
pub(super) fn comparison<const N: usize>(
    columns: &[Column; N],
    rows: &[[String; N]],
) -> Comparison {
    let shown = shown(columns, rows);
    let pick = |row: &[String; N]| shown.iter().map(|&index| row[index].clone()).collect();
    let headers = shown.iter().map(|&index| columns[index].header);
    (headers.collect(), rows.iter().map(pick).collect())
}

/// Which columns are there.
fn shown<const N: usize>(columns: &[Column; N], rows: &[[String; N]]) -> Vec<usize> {
    let says_something = |index: usize| rows.iter().any(|row| row[index] != MISSING);
    (0..N)
        .filter(|&index| columns[index].shown)
        .filter(|&index| !columns[index].hidden_if_empty || says_something(index))
        .collect()
}

/// With `space` more between columns than the one that the style puts where others have a line.
fn laid_out<const N: usize>(
    columns: &[Column; N],
    shown: &[usize],
    rows: &[[String; N]],
    space: u16,
) -> String {
    const RULE: TableStyle =
        TableStyle::new().header_separator(LineStyle::none().fill('-').junction('-'));
    let mut table = Table::new();
    table
        .load_style(RULE)
        .set_header(shown.iter().map(|&index| columns[index].header))
        .add_rows(
            rows.iter()
                .map(|row| shown.iter().map(|&index| row[index].as_str())),
        );
    for (column, &index) in table.column_iter_mut().zip(shown) {
        column.set_padding((0, space));
        column.set_cell_alignment(columns[index].align);
    }
    table.trim_fmt() + "\n"
}
