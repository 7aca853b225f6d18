//! The command line. Ranges and defaults are decided here; what the values are used for, elsewhere.

use std::path::PathBuf;

use clap::Parser;
use clap::builder::RangedU64ValueParser;

/// Posts a file of payments, `id,from,to,amount`, in chunks. Each chunk is one unit of work; a bad payment in it is rejected
/// alone. What was posted before, by a run that was interrupted or by another, is not posted twice.
///
/// Without FILE it generates one and posts it twice. Without --url it starts a private, throw-away MariaDB server, which is
/// gone when the program ends.
#[derive(Debug, Parser)]
#[command(
    name = "batch",
    version,
    after_help = "Exit codes: 0 = every payment was posted or rejected, 1 = money appeared or disappeared, 2 = the run was not \
                  possible or did not come to its end; start it again."
)]
pub(crate) struct Args {
    /// The payments, with the header `id,from,to,amount`; whole numbers.
    pub(crate) file: Option<PathBuf>,

    /// Where rejected rows are written, with line and reason. Default: FILE with the ending `.rejects.csv`; replaced each time.
    #[arg(long)]
    pub(crate) rejects: Option<PathBuf>,

    /// How many threads post at once, 1 to 64. Each has a connection of its own.
    #[arg(long, default_value_t = 4, value_parser = RangedU64ValueParser::<usize>::new().range(1..=64))]
    pub(crate) threads: usize,

    /// Payments per unit of work, 1 to 10000.
    #[arg(long, default_value_t = 50, value_parser = RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    pub(crate) chunk: usize,

    /// Accounts, numbered from 1, that are opened if the ledger has none, 2 to 100000.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(2..=100_000))]
    pub(crate) accounts: u64,

    /// What they are opened with, up to 1000000000.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(..=1_000_000_000))]
    pub(crate) balance: u64,

    /// A server of your own: `mysql://user:password@host:3306`. Only the database `unit_of_work_batch` is used there; it is
    /// created if it is missing, and kept.
    // The value holds the password: it must not be shown by --help.
    #[arg(long, env = "UNIT_OF_WORK_URL", hide_env_values = true)]
    pub(crate) url: Option<String>,
}
