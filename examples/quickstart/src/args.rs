//! The command line. Ranges and defaults are decided here; what the numbers are used for, in `race`, and the URL, in `arena`.

use clap::Parser;
use clap::builder::RangedU64ValueParser;

/// Threads add 1 to one counter, in units of work, in several ways and at several isolation levels; and then it is counted who
/// lost additions that the database had acknowledged.
///
/// Without --url it starts a private, throw-away MariaDB server, which is gone when the program ends.
#[derive(Debug, Parser)]
#[command(
    name = "quickstart",
    version,
    after_help = "Exit codes: 0 = every promise was kept, 1 = one was broken (it says which), 2 = the run was not possible."
)]
pub(crate) struct Args {
    /// How many threads add at once, 1 to 128. Each has a connection of its own.
    #[arg(long, default_value_t = 16, value_parser = RangedU64ValueParser::<usize>::new().range(1..=128))]
    pub(crate) threads: usize,

    /// How often each thread adds 1, in every row of the table, 1 to 1000000.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) rounds: u64,

    /// A server of your own: `mysql://user:password@host:3306`. Only a new database named `unit_of_work_quickstart_…` is
    /// created there, and dropped at the end.
    // The value holds the password: it must not be shown by --help.
    #[arg(long, env = "UNIT_OF_WORK_URL", hide_env_values = true)]
    pub(crate) url: Option<String>,

    /// Print the figures as a JSON array, and nothing else, on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}
