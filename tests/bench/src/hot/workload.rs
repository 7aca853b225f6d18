//! What the threads of a cell ask for: which rows, how often only to read, how often with a pause in the middle. Decides how one
//! piece of work is drawn; what it does to the rows is decided in `units`, when it runs in `policy`.

use std::time::Duration;

use clap::ValueEnum;

use crate::bank::Transfer;
use crate::hot::units::{HOT, Job, Share};

/// The kinds of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Workload {
    /// Transfers between any two rows.
    Uniform,
    /// Transfers between rows of a Zipf distribution (.99).
    Zipf,
    /// Transfers between cold rows, one in ten of them with the one hot row.
    OneHot,
    /// Transfers, and as often a second unit that evens three of the same rows out.
    Mixed,
    /// Transfers, one in ten of which pauses for 10 ms.
    MixedThink,
    /// Transfers that pause for 10 ms between reading and writing.
    Think,
    /// Transfers, nine in ten of which only read.
    ReadMostly,
    /// Transfers over 4 rows, then over all, in turn.
    Storm,
    /// Transfers between any two rows, half of the threads in a second process.
    TwoProcesses,
}

/// How long a body that thinks sleeps.
const THOUGHT: Duration = Duration::from_millis(10);

/// Rows of a storm while it is hot.
const STORM_ROWS: u32 = 4;

const ZIPF_EXPONENT: f64 = 0.99;

impl Workload {
    /// Rows, unless they are asked for.
    pub(crate) fn default_rows(self) -> u32 {
        match self {
            Self::Uniform | Self::TwoProcesses => 4,
            Self::Mixed | Self::Think | Self::ReadMostly => 32,
            Self::Zipf | Self::OneHot | Self::MixedThink | Self::Storm => 1000,
        }
    }

    /// As it is written on the command line and in figures.
    pub(crate) fn name(self) -> String {
        self.to_possible_value().expect("no kind of work is left out").get_name().to_owned()
    }

    /// Slices of the given length that one turn of a variant lasts: a storm has two phases of two.
    pub(crate) fn slices(self) -> u32 {
        match self {
            Self::Storm => 4,
            _ => 1,
        }
    }
}

/// Draws the work of one cell.
#[derive(Debug, Clone)]
pub(crate) struct Draw {
    workload: Workload,
    rows: u32,
    /// How long a slice is counted.
    slice: Duration,
    /// Of Zipf alone: how likely it is that a row up to this one is drawn.
    cumulative: Vec<f64>,
}

impl Draw {
    pub(crate) fn new(workload: Workload, rows: u32, slice: Duration) -> Self {
        let cumulative = if workload == Workload::Zipf { zipf(rows) } else { Vec::new() };
        Self { workload, rows, slice, cumulative }
    }

    /// The next piece of work, at this time of a slice.
    pub(crate) fn next(&self, at: Duration) -> Job {
        match self.workload {
            Workload::Zipf => Job::transfer(distinct(|| self.zipf())),
            Workload::OneHot if one_in_ten() => Job::transfer(transfer(HOT, fastrand::u32(HOT + 1..=self.rows))),
            Workload::OneHot => Job::transfer(distinct(|| fastrand::u32(HOT + 1..=self.rows))),
            Workload::Mixed if fastrand::bool() => Job::Redistribute(self.three()),
            Workload::MixedThink if one_in_ten() => Job::thinking(uniform(self.rows), THOUGHT),
            Workload::Think => Job::thinking(uniform(self.rows), THOUGHT),
            Workload::ReadMostly if !one_in_ten() => Job::reading(uniform(self.rows)),
            Workload::Storm if self.is_hot(at) => Job::transfer(uniform(STORM_ROWS.min(self.rows))),
            Workload::Uniform
            | Workload::Mixed
            | Workload::MixedThink
            | Workload::ReadMostly
            | Workload::Storm
            | Workload::TwoProcesses => Job::transfer(uniform(self.rows)),
        }
    }

    /// A storm is hot for the first half of a slice. Before the slice it is cold, as at the end of the one before.
    fn is_hot(&self, at: Duration) -> bool {
        !at.is_zero() && at < self.slice / 2
    }

    fn zipf(&self) -> u32 {
        let drawn = fastrand::f64();
        let row = self.cumulative.partition_point(|up_to| *up_to <= drawn) + 1;
        u32::try_from(row).expect("a row is drawn").min(self.rows)
    }

    /// Three different rows in ascending order.
    fn three(&self) -> Share {
        let Transfer { lower, higher, .. } = uniform(self.rows);
        let third = loop {
            let row = fastrand::u32(1..=self.rows);
            if row != lower && row != higher {
                break row;
            }
        };
        let mut rows = [lower, higher, third];
        rows.sort_unstable();
        Share(rows)
    }
}

fn one_in_ten() -> bool {
    fastrand::u32(0..10) == 0
}

fn uniform(rows: u32) -> Transfer {
    distinct(|| fastrand::u32(1..=rows))
}

fn distinct(mut row: impl FnMut() -> u32) -> Transfer {
    loop {
        let (one, other) = (row(), row());
        if one != other {
            return transfer(one.min(other), one.max(other));
        }
    }
}

fn transfer(lower: u32, higher: u32) -> Transfer {
    Transfer { lower, higher, amount: fastrand::i64(-10..=10) }
}

fn zipf(rows: u32) -> Vec<f64> {
    let weights = (1..=rows).map(|rank| f64::from(rank).powf(-ZIPF_EXPONENT));
    let total: f64 = weights.clone().sum();
    weights
        .scan(0.0, |sum, weight| {
            *sum += weight / total;
            Some(*sum)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn rows(job: Job) -> Vec<u32> {
        match job {
            Job::Transfer { rows, .. } => vec![rows.lower, rows.higher],
            Job::Redistribute(Share(rows)) => rows.into(),
        }
    }

    #[test]
    fn every_kind_of_work_asks_for_different_rows_of_the_bank_in_order() {
        for workload in Workload::value_variants() {
            let draw = Draw::new(*workload, 5, SECOND);
            for millis in 0..1000 {
                let rows = rows(draw.next(Duration::from_millis(millis)));
                assert!(rows.is_sorted_by(|a, b| a < b) && rows[0] >= 1 && rows[rows.len() - 1] <= 5, "{rows:?}");
            }
        }
    }

    #[test]
    fn a_storm_is_over_few_rows_in_its_first_half_alone() {
        let draw = Draw::new(Workload::Storm, 1000, SECOND);
        let widest = |at| (0..1000).flat_map(|_| rows(draw.next(Duration::from_millis(at)))).max();
        assert_eq!(widest(499), Some(STORM_ROWS));
        assert!(widest(500) > Some(900) && widest(0) > Some(900), "a cold phase is over all rows");
    }

    #[test]
    fn zipf_draws_each_row_as_often_as_its_rank_says() {
        let cumulative = zipf(1000);
        // Generalised harmonic number of 1000 at .99: 7.7284.
        assert!((cumulative[0] - 1.0 / 7.7284).abs() < 1e-4, "{}", cumulative[0]);
        assert!((cumulative[999] - 1.0).abs() < 1e-9);
        assert!((2.0 * (cumulative[1] - cumulative[0]) / cumulative[0] - 2.0_f64.powf(0.01)).abs() < 1e-9);
    }
}
