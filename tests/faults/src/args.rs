//! The command line. Ranges and defaults are decided here; what the numbers are used for, by the soak that they are given to.

use clap::{Parser, Subcommand};

use crate::bank;
use crate::elle;
use crate::hermitage;
use crate::kill9;
use crate::report::Form;

/// Breaks servers and connections under units of work and checks that every caller was told the truth.
///
/// Each soak starts a private, throw-away server that flushes at every commit, and is gone when the program ends.
#[derive(Debug, Parser)]
#[command(
    name = "faults",
    version,
    after_help = "Exit codes: 0 = every promise was kept, 1 = one was broken (it says which), 2 = the run was not possible."
)]
pub(crate) struct Args {
    /// Print one JSON array, and nothing else, on standard output.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    pub(crate) soak: Soak,
}

impl Args {
    pub(crate) fn form(&self) -> Form {
        if self.json { Form::Json } else { Form::Text }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Soak {
    /// Kills the server with SIGKILL again and again while threads write.
    Kill9(kill9::Plan),
    /// Cuts a transfer at every packet of it, in both directions and in every way.
    Cut,
    /// Has a COMMIT come late or not at all, and cuts what is then sent to find out what became of it.
    Hold,
    /// Transfers money while everything is disturbed that can be, at random.
    Bank(bank::Plan),
    /// Appends to lists in many threads, and checks whether what was read can be put in an order.
    Elle(elle::Plan),
    /// Plays the schedules of Hermitage at every isolation level and shows which anomalies happen.
    Hermitage(hermitage::Plan),
}
