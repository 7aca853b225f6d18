//! Which server: MariaDB or MySQL. What is particular to one of them stands in a file of its own, as one value of
//! [`Habits`]; everything else asks that value and never which of the two it is.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::builder::Profile;
use crate::find::Installation;
use crate::{mariadb, oracle};

/// Which server is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Flavour {
    /// MariaDB.
    #[default]
    MariaDb,
    /// Oracle's MySQL, or what is built from it.
    MySql,
}

impl fmt::Display for Flavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.habits().name)
    }
}

impl Flavour {
    pub(crate) fn habits(self) -> &'static Habits {
        match self {
            Self::MariaDb => &mariadb::HABITS,
            Self::MySql => &oracle::HABITS,
        }
    }
}

/// All that is particular to a flavour: how its binary is recognised, how a data directory is made, which options a
/// private server gets. Another flavour is another value.
#[derive(Debug)]
pub(crate) struct Habits {
    pub(crate) name: &'static str,
    /// What to install where, one line a system.
    pub(crate) hints: &'static str,
    /// The names of the server's binary, the specific one first.
    pub(crate) binaries: &'static [&'static str],
    /// What the name of the distribution's package with nothing but the server begins with.
    pub(crate) package: &'static str,
    /// Whether stable Debian has no such package and Debian unstable's has to do.
    pub(crate) on_debian: OnDebian,
    /// The version in the answer to `--version`, if the answer is this flavour's.
    pub(crate) version: fn(&str) -> Option<&str>,
    /// The directory below a prefix with the messages and whatever makes the system tables. It has several names.
    pub(crate) share: fn(&Path) -> Option<PathBuf>,
    /// The options that every run of the server needs, also the one that makes the template, besides those that say
    /// where its files are.
    pub(crate) base_options: &'static [&'static str],
    /// How an empty data directory gets its system tables and a root without a password.
    pub(crate) bootstrap: Bootstrap,
    /// The options of a server that answers connections, small and quiet.
    pub(crate) service_options: &'static [&'static str],
    /// How much the server cares for its data.
    pub(crate) profile_options: fn(Profile) -> &'static [&'static str],
}

/// What Debian offers of a flavour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnDebian {
    /// A package in every release.
    InEveryRelease,
    /// A package in `unstable` alone; what it needs comes from there too, the C library included.
    InUnstable,
}

/// How a template of the data directory is made: one run of the server with these options.
#[derive(Debug)]
pub(crate) struct Bootstrap {
    pub(crate) options: &'static [&'static str],
    pub(crate) input: Input,
    /// Files of the new data directory that every server must make for itself.
    pub(crate) private: &'static [&'static str],
}

/// Where the system tables come from.
#[derive(Debug)]
pub(crate) enum Input {
    /// The server knows them, and wants an empty directory.
    Nothing,
    /// Statements on its standard input, made out of files in the share directory; the directory of the system
    /// database must exist.
    Script(fn(&Path) -> io::Result<String>),
}

/// What both servers write to their log when somebody else listens on the port.
pub(crate) const PORT_TAKEN: &str = "Bind on TCP/IP port";

/// The options of every run. `--no-defaults` must be the first: no configuration file of the machine may interfere.
pub(crate) fn base_options(installation: &Installation, data: &Path) -> Vec<String> {
    let mut options = vec![
        "--no-defaults".to_owned(),
        format!("--basedir={}", installation.prefix.display()),
        format!("--lc-messages-dir={}", installation.share.display()),
        format!("--datadir={}", data.display()),
        // Servers remove each other's temporary tables where they share a directory for them.
        format!("--tmpdir={}", data.display()),
    ];
    options.extend(installation.flavour.habits().base_options.iter().map(|option| (*option).to_owned()));
    options.extend(installation.plugins.iter().map(|plugins| format!("--plugin-dir={}", plugins.display())));
    if nix::unistd::geteuid().is_root() {
        options.push("--user=root".to_owned());
    }
    options
}
