//! Why a run did not come to its end, in the words of whoever knows it best: the library, the private server, the system; and the
//! exit code that scripts see.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What ends the program with another exit code than 0.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{}: {found}, where `id,from,to,amount` is expected; nothing was posted", path.display())]
    Header { path: PathBuf, found: Box<str> },
    #[error("{} cannot be written: it exists already; leave out --generate to settle it as it is", .0.display())]
    Exists(PathBuf),
    #[error("{what} cannot be written: {error}")]
    Output { what: String, error: io::Error },
    #[error(
        "the night is settled, but its report cannot be written: {error}; start it again, it posts nothing twice ({what})"
    )]
    Report { what: String, error: io::Error },
    #[error("the chart cannot be drawn: {0}")]
    Chart(String),
    #[error("the server named by --url or UNIT_OF_WORK_URL cannot be used: {0}")]
    UsersServer(#[source] unit_of_work::Error),
    #[error(transparent)]
    PrivateServer(#[from] ephemeral_mysql::Error),
    #[error("another run works on this ledger; nothing was posted by this one")]
    Busy,
    #[error(
        "the night `{night}` was begun with other contents of this file (then {then} lines, now {now}; their fingerprints \
         differ); nothing was posted. Put the file of that night back, or name this one otherwise with --night"
    )]
    Changed { night: String, then: u64, now: u64 },
    #[error("the night `{0}` is not settled to its end; nothing was posted. Start it again with its file first")]
    Unfinished(String),
    #[error("the name of a night has 1 to 200 characters; give it one with --night")]
    Name,
    #[error("the run stopped, and what it had posted stays; start it again, it posts nothing twice: {0}")]
    Stopped(#[source] Box<Trouble>),
    #[error(transparent)]
    Work(#[from] unit_of_work::Error),
    #[error(
        "accounts and payments under way held {before} cents when the night began and hold {after} now: money appeared or \
         disappeared. The night is not closed; put it right and start it again"
    )]
    Money { before: u64, after: u64 },
    #[error(
        "of {lines} lines {accounted} are posted or rejected: lines appeared or disappeared. The night is not closed; put it \
         right and start it again"
    )]
    Lines { lines: u64, accounted: u64 },
}

impl Trouble {
    pub(crate) fn output(what: &(impl Display + ?Sized)) -> impl Fn(io::Error) -> Self {
        let what = what.to_string();
        move |error| Self::Output { what: what.clone(), error }
    }

    /// Of the file that `--generate` makes.
    pub(crate) fn generated(path: &Path) -> impl Fn(io::Error) -> Self {
        move |error| match error.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists(path.to_owned()),
            _ => Self::output(&path.display())(error),
        }
    }

    /// Something was posted by then.
    pub(crate) fn stopped(self) -> Self {
        match self {
            wrong @ (Self::Money { .. } | Self::Lines { .. } | Self::Stopped(_)) => wrong,
            Self::Output { what, error } => Self::Report { what, error },
            other => Self::Stopped(Box::new(other)),
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Money { .. } | Self::Lines { .. } => 1,
            Self::Stopped(_) | Self::Report { .. } => 3,
            _ => 2,
        })
    }
}
