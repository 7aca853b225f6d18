//! Figures as text for people: aligned columns, and medians with their intervals. Which figures is decided elsewhere.

use std::fmt;

use crate::statistics::{MEASURABLE, Spread};

/// What stands below a table with intervals.
pub(crate) const HOW_TO_READ: &str = "median (low – high): 95 % interval of the median by order statistics, below 6 rounds the \
                                      smallest and largest; ratios are of slices of one round\n";

/// Columns as wide as their widest cell: the first to the left, the others to the right.
#[derive(Debug)]
pub(crate) struct Table<const N: usize>(Vec<[String; N]>);

impl<const N: usize> Table<N> {
    pub(crate) fn new(head: [&str; N]) -> Self {
        Self(vec![head.map(str::to_owned)])
    }

    pub(crate) fn row(&mut self, row: [String; N]) {
        self.0.push(row);
    }

    /// As Markdown has it.
    pub(crate) fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule = |column| if column == 0 { "---" } else { "---:" };
        let rules: Vec<_> = (0..N).map(|column| rule(column).to_owned()).collect();
        let lines = self.0.iter().map(|row| line(row));
        let (head, rows): (String, String) = (lines.clone().take(1).collect(), lines.skip(1).collect());
        format!("{head}{}{rows}", line(&rules))
    }

    fn width(&self, column: usize) -> usize {
        self.0.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.0 {
            for (column, cell) in row.iter().enumerate() {
                let width = self.width(column);
                match column {
                    0 => write!(f, "{cell:<width$}")?,
                    _ => write!(f, "  {cell:>width$}")?,
                }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// `1.52 (1.48 – 1.57)`.
pub(crate) fn shown(Spread { median, low, high }: Spread, digits: usize) -> String {
    let shown = |figure: f64| if figure > MEASURABLE { "∞".to_owned() } else { format!("{figure:.digits$}") };
    format!("{} ({} – {})", shown(median), shown(low), shown(high))
}
