//! How long a measurement takes: its rounds and slices as they are asked for on the command line.

use std::time::Duration;

use crate::slices::{Effort, Plan};

/// The arguments that say so.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Length {
    /// Rounds; in each of them everything that is compared has one slice.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Length of a slice in milliseconds.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    slice_ms: u64,
    /// Three rounds of 0.1 s: what comes out, not how much.
    #[arg(long, conflicts_with_all = ["rounds", "slice_ms"])]
    quick: bool,
}

impl Length {
    pub(crate) fn of(effort: Effort) -> Self {
        let slice_ms = u64::try_from(effort.slice.as_millis()).expect("no slice takes centuries");
        Self { rounds: effort.rounds, slice_ms, quick: false }
    }

    pub(crate) fn plan(self, threads: u32) -> Plan {
        let slice = Duration::from_millis(if self.quick { 100 } else { self.slice_ms });
        Plan { threads, rounds: self.rounds(), slice, warm_up: Duration::ZERO }
    }

    pub(crate) fn rounds(self) -> u32 {
        if self.quick { 3 } else { self.rounds }
    }
}
