//! What the report consists of: one value for each thing that is measured and kept on its own. To add one: a variant here, and a
//! chapter that tells it.

use serde_json::Value;

use crate::hot::{self, Cell};
use crate::report::WHOLE;
use crate::server::Commit;
use crate::slices::Effort;
use crate::{Failure, transfer};

/// One thing that is measured, and kept under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Measurement {
    Transfer { threads: u32, rows: u32 },
    Hot(Cell),
    Compile,
}

impl Measurement {
    /// All, in the order of the page.
    pub(crate) fn all() -> Vec<Self> {
        let transfers = [1, 4, 16].map(|threads| Self::Transfer { threads, rows: 1000 });
        let hot = Cell::grid().into_iter().map(Self::Hot);
        transfers.into_iter().chain(hot).chain([Self::Compile]).collect()
    }

    /// Its name, which is also its file's.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Transfer { threads, rows } => format!("transfer/{threads}x{rows}"),
            Self::Hot(cell) => format!("hot/{}", cell.name()),
            Self::Compile => "compile".to_owned(),
        }
    }

    /// The names of those that begin so, in their order.
    pub(crate) fn keys(section: &str) -> Vec<String> {
        Self::all().iter().map(Self::key).filter(|key| key.starts_with(section)).collect()
    }

    pub(crate) fn measure(&self, effort: Effort) -> Result<Value, Failure> {
        Ok(match self {
            Self::Transfer { threads, rows } => serde_json::to_value(transfer::measure(&transfer::Transfer::of(
                *threads,
                *rows,
                effort,
                Commit::Written,
            ))?)?,
            Self::Hot(cell) => serde_json::to_value(hot::measure_one(cell, effort)?)?,
            Self::Compile => serde_json::to_value(crate::compile::measure(&compile(effort))?)?,
        })
    }
}

/// A check takes seconds, so it has fewer rounds than slices have.
fn compile(effort: Effort) -> crate::compile::Compile {
    if effort == WHOLE { crate::compile::Compile::of(500, 7) } else { crate::compile::Compile::of(20, 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_kept_in_one_file() {
        let mut keys: Vec<_> = Measurement::all().iter().map(Measurement::key).collect();
        let all = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), all, "{keys:?}");
    }
}
