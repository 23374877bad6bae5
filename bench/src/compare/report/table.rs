//! A table as text and as Markdown. What is in it is known elsewhere.

use std::fmt::Write as _;

/// Rows of cells under heads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The heads; whether their column is set to the right.
    pub heads: Vec<(String, bool)>,
    /// The rows, each as long as the heads.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// With these heads; one that begins with `>` stands above numbers, which are set to the right.
    pub fn new(heads: &[&str]) -> Self {
        let head = |text: &&str| match text.strip_prefix('>') {
            Some(text) => (text.to_owned(), true),
            None => ((*text).to_owned(), false),
        };
        Self { heads: heads.iter().map(head).collect(), rows: Vec::new() }
    }

    /// Adds a row. What is missing is empty.
    pub fn push(&mut self, cells: impl IntoIterator<Item = String>) {
        let mut cells: Vec<String> = cells.into_iter().collect();
        cells.resize(self.heads.len(), String::new());
        self.rows.push(cells);
    }

    /// In columns, for a terminal.
    pub fn text(&self) -> String {
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.chain([self.heads[column].0.chars().count()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.heads.len()).map(width).collect();
        let mut text = String::new();
        let mut line = |cells: Vec<&str>| {
            let mut drawn = String::new();
            for ((cell, width), (_, right)) in cells.iter().zip(&widths).zip(&self.heads) {
                let _ = match right {
                    true => write!(drawn, "{cell:>width$}  "),
                    false => write!(drawn, "{cell:<width$}  "),
                };
            }
            let _ = writeln!(text, "{}", drawn.trim_end());
        };
        line(self.heads.iter().map(|(head, _)| head.as_str()).collect());
        for row in &self.rows {
            line(row.iter().map(String::as_str).collect());
        }
        text
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        let mut text = String::from("|");
        for (head, _) in &self.heads {
            let _ = write!(text, " {} |", cell(head));
        }
        text.push_str("\n|");
        for (_, right) in &self.heads {
            text.push_str(if *right { " --: |" } else { " --- |" });
        }
        text.push('\n');
        for row in &self.rows {
            text.push('|');
            for content in row {
                let _ = write!(text, " {} |", cell(content));
            }
            text.push('\n');
        }
        text
    }
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["name", ">value"]);
        table.push(["a".to_owned(), "1.25".to_owned()]);
        table.push(["long | name".to_owned()]);
        table
    }

    #[test]
    fn columns_are_aligned() {
        let expected = "name         value\na             1.25\nlong | name\n";
        assert_eq!(table().text(), expected);
    }

    #[test]
    fn markdown_has_as_many_cells_in_each_row() {
        let text = table().markdown();
        assert_eq!(text.lines().nth(1), Some("| --- | --: |"));
        assert!(
            text.lines().all(|line| line.replace("\\|", "").matches('|').count() == 3),
            "{text}"
        );
    }
}
