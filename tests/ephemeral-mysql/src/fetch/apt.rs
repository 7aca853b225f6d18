//! The package client with directories of our own, so that an ordinary user may run it: which lists it reads, which
//! packages a server needs, and how its answers are read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::release;
use crate::error::{Attempt, Error};

/// Which lists of packages the package client reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lists {
    /// The machine's own; on a fresh machine they are empty, on an old one out of date.
    Machine,
    /// Those of the machine's sources, but ours, brought up to date.
    Private,
    /// Those of Debian unstable on the machine's own mirror, as if nothing were installed: all that the server needs
    /// comes from there.
    Unstable,
}

/// Where Debian keeps the keys that sign all its releases, unstable among them.
const DEBIANS_KEYS: [&str; 2] =
    ["/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp"];

/// The package client, configured.
pub(super) struct Apt<'a> {
    work: &'a Path,
    lists: Lists,
    configuration: PathBuf,
}

/// Whether there is a package client.
pub(super) fn require() -> io::Result<()> {
    Command::new("apt-get").arg("--version").stdin(Stdio::null()).output().map(drop)
}

impl<'a> Apt<'a> {
    /// Makes the directories, and brings lists of ours up to date.
    pub(super) fn new(work: &'a Path, lists: Lists) -> Result<Self, Error> {
        for name in ["lists/partial", "cache/archives/partial", "packages"] {
            fs::create_dir_all(work.join(name)).attempt("create", &work.join(name))?;
        }
        let apt = Self { work, lists, configuration: work.join("apt.conf") };
        match lists {
            Lists::Machine => apt.configure(&[common(work)])?,
            Lists::Private => {
                apt.configure(&[common(work), own_lists(work)])?;
                apt.run("apt-get", &["-qq", "update"])?;
            }
            Lists::Unstable => {
                apt.configure(&[common(work), own_lists(work)])?;
                let uris = apt.run("apt-get", &["update", "--print-uris"])?;
                apt.configure(&[common(work), own_lists(work), own_system(work)])?;
                apt.turn_to_unstable(&mirrors(&uris, &release("VERSION_CODENAME")))?;
            }
        }
        Ok(apt)
    }

    /// Downloads the package whose name begins so, with those that it needs and that are not there.
    pub(super) fn packages(&self, prefix: &str) -> Result<Vec<PathBuf>, Error> {
        let found = self.run("apt-cache", &["search", "--names-only", &format!("^{prefix}")])?;
        let missing = || Error::command("apt-cache search", format!("no package {prefix} in the package lists"));
        let server = newest(&found, prefix).ok_or_else(missing)?;
        let plan = self.run("apt-get", &["--simulate", "--no-install-recommends", "install", server])?;
        let needed = new_packages(&plan).filter(|name| self.is_needed(name));
        let arguments: Vec<_> =
            ["-qq", "download", server].into_iter().chain(needed.filter(|name| *name != server)).collect();
        self.run("apt-get", &arguments)?;
        self.downloaded()
    }

    fn is_needed(&self, package: &str) -> bool {
        match self.lists {
            Lists::Machine | Lists::Private => package.starts_with("lib"),
            // The scripts beside the server are not run, so their interpreter stays away.
            Lists::Unstable => !package.contains("perl"),
        }
    }

    /// Makes Debian unstable our only source: the first of the mirrors that has it. Others than Debian name their suites
    /// after Debian's releases too.
    fn turn_to_unstable(&self, mirrors: &[&str]) -> Result<(), Error> {
        let mut result =
            Err(Error::command("apt-get update --print-uris", "this machine's sources name no mirror of Debian"));
        for mirror in mirrors {
            result = self.use_source(mirror).and_then(|()| self.run("apt-get", &["-qq", "update"])).map(drop);
            if result.is_ok() {
                break;
            }
        }
        result
    }

    fn use_source(&self, mirror: &str) -> Result<(), Error> {
        let keys = DEBIANS_KEYS.iter().find(|path| Path::new(path).is_file());
        let keys = keys.map(|path| format!("[signed-by={path}] ")).unwrap_or_default();
        let write = |name: &str, text: &str| {
            let path = self.work.join(name);
            fs::write(&path, text).attempt("write", &path)
        };
        write("sources.list", &format!("deb {keys}{mirror} unstable main\n"))?;
        write("status", "")
    }

