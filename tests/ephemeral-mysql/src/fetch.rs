//! Fetches the distribution's own server package without root, with the ordinary package client, and unpacks it.
//!
//! Works where `apt-get` and `dpkg` are (Debian, Ubuntu and what is made from them). Nothing is installed: the package
//! client checks signatures as always, and the files land in the cache, where they appear complete or not at all.

use std::env::consts::ARCH;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cache::{self, Cache};
use crate::error::{Attempt, Error};
use crate::find::Installation;
use crate::mariadb;

/// Which lists of packages the package client reads.
#[derive(Debug, Clone, Copy)]
enum Lists {
    /// The machine's own; on a fresh machine they are empty, on an old one out of date.
    Machine,
    /// Ours, just brought up to date.
    Private,
}

/// The fetched server out of the cache; fetched first when it is not there or no longer runs.
pub(crate) fn server(cache: &Cache) -> Result<Installation, Error> {
    let root = cache.path().join(format!("mariadb-{}", system()));
    if let Ok(installation) = unpacked(&root) {
        return Ok(installation);
    }
    let _lock = cache.lock()?;
    // Another process may have fetched it while we waited.
    unpacked(&root).or_else(|_| fetch(cache, &root))
}

fn fetch(cache: &Cache, root: &Path) -> Result<Installation, Error> {
    require_package_client()?;
    eprintln!("ephemeral-mysql: no MariaDB server is installed; fetching one into {} (once)", cache.path().display());
    let work = cache.fresh("fetch.tmp")?;
    let fetched = packages(&work).and_then(|packages| unpack(&packages, &work.join("root")));
    fetched.map_err(|error| Error::NoServer { reason: error.to_string() })?;
    cache::remove(root)?;
    fs::rename(work.join("root"), root).attempt("move the fetched server to", root)?;
    cache::remove(&work)?;
    unpacked(root).map_err(|reason| Error::NoServer { reason: format!("the fetched server cannot be used: {reason}") })
}

fn require_package_client() -> Result<(), Error> {
    let no_client = |error| Error::NoServer { reason: format!("this system has no usable `apt-get` ({error})") };
    Command::new("apt-get").arg("--version").stdin(Stdio::null()).output().map(drop).map_err(no_client)
}

/// Downloads the server's package and those of its libraries that this system lacks.
fn packages(work: &Path) -> Result<Vec<PathBuf>, Error> {
    let from_machine = Apt::new(work, Lists::Machine).and_then(|apt| apt.packages());
    from_machine.or_else(|_| {
        let apt = Apt::new(work, Lists::Private)?;
        apt.run("apt-get", &["-qq", "update"])?;
        apt.packages()
    })
}

fn unpack(packages: &[PathBuf], root: &Path) -> Result<(), Error> {
    fs::create_dir(root).attempt("create", root)?;
    packages.iter().try_for_each(|package| output(Command::new("dpkg").arg("-x").arg(package).arg(root)).map(drop))
}

fn unpacked(root: &Path) -> Result<Installation, String> {
    let binary = mariadb::BINARIES.iter().map(|name| root.join("usr/sbin").join(name)).find(|path| path.is_file());
    let binary = binary.ok_or_else(|| format!("no server in {}", root.display()))?;
    Installation::inspect(&binary, libraries(root))
}

/// The directories of the unpacked packages that hold libraries: `usr/lib/x86_64-linux-gnu` and its like.
fn libraries(root: &Path) -> Vec<PathBuf> {
    let entries = ["usr/lib", "lib"].iter().filter_map(|name| fs::read_dir(root.join(name)).ok()).flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.to_string_lossy().contains("-linux-gnu")).collect()
}

/// A home directory may be shared between systems that cannot run each other's programs.
fn system() -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let value = |key: &str| {
        let line = release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or("unknown").trim_matches('"').to_owned()
    };
    format!("{}-{}-{ARCH}", value("ID"), value("VERSION_ID")).replace(['/', ':'], "_")
}

/// The package client with its own directories, so that an ordinary user may run it.
struct Apt<'a> {
    work: &'a Path,
    configuration: PathBuf,
}

impl<'a> Apt<'a> {
    fn new(work: &'a Path, lists: Lists) -> Result<Self, Error> {
        for name in ["lists/partial", "cache/archives/partial", "packages"] {
            fs::create_dir_all(work.join(name)).attempt("create", &work.join(name))?;
        }
        let configuration = work.join("apt.conf");
        fs::write(&configuration, configuration_text(work, lists)).attempt("write", &configuration)?;
        Ok(Self { work, configuration })
    }

