//! `bench hot`: the same units on the same rows, admitted and run again by different policies, in turn on one server. This file
//! decides what is asked for; `cell` runs it, `workload` draws it, `units` is what runs, `policy` when, `figures` what is made of it.
//!
//! `--threads 64 --rows 4` is a cell; `--workload` makes others; `--all` is the whole grid, one cell after another. To compare few
//! variants, quickly: `--variants unit,fixed_2,backoff --rounds 6`. Names are at `variant`.

mod cell;
mod figures;
mod policy;
pub(crate) mod process;
mod semaphore;
mod storm;
mod units;
mod variant;
mod workload;

use std::time::Duration;

use crate::Failure;
pub(crate) use crate::hot::cell::Cell;
pub(crate) use crate::hot::figures::{Figures, cell_table, text};
pub(crate) use crate::hot::storm::Storm;
use crate::hot::variant::Variant;
use crate::hot::workload::Workload;
use crate::server::{self, Commit};
use crate::slices::Effort;

/// How much is to be run.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Hot {
    /// What the threads do.
    #[arg(long, value_enum, default_value_t = Workload::Uniform)]
    workload: Workload,
    /// Threads that run units at once.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(2..=1000))]
    threads: u32,
    /// Accounts; unless given, as many as the workload is meant for.
    #[arg(long, value_parser = clap::value_parser!(u32).range(3..))]
    rows: Option<u32>,
    /// The whole grid instead of one cell.
    #[arg(long, conflicts_with_all = ["workload", "threads", "rows"])]
    all: bool,
    /// Who is measured, with commas; unless given, all.
    #[arg(long, value_delimiter = ',')]
    variants: Vec<Variant>,
    /// Rounds; in each of them every variant has one slice.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Length of a slice in milliseconds; a storm takes four.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(50..))]
    slice_ms: u64,
    /// Prints one JSON array instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Runs everything on a server of its own.
pub(crate) fn measure(arguments: &Hot) -> Result<Vec<Figures>, Failure> {
    let server = server::start(Commit::Written)?.server;
    let effort = Effort { rounds: arguments.rounds, slice: Duration::from_millis(arguments.slice_ms) };
    let mut figures = Vec::new();
    for cell in arguments.cells() {
        eprintln!("{}", cell.name());
        figures.extend(cell.measure(effort, &server)?);
    }
    Ok(figures)
}

/// One cell on a server of its own.
pub(crate) fn measure_one(cell: &Cell, effort: Effort) -> Result<Vec<Figures>, Failure> {
    cell.measure(effort, &server::start(Commit::Written)?.server)
}

impl Hot {
    fn cells(&self) -> Vec<Cell> {
        let mut cells = if self.all { Cell::grid() } else { vec![self.cell()] };
        for cell in cells.iter_mut().filter(|_| !self.variants.is_empty()) {
            cell.variants.clone_from(&self.variants);
        }
        cells
    }

    fn cell(&self) -> Cell {
        let rows = self.rows.unwrap_or_else(|| self.workload.default_rows());
        Cell::usual(self.workload, self.threads, rows)
    }
}
