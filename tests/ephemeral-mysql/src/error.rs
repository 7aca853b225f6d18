//! What can go wrong, in the words of the person who has to put it right.
//!
//! Every message says what was attempted, what the system or the server said, and what to do.
//! Nothing here decides anything; the other files choose the variant.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};

use crate::flavour::Flavour;

/// Why a private server could not be had, or did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No server of the flavour is installed, and none could be fetched.
    #[error(
        "found no {flavour} server and could not fetch one: {reason}\n\
         Install one and try again (it need not be running and is not configured or started by this):\n\
         {}\n\
         or name the server's binary in EPHEMERAL_MYSQL_SERVER",
        flavour.habits().hints
    )]
    NoServer {
        /// What was asked for.
        flavour: Flavour,
        /// What was tried and what came of it.
        reason: String,
    },

    /// None of the binaries that `EPHEMERAL_MYSQL_SERVER` names can be used.
    #[error("EPHEMERAL_MYSQL_SERVER names {}, which cannot be used: {reason}", path.display())]
    UnusableServer {
        /// The path as it was given; several are separated by colons.
        path: PathBuf,
        /// What it answered when it was asked for its version.
        reason: String,
    },

    /// The server process ended or stayed silent instead of answering a connection.
    #[error("the private server did not come up: {happened}\nthe end of its log:\n{log}")]
    Startup {
        /// How it failed.
        happened: String,
        /// The last lines of the server's error log.
        log: String,
    },

    /// The server did not end in time after a request to shut down; it is still running.
    #[error(
        "the private server (process {pid}) is still running {seconds} s after the request to stop\nthe end of its log:\n{log}"
    )]
    Shutdown {
        /// The server's process.
        pid: u32,
        /// How long it was given.
        seconds: u64,
        /// The last lines of the server's error log.
        log: String,
    },

    /// A program that was needed on the way could not be run, or reported a failure.
    #[error("`{command}` failed: {output}")]
    Command {
        /// The program with its arguments.
        command: String,
        /// What it wrote, or why it could not be started.
        output: String,
    },

    /// The operating system refused something.
    #[error("could not {attempt} {}: {source}", path.display())]
    Io {
        /// What was attempted, as a verb phrase in front of the path.
        attempt: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// A connection to the running server was refused or lost, or a statement failed.
    #[error("could not {attempt}: {source}")]
    Sql {
        /// What was attempted.
        attempt: String,
        /// What the driver reported.
        source: Box<mysql::Error>,
    },
}

impl Error {
    pub(crate) fn sql(attempt: impl Into<String>, source: mysql::Error) -> Self {
        Self::Sql { attempt: attempt.into(), source: Box::new(source) }
    }

    pub(crate) fn command(command: impl Into<String>, output: impl Display) -> Self {
        Self::Command { command: command.into(), output: output.to_string().trim().to_owned() }
    }
}

/// Says what was attempted on which path when the operating system refuses it.
pub(crate) trait Attempt<T> {
    fn attempt(self, attempt: &'static str, path: &Path) -> Result<T, Error>;
}

impl<T, E: Into<io::Error>> Attempt<T> for Result<T, E> {
    fn attempt(self, attempt: &'static str, path: &Path) -> Result<T, Error> {
        self.map_err(|error| Error::Io { attempt, path: path.to_owned(), source: error.into() })
    }
}
