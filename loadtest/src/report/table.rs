//! Tables with aligned numbers, to be drawn as text or as HTML. What stands in them is decided in
//! [`tables`](super::tables).

use std::fmt;

/// What is shown where nothing was measured.
pub const UNKNOWN: &str = "–";

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A count, shown with its thousands apart.
    Count(u64),
    /// A count of what should not be: 0 is good, and shown less.
    Bad(u64),
    /// A measured value; its column decides how many decimals it has.
    Value(f64),
    /// Nothing was measured.
    Unknown,
}

impl Cell {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A value, or that there is none.
    pub fn value(value: Option<f64>) -> Self {
        value.filter(|value| value.is_finite()).map_or(Self::Unknown, Self::Value)
    }

    fn is_nothing(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::Count(count) | Self::Bad(count) => *count == 0,
            Self::Value(_) => false,
            Self::Unknown => true,
        }
    }
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its head.
    pub head: &'static str,
    /// Left out if no row has anything but nothing in it.
    pub optional: bool,
}

impl Column {
    /// One that is always there.
    pub const fn always(head: &'static str) -> Self {
        Self { head, optional: false }
    }

    /// One that is there if it says anything.
    pub const fn if_any(head: &'static str) -> Self {
        Self { head, optional: true }
    }
}

/// A table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty one.
    pub fn new(columns: impl Into<Vec<Column>>) -> Self {
        Self { columns: columns.into(), rows: Vec::new() }
    }

    /// Adds a row; what it has too few of is unknown.
    pub fn push(&mut self, mut row: Vec<Cell>) {
        row.resize(self.columns.len(), Cell::Unknown);
        self.rows.push(row);
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What is to be drawn: columns that say nothing are gone, numbers are texts.
    pub fn drawn(&self) -> Vec<Drawn> {
        (0..self.columns.len())
            .filter(|at| {
                !self.columns[*at].optional || self.rows.iter().any(|row| !row[*at].is_nothing())
            })
            .map(|at| {
                let cells: Vec<&Cell> = self.rows.iter().map(|row| &row[at]).collect();
                let decimals = decimals(&cells);
                Drawn {
                    head: self.columns[at].head,
                    left: cells.iter().any(|cell| matches!(cell, Cell::Text(_))),
                    bad: cells.iter().map(|c| matches!(c, Cell::Bad(n) if *n > 0)).collect(),
                    cells: cells.iter().map(|cell| shown(cell, decimals)).collect(),
                }
            })
            .collect()
    }
}

/// A column as it is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Its head.
    pub head: &'static str,
    /// Words stand left, numbers right.
    pub left: bool,
    /// The texts of its cells.
    pub cells: Vec<String>,
    /// Which of them are counts of what should not be.
    pub bad: Vec<bool>,
}

/// As many as its greatest value is known by.
fn decimals(cells: &[&Cell]) -> usize {
    let greatest = cells.iter().fold(0.0, |greatest: f64, cell| match cell {
        Cell::Value(value) => greatest.max(value.abs()),
        _ => greatest,
    });
    match greatest {
        value if value >= 1000.0 => 0,
        value if value >= 10.0 => 1,
        value if value >= 1.0 => 2,
        _ => 3,
    }
}

fn shown(cell: &Cell, decimals: usize) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Count(count) | Cell::Bad(count) => thousands(*count),
        // Without decimals only where the column has thousands.
        Cell::Value(value) if decimals == 0 => thousands(value.round() as u64),
        Cell::Value(value) => format!("{value:.decimals$}"),
        Cell::Unknown => UNKNOWN.to_owned(),
    }
}

/// A count with its thousands apart: 1,234,567.
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// As text, each line indented by two.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.drawn();
        let widths: Vec<usize> = columns
            .iter()
            .map(|column| {
                let cells = column.cells.iter().map(|cell| cell.chars().count());
                cells.chain([column.head.chars().count()]).max().unwrap_or(0)
            })
            .collect();
        let line = |f: &mut fmt::Formatter<'_>, text: &dyn Fn(&Drawn) -> String| {
            let mut line = String::new();
            for (column, width) in columns.iter().zip(&widths) {
                let cell = text(column);
                line.push_str("  ");
                line.push_str(&match column.left {
                    true => format!("{cell:<width$}"),
                    false => format!("{cell:>width$}"),
                });
            }
            writeln!(f, "{}", line.trim_end())
        };
        line(f, &|column| column.head.to_owned())?;
        (0..self.rows.len()).try_for_each(|at| line(f, &|column| column.cells[at].clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_under_one_another_and_empty_columns_go() {
        let mut table = Table::new([
            Column::always("who"),
            Column::if_any("lost"),
            Column::always("frames"),
            Column::if_any("ms"),
        ]);
        table.push(vec![
            Cell::text("video"),
            Cell::Bad(0),
            Cell::Count(1_234_567),
            Cell::Value(0.5),
        ]);
        table.push(vec![Cell::text("all"), Cell::Bad(0), Cell::Count(7), Cell::Value(12.25)]);
        table.push(vec![Cell::text("none")]);
        let text = table.to_string();
        assert_eq!(
            text,
            "  who       frames    ms\n  video  1,234,567   0.5\n  all            7  12.2\n  none           –     –\n"
        );
    }

    #[test]
    fn thousands_are_kept_apart() {
        for (count, text) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (u64::MAX, "18,446,744,073,709,551,615")]
        {
            assert_eq!(thousands(count), text);
        }
    }
}
