//! What the report consists of: one value for each thing that is measured and kept on its own. To add one: a variant here, and a
//! chapter that tells it.

use serde_json::Value;

use crate::hot::{self, Cell};
use crate::latency::Latency;
use crate::overhead::Overhead;
use crate::report::ENOUGH;
use crate::scale::Scale;
use crate::server::Commit;
use crate::slices::Effort;
use crate::transfer::Transfer;
use crate::{Failure, latency, overhead, scale, transfer};

/// One thing that is measured, and kept under its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Measurement {
    Transfer {
        threads: u32,
        rows: u32,
    },
    /// The same with every COMMIT flushed to a disk.
    Durable {
        threads: u32,
        rows: u32,
    },
    /// By one thread, which waits for round trips alone, and by more, which share the processors with the proxy.
    Latency {
        threads: u32,
        added_us: u64,
    },
    Hot(Cell),
    Scale,
    Overhead,
    Compile,
}

impl Measurement {
    /// All, in the order of the page.
    pub(crate) fn all() -> Vec<Self> {
        let transfers = [1, 4, 16].map(|threads| Self::Transfer { threads, rows: 1000 });
        let durable = [4, 16].map(|threads| Self::Durable { threads, rows: 1000 });
        let latency = [(1, 500), (4, 500), (4, 2000)].map(|(threads, added_us)| Self::Latency { threads, added_us });
        let hot = Cell::grid().into_iter().map(Self::Hot);
        let one_each = [Self::Scale, Self::Overhead, Self::Compile];
        transfers.into_iter().chain(durable).chain(latency).chain(hot).chain(one_each).collect()
    }

    /// Its name, which is also its file's.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Transfer { threads, rows } => format!("transfer/{threads}x{rows}"),
            Self::Durable { threads, rows } => format!("durable/{threads}x{rows}"),
            Self::Latency { threads, added_us } => format!("latency/{threads}x{added_us}us"),
            Self::Scale => "scale".to_owned(),
            Self::Overhead => "overhead".to_owned(),
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
            Self::Transfer { threads, rows } => transfers(*threads, *rows, effort, Commit::Written)?,
            Self::Durable { threads, rows } => transfers(*threads, *rows, effort, Commit::Flushed)?,
            Self::Latency { threads, added_us } => {
                let mut figures = latency::measure(&Latency::of(*threads, *added_us, effort))?;
                serde_json::to_value(figures.pop().ok_or("one added time has one figure")?)?
            }
            Self::Scale => serde_json::to_value(scale::measure(&Scale::of(effort))?)?,
            Self::Overhead => serde_json::to_value(overhead::measure(&Overhead::of(effort))?)?,
            Self::Hot(cell) => serde_json::to_value(hot::measure_one(cell, effort)?)?,
            Self::Compile => serde_json::to_value(crate::compile::measure(&compile(effort))?)?,
        })
    }
}

fn transfers(threads: u32, rows: u32, effort: Effort, commit: Commit) -> Result<Value, Failure> {
    Ok(serde_json::to_value(transfer::measure(&Transfer::of(threads, rows, effort, commit))?)?)
}

/// A check takes seconds, so it has fewer rounds than slices have.
fn compile(effort: Effort) -> crate::compile::Compile {
    if effort.rounds >= ENOUGH.rounds {
        crate::compile::Compile::of(500, 7)
    } else {
        crate::compile::Compile::of(20, 1)
    }
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
