//! The chapters of the page, one file each: its tables, its plots, its bars, and what in it is not as one would wish.

mod compile;
mod hot;
mod transfer;

use crate::Failure;
use crate::report::bars::Bar;
use crate::report::circumstances::Circumstances;
use crate::report::store::{Record, Store};

/// One part of the page.
#[derive(Debug, Default)]
pub(crate) struct Chapter {
    pub(crate) title: &'static str,
    /// Markdown.
    pub(crate) text: String,
    pub(crate) bars: Vec<Bar>,
    /// A sentence each.
    pub(crate) disappoints: Vec<String>,
    /// Of everything that it tells of.
    pub(crate) circumstances: Vec<Circumstances>,
}

/// All of them, in order; writes their plots.
pub(crate) fn all(store: &Store) -> Result<Vec<Chapter>, Failure> {
    Ok(vec![transfer::tell(store)?, hot::tell(store)?, compile::tell(store)?])
}

/// The circumstances of what was measured.
fn circumstances<F>(records: &[Record<F>]) -> Vec<Circumstances> {
    records.iter().map(|record| record.circumstances.clone()).collect()
}
