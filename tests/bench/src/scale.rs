//! `bench scale`: many threads, many sessions, many databases. This file decides which, and what is shown: `grid` measures units per
//! second, `memory` what a session and a thread hold, `crowd` how a great many threads fare over a few sessions.

mod crowd;
mod grid;
mod memory;

use serde::{Deserialize, Serialize};

use self::crowd::Crowd;
use self::grid::Cell;
use self::memory::Memory;
use crate::Failure;
use crate::length::Length;
use crate::server::{self, Commit};
use crate::slices::Effort;

/// How much is to be run.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Scale {
    #[command(flatten)]
    length: Length,
    /// The most threads of any cell.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=256))]
    threads: u32,
    /// Threads of the crowd.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(8..))]
    crowd: u32,
    /// Prints one JSON object instead of tables.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What was measured.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    rounds: u32,
    /// Threads over sessions of one database, and 16 threads over several databases.
    cells: Vec<Cell>,
    crowd: Crowd,
    /// Nothing where the system does not tell (no `/proc`).
    memory: Option<Memory>,
}

impl Scale {
    pub(crate) fn of(effort: Effort) -> Self {
        Self { length: Length::of(effort), threads: 256, crowd: 10_000, json: false }
    }
}

/// Runs everything on a server of its own.
pub(crate) fn measure(arguments: &Scale) -> Result<Figures, Failure> {
    let server = server::start(Commit::Written)?.server;
    // First, because what it looks at is the most that the server has ever seen.
    let crowd = crowd::measure(&server, arguments.crowd)?;
    let memory = memory::measure(&server)?;
    let plan = arguments.length.plan(arguments.threads);
    Ok(Figures { rounds: plan.rounds, cells: grid::measure(&server, &plan)?, crowd, memory })
}

/// For people.
pub(crate) fn text(figures: &Figures) -> String {
    let Figures { rounds, cells, crowd, memory } = figures;
    let memory =
        memory.as_ref().map_or_else(|| "this system does not tell how much memory is used\n".to_owned(), Memory::text);
    let grid = grid::text(cells);
    format!("{rounds} rounds\n{grid}{}\n{memory}{}", crate::table::HOW_TO_READ, crowd.text())
}
