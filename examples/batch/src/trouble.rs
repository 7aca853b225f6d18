//! Why a run did not come to its end, in the words of whoever knows it best: the library, the private server, the system.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;

/// What ends the program with another exit code than 0.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("{} cannot be read: {error}", path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{}, line 1: the header is `{found}` and not `id,from,to,amount`; nothing was posted", path.display())]
    Header { path: PathBuf, found: String },
    #[error("{what} cannot be written: {error}")]
    Output { what: String, error: io::Error },
    #[error("the server named by --url or UNIT_OF_WORK_URL cannot be used: {0}")]
    UsersServer(#[source] unit_of_work::Error),
    #[error(transparent)]
    PrivateServer(#[from] ephemeral_mysql::Error),
    #[error("the run stopped, and what it had posted stays; start it again, it posts nothing twice: {0}")]
    Stopped(#[source] unit_of_work::Error),
    #[error(transparent)]
    Work(#[from] unit_of_work::Error),
    #[error("the accounts held {before} before and hold {after} now: money appeared or disappeared")]
    Money { before: u64, after: u64 },
}

impl Trouble {
    pub(crate) fn output(what: &(impl Display + ?Sized)) -> impl Fn(io::Error) -> Self {
        let what = what.to_string();
        move |error| Self::Output { what: what.clone(), error }
    }
}
