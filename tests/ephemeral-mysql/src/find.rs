//! Which server binary is used: the one that the user names, an installed one, or a fetched one, in this order.
//!
//! A candidate counts when it runs and says that it is the flavour asked for, and when the files that it needs beside it
//! are there. How a server is fetched is decided by `fetch`.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::builder::Source;
use crate::cache::Cache;
use crate::error::Error;
use crate::fetch;
use crate::flavour::Flavour;

/// Where packages and hand-made installations put the server when it is not on the PATH.
const USUAL_PLACES: [&str; 11] = [
    "/usr/sbin",
    "/usr/libexec",
    "/usr/bin",
    "/usr/local/sbin",
    "/usr/local/libexec",
    "/usr/local/bin",
    "/usr/local/mysql/bin",
    "/opt/homebrew/opt/mariadb/bin",
    "/usr/local/opt/mariadb/bin",
    "/opt/homebrew/opt/mysql/bin",
    "/usr/local/opt/mysql/bin",
];

/// Where plugins are below the prefix; the first that exists is taken.
const PLUGINS: [&str; 5] =
    ["lib/mysql/plugin", "lib64/mariadb/plugin", "lib/mariadb/plugin", "lib64/mysql/plugin", "lib/plugin"];

/// A server that can be run, with the files that belong to it.
#[derive(Debug, Clone)]
pub(crate) struct Installation {
    pub(crate) flavour: Flavour,
    pub(crate) binary: PathBuf,
    /// The directory that holds `sbin` or `bin`, `share` and `lib`.
    pub(crate) prefix: PathBuf,
    pub(crate) share: PathBuf,
    pub(crate) plugins: Option<PathBuf>,
    pub(crate) libraries: Libraries,
    pub(crate) version: String,
}

/// Where a binary finds its libraries.
#[derive(Debug, Clone)]
pub(crate) enum Libraries {
    /// In these directories, and then where the system has its own.
    BesidesTheSystem(Vec<PathBuf>),
    /// In these directories alone, by the loader that came with them: nothing of the system's fits.
    Own { loader: PathBuf, directories: Vec<PathBuf> },
}

/// Finds the server to run; fetches one when there is none.
pub(crate) fn server(flavour: Flavour, source: Source, cache: &Cache) -> Result<Installation, Error> {
    if let Some(named) = env::var_os("EPHEMERAL_MYSQL_SERVER").filter(|named| !named.is_empty()) {
        return named_by_user(flavour, named);
    }
    let installed = match source {
        Source::InstalledOrFetched => installed(flavour),
        Source::Fetched => None,
    };
    installed.map_or_else(|| fetch::server(flavour, cache), Ok)
}

impl Installation {
    /// Asks a binary what it is, and looks for the files that it needs.
    ///
    /// Running it also proves that the dynamic loader finds every library: it names the missing one otherwise.
    pub(crate) fn inspect(flavour: Flavour, binary: &Path, libraries: Libraries) -> Result<Self, String> {
        let binary = binary.canonicalize().map_err(|error| error.to_string())?;
        let answer = libraries.command(&binary).args(["--no-defaults", "--version"]).stdin(Stdio::null()).output();
        let answer = answer.map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(if answer.status.success() { &answer.stdout } else { &answer.stderr });
        let not_ours = || format!("it is not a {flavour} server; asked for its version it said: {}", text.trim());
        let version = (flavour.habits().version)(&text).ok_or_else(not_ours)?.to_owned();
        let prefix = binary.ancestors().nth(2).unwrap_or(Path::new("/")).to_owned();
        let share = (flavour.habits().share)(&prefix)
            .ok_or_else(|| format!("its messages and system tables are not below {}", prefix.display()))?;
        let plugins = PLUGINS.iter().map(|name| prefix.join(name)).find(|path| path.is_dir());
        Ok(Self { flavour, binary, prefix, share, plugins, libraries, version })
    }

    /// The server's command without arguments.
    pub(crate) fn command(&self) -> Command {
        self.libraries.command(&self.binary)
    }

    /// The words of this command: the binary, or a loader with the binary.
    pub(crate) fn words(&self) -> Vec<OsString> {
        self.libraries.words(&self.binary)
    }

    /// What must be in the environment of these words.
    pub(crate) fn environment(&self) -> Option<(&'static str, OsString)> {
        self.libraries.environment()
    }
}

impl Libraries {
    /// The system's.
    const SYSTEM: Self = Self::BesidesTheSystem(Vec::new());

    fn command(&self, binary: &Path) -> Command {
        let words = self.words(binary);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).envs(self.environment());
        command
    }

    fn words(&self, binary: &Path) -> Vec<OsString> {
        match self {
            Self::BesidesTheSystem(_) => vec![binary.into()],
            Self::Own { loader, directories } => {
                vec![loader.into(), "--library-path".into(), joined(directories).unwrap_or_default(), binary.into()]
            }
        }
    }

    fn environment(&self) -> Option<(&'static str, OsString)> {
        match self {
            Self::BesidesTheSystem(directories) if directories.is_empty() => None,
            Self::BesidesTheSystem(directories) => {
                let before = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
                let others = env::split_paths(&before).filter(|path| !path.as_os_str().is_empty());
                let all: Vec<_> = directories.iter().cloned().chain(others).collect();
                Some(("LD_LIBRARY_PATH", joined(&all)?))
            }
            Self::Own { .. } => None,
        }
    }
}

/// A path with a colon cannot be listed; without the list the loader names the library that it misses.
fn joined(directories: &[PathBuf]) -> Option<OsString> {
    env::join_paths(directories).ok()
}

/// The first of the named binaries that is the flavour asked for. Somebody who names one does not want another.
fn named_by_user(flavour: Flavour, named: OsString) -> Result<Installation, Error> {
    let mut reasons = Vec::new();
    for path in env::split_paths(&named) {
        match Installation::inspect(flavour, &path, Libraries::SYSTEM) {
            Ok(installation) => return Ok(installation),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(Error::UnusableServer { path: named.into(), reason: reasons.join("; ") })
}

fn installed(flavour: Flavour) -> Option<Installation> {
    let path = env::var_os("PATH").unwrap_or_default();
    let directories = env::split_paths(&path).chain(USUAL_PLACES.map(PathBuf::from));
    directories
        .flat_map(|directory| flavour.habits().binaries.iter().map(move |name| directory.join(name)))
        .filter(|binary| binary.is_file())
        .find_map(|binary| Installation::inspect(flavour, &binary, Libraries::SYSTEM).ok())
}
