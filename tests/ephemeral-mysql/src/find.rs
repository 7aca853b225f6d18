//! Which server binary is used: the one that the user names, an installed one, or a fetched one, in this order.
//!
//! A candidate counts when it runs and says that it is a flavour we know, and when the files that it needs beside it
//! are there. How a server is fetched is decided by `fetch`.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::builder::Source;
use crate::cache::Cache;
use crate::error::Error;
use crate::{fetch, mariadb};

/// Where packages and hand-made installations put the server when it is not on the PATH.
const USUAL_PLACES: [&str; 9] = [
    "/usr/sbin",
    "/usr/libexec",
    "/usr/bin",
    "/usr/local/sbin",
    "/usr/local/libexec",
    "/usr/local/bin",
    "/usr/local/mysql/bin",
    "/opt/homebrew/opt/mariadb/bin",
    "/usr/local/opt/mariadb/bin",
];

/// Where plugins are below the prefix; the first that exists is taken.
const PLUGINS: [&str; 4] = ["lib/mysql/plugin", "lib64/mariadb/plugin", "lib/mariadb/plugin", "lib/plugin"];

/// A server that can be run, with the files that belong to it.
#[derive(Debug, Clone)]
pub(crate) struct Installation {
    pub(crate) binary: PathBuf,
    /// The directory that holds `sbin` or `bin`, `share` and `lib`.
    pub(crate) prefix: PathBuf,
    pub(crate) share: PathBuf,
    pub(crate) plugins: Option<PathBuf>,
    /// Directories with libraries that are not the system's own.
    pub(crate) libraries: Vec<PathBuf>,
    pub(crate) version: String,
}

/// Finds the server to run; fetches one when there is none.
pub(crate) fn server(source: Source, cache: &Cache) -> Result<Installation, Error> {
    if let Some(path) = env::var_os("EPHEMERAL_MYSQL_SERVER").map(PathBuf::from) {
        return Installation::inspect(&path, Vec::new()).map_err(|reason| Error::UnusableServer { path, reason });
    }
    let installed = match source {
        Source::InstalledOrFetched => installed(),
        Source::Fetched => None,
    };
    installed.map_or_else(|| fetch::server(cache), Ok)
}

impl Installation {
    /// Asks a binary what it is, and looks for the files that it needs.
    ///
    /// Running it also proves that the dynamic loader finds every library: it names the missing one otherwise.
    pub(crate) fn inspect(binary: &Path, libraries: Vec<PathBuf>) -> Result<Self, String> {
        let binary = binary.canonicalize().map_err(|error| error.to_string())?;
        let answer = run_with(&binary, &libraries).args(["--no-defaults", "--version"]).stdin(Stdio::null()).output();
        let answer = answer.map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(if answer.status.success() { &answer.stdout } else { &answer.stderr });
        let not_ours = || format!("it is not a MariaDB server; asked for its version it said: {}", text.trim());
        let version = mariadb::version(&text).ok_or_else(not_ours)?.to_owned();
        let prefix = binary.ancestors().nth(2).unwrap_or(Path::new("/")).to_owned();
        let share = mariadb::share(&prefix)
            .ok_or_else(|| format!("the SQL files that make its system tables are not below {}", prefix.display()))?;
        let plugins = PLUGINS.iter().map(|name| prefix.join(name)).find(|path| path.is_dir());
        Ok(Self { binary, prefix, share, plugins, libraries, version })
    }

    /// The server's command without arguments.
    pub(crate) fn command(&self) -> Command {
        run_with(&self.binary, &self.libraries)
    }

    /// `LD_LIBRARY_PATH` for this server, if it needs one.
    pub(crate) fn library_path(&self) -> Option<OsString> {
        library_path(&self.libraries)
    }
}

fn installed() -> Option<Installation> {
    let path = env::var_os("PATH").unwrap_or_default();
    let directories = env::split_paths(&path).chain(USUAL_PLACES.map(PathBuf::from));
    directories
        .flat_map(|directory| mariadb::BINARIES.map(|name| directory.join(name)))
        .filter(|binary| binary.is_file())
        .find_map(|binary| Installation::inspect(&binary, Vec::new()).ok())
}

fn run_with(binary: &Path, libraries: &[PathBuf]) -> Command {
    let mut command = Command::new(binary);
    command.envs(library_path(libraries).map(|path| ("LD_LIBRARY_PATH", path)));
    command
}

fn library_path(libraries: &[PathBuf]) -> Option<OsString> {
    let before = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let all = libraries.iter().cloned().chain(env::split_paths(&before).filter(|path| !path.as_os_str().is_empty()));
    // A path with a colon cannot be listed; without the list the loader names the library that it misses.
    if libraries.is_empty() { None } else { env::join_paths(all).ok() }
}
