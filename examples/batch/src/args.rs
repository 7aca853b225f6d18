//! The command line. Ranges and defaults are decided here; what the values are used for, elsewhere.

use std::path::PathBuf;

use clap::Parser;
use clap::builder::RangedU64ValueParser;

/// Settles the payments of a night: reads them from a file, posts them with fees and within limits, and rejects each bad line
/// alone, with its number and the reason.
///
/// Several threads post chunks; each chunk is one unit of work. A run that was killed, at whatever moment, is continued by
/// starting the program again with the same file: no line is lost and none is posted twice. Without FILE and --generate it makes
/// a small file and settles it twice, to show that. Without --url it starts a private, throw-away MariaDB server, which is gone
/// when the program ends.
///
/// The file has the header `id,from,to,amount` and whole numbers; amounts are in cents.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "batch",
    version,
    after_help = "Exit codes:\n  \
                  0  settled: every line is posted or rejected, and the money adds up\n  \
                  1  the books are not right: money or lines appeared or disappeared; nothing more was changed\n  \
                  2  not possible: wrong arguments, file, server or place for the report; nothing was posted\n  \
                  3  stopped before its end; what was posted stays, start it again"
)]
pub(crate) struct Args {
    /// The payments.
    pub(crate) file: Option<PathBuf>,

    /// Makes the file first, with so many lines, some of them bad; a temporary one if FILE is not given. FILE must not be there
    /// yet.
    #[arg(long, value_name = "LINES", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(crate) generate: Option<u64>,

    /// What --generate draws from: the same seed gives the same file.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    /// Changes nothing and says what would be posted and what rejected.
    #[arg(long, conflicts_with_all = ["compare", "disturb"])]
    pub(crate) dry_run: bool,

    /// Writes report.txt, rejects.csv and chart.svg into this directory. Without it the report is printed, with the first of the
    /// rejected lines.
    #[arg(long, value_name = "DIR", conflicts_with = "compare")]
    pub(crate) report: Option<PathBuf>,

    /// How many threads post at once, 1 to 64. Each has a connection of its own.
    #[arg(long, default_value_t = 4, value_parser = RangedU64ValueParser::<usize>::new().range(1..=64))]
    pub(crate) threads: usize,

    /// Lines per unit of work at most, 1 to 10000.
    #[arg(long, default_value_t = 250, value_parser = RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    pub(crate) chunk: usize,

    /// What this night is called in the ledger. Default: the name of the file.
    #[arg(long, value_name = "NAME")]
    pub(crate) night: Option<String>,

    /// Accounts, numbered from 1, that are opened if the ledger has none, 2 to 1000000.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(2..=1_000_000))]
    pub(crate) accounts: u64,

    /// What each of them is opened with, in cents, up to 1000000000.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(..=1_000_000_000))]
    pub(crate) balance: u64,

    /// What each of them may pay in one night, in cents, fees not counted.
    #[arg(long, default_value_t = 60_000, value_parser = clap::value_parser!(u64).range(..=1_000_000_000))]
    pub(crate) limit: u64,

    /// Kills a connection to its database every now and then while it posts, to show that nothing comes of it.
    #[arg(long, conflicts_with = "compare")]
    pub(crate) disturb: bool,

    /// Measures chunk sizes and threads against each other on private servers, and prints tables. --generate says with how
    /// many lines at most, 100000 otherwise. Takes some minutes.
    #[arg(long, conflicts_with = "file")]
    pub(crate) compare: bool,

    /// A server of your own: `mysql://user:password@host:3306`. Only the database `unit_of_work_batch` is used there; it is
    /// created if it is missing, and kept.
    // The value holds the password: it must not be shown by --help.
    #[arg(long, env = "UNIT_OF_WORK_URL", hide_env_values = true)]
    pub(crate) url: Option<String>,
}
