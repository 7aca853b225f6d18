//! Which valgrind is used: the one on the PATH, else the distribution's package, fetched without root into the cache of
//! `ephemeral-mysql`.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::Failure;

/// A valgrind that runs.
#[derive(Debug)]
pub(crate) enum Valgrind {
    /// On the PATH.
    Installed,
    /// Unpacked below this directory.
    Fetched(PathBuf),
}

pub(crate) fn find() -> Result<Valgrind, Failure> {
    if Valgrind::Installed.runs() {
        return Ok(Valgrind::Installed);
    }
    let fetched = Valgrind::Fetched(ephemeral_mysql::fetch_package("valgrind")?);
    if fetched.runs() { Ok(fetched) } else { Err(format!("{fetched:?} does not run; install valgrind").into()) }
}

impl Valgrind {
    pub(crate) fn command(&self) -> Command {
        match self {
            Self::Installed => Command::new("valgrind"),
            Self::Fetched(root) => {
                let mut command = Command::new(root.join("usr/bin/valgrind"));
                // It looks for its tools where it was to be installed.
                command.env("VALGRIND_LIB", root.join("usr/libexec/valgrind"));
                command
            }
        }
    }

    fn runs(&self) -> bool {
        let version = self.command().arg("--version").stdin(Stdio::null()).output();
        version.is_ok_and(|output| output.status.success())
    }
}