    fn downloaded(&self) -> Result<Vec<PathBuf>, Error> {
        let directory = self.work.join("packages");
        let entries = fs::read_dir(&directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        Ok(entries.attempt("read", &directory)?.into_iter().map(|entry| entry.path()).collect())
    }

    fn configure(&self, parts: &[String]) -> Result<(), Error> {
        fs::write(&self.configuration, parts.concat()).attempt("write", &self.configuration)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<String, Error> {
        let mut command = Command::new(program);
        command.arg("--config-file").arg(&self.configuration).args(arguments);
        output(command.current_dir(self.work.join("packages")).env("LC_ALL", "C"))
    }
}

fn common(work: &Path) -> String {
    // Root must not hand the download to the user `_apt`, who cannot write into our cache. The hooks of `update`
    // belong to the machine's own lists; they may need root.
    format!(
        "Dir::Cache \"{}/cache\";\n\
         APT::Sandbox::User \"root\";\n\
         Acquire::Languages \"none\";\n\
         Acquire::Retries \"2\";\n\
         Acquire::http::Timeout \"30\";\n\
         Acquire::https::Timeout \"30\";\n\
         #clear APT::Update::Pre-Invoke;\n\
         #clear APT::Update::Post-Invoke;\n\
         #clear APT::Update::Post-Invoke-Success;\n",
        work.display()
    )
}

fn own_lists(work: &Path) -> String {
    format!("Dir::State::lists \"{}/lists\";\n", work.display())
}

/// Nothing is installed, nothing is pinned, and there is one source.
fn own_system(work: &Path) -> String {
    let work = work.display();
    format!(
        "Dir::State::status \"{work}/status\";\n\
         Dir::Etc::sourcelist \"{work}/sources.list\";\n\
         Dir::Etc::sourceparts \"/dev/null\";\n\
         Dir::Etc::preferences \"/dev/null\";\n\
         Dir::Etc::preferencesparts \"/dev/null\";\n\
         #clear APT::Default-Release;\n"
    )
}

/// The package to take out of lines like `mariadb-server-core-10.6 - MariaDB database core server files`.
fn newest<'a>(found: &'a str, prefix: &str) -> Option<&'a str> {
    let mut names: Vec<_> = found.lines().filter_map(|line| line.split_whitespace().next()).collect();
    names.sort_unstable();
    // Without a number is the current one; the numbered names have as many digits as each other.
    names.iter().find(|name| **name == prefix).or(names.last()).copied()
}

/// The new packages in a simulated installation: `Inst libaio1 (0.3.113-4 …)`. A name followed by `[` is an upgrade of
/// what is there already; such a library must not come twice.
fn new_packages(plan: &str) -> impl Iterator<Item = &str> {
    plan.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
        rest.starts_with('(').then_some(name)
    })
}

/// The mirrors in lines like `'http://host/debian/dists/bookworm/InRelease' host_debian_dists_bookworm_InRelease 0`:
/// where this release itself comes from, under its code name or a name that moves. Its updates may come from elsewhere.
fn mirrors<'a>(uris: &'a str, codename: &str) -> Vec<&'a str> {
    let suites = [codename, "stable", "testing", "unstable", "sid"];
    let mirrors = uris.lines().filter_map(|line| {
        let (mirror, rest) = line.strip_prefix('\'')?.split_once("dists/")?;
        let (suite, file) = rest.split_once('/')?;
        (suites.contains(&suite) && file.starts_with("InRelease'")).then_some(mirror)
    });
    mirrors.collect()
}

/// What a command writes, or the error that says what went wrong.
pub(super) fn output(command: &mut Command) -> Result<String, Error> {
    let text = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output().map_err(|error| Error::command(&text, error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Error::command(text, format!("{}, {}", output.status, String::from_utf8_lossy(&output.stderr))))
}

#[cfg(test)]
mod tests {
    use super::{mirrors, new_packages, newest};

    #[test]
    fn the_package_without_a_number_wins_else_the_newest() {
        let name = "mariadb-server-core";
        let both = "mariadb-server-core-10.6 - old\nmariadb-server-core - current\n";
        assert_eq!(newest(both, name), Some("mariadb-server-core"));
        let numbered = "mariadb-server-core-10.6 - newer\nmariadb-server-core-10.3 - old\n";
        assert_eq!(newest(numbered, name), Some("mariadb-server-core-10.6"));
        assert_eq!(newest("", name), None);
    }

    #[test]
    fn only_packages_that_are_not_there_are_fetched() {
        let plan = "Reading state information...\n\
                    Inst mysql-common (5.8 Debian:12 [all])\n\
                    Inst libaio1 (0.3.113-4 Debian:12 [amd64])\n\
                    Inst libssl3 [3.0.1] (3.0.2 Debian:12 [amd64])\n\
                    Conf libaio1 (0.3.113-4 Debian:12 [amd64])\n";
        assert_eq!(new_packages(plan).collect::<Vec<_>>(), ["mysql-common", "libaio1"]);
    }

    #[test]
    fn mirrors_are_those_of_the_release_itself() {
        let uris = "'https://security.test/debian/dists/bookworm-security/InRelease' security.test_debian 0 \n\
                    'https://tool.test/apt/dists/stable-tools/InRelease' tool.test_apt 0 \n\
                    'https://tool.test/debian/dists/bookworm/InRelease' tool.test_debian 0 \n\
                    'https://mirror.test/pub/debian/dists/bookworm/InRelease' mirror.test_pub_debian 0 \n";
        assert_eq!(mirrors(uris, "bookworm"), ["https://tool.test/debian/", "https://mirror.test/pub/debian/"]);
        assert!(mirrors(uris, "trixie").is_empty());
    }
}
