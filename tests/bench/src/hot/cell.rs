//! One cell of the grid: so many threads at one kind of work over so many rows, all variants in turn. Decides which cells there are
//! and what a thread does in a slice; the second process, where there is one, is `process`'s.

use std::time::Duration;

use ephemeral_mysql::Server;

use crate::Failure;
use crate::bank::Bank;
use crate::hot::figures::Figures;
use crate::hot::process::Second;
use crate::hot::variant::{self, Entrant, Variant};
use crate::hot::workload::{Draw, Workload};
use crate::slices::{self, Effort, Invitation, Plan, Player, Slice};
use crate::tally::{Taken, Tally};

/// What is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) workload: Workload,
    pub(crate) threads: u32,
    pub(crate) rows: u32,
    pub(crate) variants: Vec<Variant>,
}

/// What is run before each slice and not counted.
const WARM_UP: Duration = Duration::from_millis(150);

impl Cell {
    /// With the variants that are worth it there.
    pub(crate) fn usual(workload: Workload, threads: u32, rows: u32) -> Self {
        let keyed = (workload == Workload::OneHot).then_some(Variant::UnitKeyed);
        Self { workload, threads, rows, variants: Variant::usual(threads).into_iter().chain(keyed).collect() }
    }

    /// The worst of all, the library against backing off alone.
    pub(crate) fn four_rows() -> Self {
        Self { workload: Workload::Uniform, threads: 64, rows: 4, variants: vec![Variant::Unit, Variant::Backoff] }
    }

    /// The whole grid.
    pub(crate) fn grid() -> Vec<Self> {
        let uniform = [(64, 4), (16, 4), (4, 4), (64, 32), (16, 32), (64, 1000), (16, 1000), (4, 1000), (200, 4)];
        let others = [
            (Workload::Zipf, 1000),
            (Workload::OneHot, 1000),
            (Workload::Mixed, 32),
            (Workload::MixedThink, 1000),
            (Workload::Think, 32),
            (Workload::Think, 1000),
            (Workload::ReadMostly, 32),
            (Workload::Storm, 1000),
            (Workload::TwoProcesses, 4),
            (Workload::TwoProcesses, 32),
        ];
        let uniform = uniform.map(|(threads, rows)| Self::usual(Workload::Uniform, threads, rows));
        let others = others.map(|(workload, rows)| Self::usual(workload, 64, rows));
        uniform.into_iter().chain(others).collect()
    }

    /// What it is called.
    pub(crate) fn name(&self) -> String {
        format!("{}_{}x{}", self.workload.name(), self.threads, self.rows)
    }

    /// Runs all variants in turn, in a database of its own.
    pub(crate) fn measure(&self, effort: Effort, server: &Server) -> Result<Vec<Figures>, Failure> {
        let bank = Bank::open(server, self.rows)?;
        let plan = self.plan(effort);
        let taken = self.run(&plan, effort, &bank)?;
        // Figures of a bank that lost or made money are worth nothing, so they are not even shown.
        bank.check()?;
        Ok(Figures::of(self, &plan, &taken))
    }

    fn run(&self, plan: &Plan, effort: Effort, bank: &Bank) -> Result<Vec<Taken>, Failure> {
        let url = &*bank.url();
        let elsewhere = if self.workload == Workload::TwoProcesses { self.threads / 2 } else { 0 };
        let here = self.threads - elsewhere;
        let stage = Stage::set(self, plan, url, here)?;
        let mut players: Vec<_> = stage.invite(here).collect();
        if elsewhere > 0 {
            players.push(Box::new(move || Ok(Box::new(Second::start(self, effort, url, elsewhere)?))));
        }
        slices::run(plan, self.variants.len(), players, bank.meter())
    }

    fn plan(&self, Effort { rounds, slice }: Effort) -> Plan {
        Plan { threads: self.threads, rounds, slice: slice * self.workload.slices(), warm_up: WARM_UP.min(slice) }
    }
}

/// What the threads of one process share.
#[derive(Debug)]
pub(crate) struct Stage {
    draw: Draw,
    entrants: Vec<Entrant>,
}

impl Stage {
    fn set(cell: &Cell, plan: &Plan, url: &str, threads: u32) -> Result<Self, Failure> {
        let draw = Draw::new(cell.workload, cell.rows, plan.slice);
        Ok(Self { draw, entrants: variant::connect(&cell.variants, url, threads)? })
    }

    /// For a process that is told the slices by another.
    pub(crate) fn of(cell: &Cell, effort: Effort, url: &str) -> Result<Self, Failure> {
        Self::set(cell, &cell.plan(effort), url, cell.threads)
    }

    /// So many threads.
    pub(crate) fn invite(&self, threads: u32) -> impl Iterator<Item = Invitation<'_>> {
        (0..threads).map(|_| -> Invitation<'_> { Box::new(|| Ok(Box::new(Thread(self)))) })
    }
}

struct Thread<'s>(&'s Stage);

impl Player for Thread<'_> {
    fn play(&mut self, slice: &Slice) -> Result<Tally, Failure> {
        let Entrant { policy, database } = &self.0.entrants[slice.variant];
        let _entered = database.enter();
        slice.fill(|at| policy.run(self.0.draw.next(at), slice.give_up()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_has_each_cell_once() {
        let grid = Cell::grid();
        assert_eq!(grid.len(), 19);
        for (at, cell) in grid.iter().enumerate() {
            assert!(!grid[..at].contains(cell), "{cell:?} twice");
        }
    }
}