    fn packages(&self) -> Result<Vec<PathBuf>, Error> {
        let found = self.run("apt-cache", &["search", "--names-only", &format!("^{}", mariadb::PACKAGE)])?;
        let server = newest(&found).ok_or_else(|| {
            Error::command("apt-cache search", format!("no package {} in the package lists", mariadb::PACKAGE))
        })?;
        let plan = self.run("apt-get", &["--simulate", "--no-install-recommends", "install", server])?;
        let mut arguments = vec!["-qq", "download", server];
        arguments.extend(missing_libraries(&plan));
        self.run("apt-get", &arguments)?;
        self.downloaded()
    }

    fn downloaded(&self) -> Result<Vec<PathBuf>, Error> {
        let directory = self.work.join("packages");
        let entries = fs::read_dir(&directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        Ok(entries.attempt("read", &directory)?.into_iter().map(|entry| entry.path()).collect())
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<String, Error> {
        let mut command = Command::new(program);
        command.arg("--config-file").arg(&self.configuration).args(arguments);
        output(command.current_dir(self.work.join("packages")).env("LC_ALL", "C"))
    }
}

fn configuration_text(work: &Path, lists: Lists) -> String {
    let work = work.display();
    let lists = match lists {
        Lists::Machine => String::new(),
        Lists::Private => format!("Dir::State::lists \"{work}/lists\";\n"),
    };
    // Root must not hand the download to the user `_apt`, who cannot write into our cache. The hooks of `update`
    // belong to the machine's own lists; they may need root.
    format!(
        "{lists}Dir::Cache \"{work}/cache\";\n\
         APT::Sandbox::User \"root\";\n\
         Acquire::Languages \"none\";\n\
         Acquire::Retries \"2\";\n\
         Acquire::http::Timeout \"30\";\n\
         Acquire::https::Timeout \"30\";\n\
         #clear APT::Update::Pre-Invoke;\n\
         #clear APT::Update::Post-Invoke;\n\
         #clear APT::Update::Post-Invoke-Success;\n"
    )
}

/// The package to take out of lines like `mariadb-server-core-10.6 - MariaDB database core server files`.
fn newest(found: &str) -> Option<&str> {
    let mut names: Vec<_> = found.lines().filter_map(|line| line.split_whitespace().next()).collect();
    names.sort_unstable();
    // Without a number is the current one; the numbered names have as many digits as each other.
    names.iter().find(|name| **name == mariadb::PACKAGE).or(names.last()).copied()
}

/// The libraries in a simulated installation: `Inst libaio1 (0.3.113-4 …)`. A name followed by `[` is an upgrade of
/// what is there already; such a library must not come twice.
fn missing_libraries(plan: &str) -> impl Iterator<Item = &str> {
    plan.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
        (name.starts_with("lib") && rest.starts_with('(')).then_some(name)
    })
}

fn output(command: &mut Command) -> Result<String, Error> {
    let text = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output().map_err(|error| Error::command(&text, error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(Error::command(text, format!("{}, {}", output.status, String::from_utf8_lossy(&output.stderr))))
}

#[cfg(test)]
mod tests {
    use super::{missing_libraries, newest};

    #[test]
    fn the_package_without_a_number_wins_else_the_newest() {
        let both = "mariadb-server-core-10.6 - old\nmariadb-server-core - current\n";
        assert_eq!(newest(both), Some("mariadb-server-core"));
        let numbered = "mariadb-server-core-10.6 - newer\nmariadb-server-core-10.3 - old\n";
        assert_eq!(newest(numbered), Some("mariadb-server-core-10.6"));
        assert_eq!(newest(""), None);
    }

    #[test]
    fn only_libraries_that_are_not_there_are_fetched() {
        let plan = "Reading state information...\n\
                    Inst mysql-common (5.8 Debian:12 [all])\n\
                    Inst libaio1 (0.3.113-4 Debian:12 [amd64])\n\
                    Inst libssl3 [3.0.1] (3.0.2 Debian:12 [amd64])\n\
                    Conf libaio1 (0.3.113-4 Debian:12 [amd64])\n";
        assert_eq!(missing_libraries(plan).collect::<Vec<_>>(), ["libaio1"]);
    }
}
