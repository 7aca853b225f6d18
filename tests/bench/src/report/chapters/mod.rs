//! The chapters of the page, one file each: its tables, its plots, its bars, and what in it is not as one would wish.

mod compile;
mod durable;
mod hot;
mod latency;
mod overhead;
mod scale;
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
    let tell = [transfer::tell, durable::tell, latency::tell, hot::tell, scale::tell, overhead::tell, compile::tell];
    tell.into_iter().map(|tell| tell(store)).collect()
}

/// The circumstances of what was measured.
fn circumstances<F>(records: &[Record<F>]) -> Vec<Circumstances> {
    records.iter().map(|record| record.circumstances.clone()).collect()
}
