//! Fetches the distribution's own server package without root, with the ordinary package client, and unpacks it.
//!
//! Works where `apt-get` and `dpkg` are (Debian, Ubuntu and what is made from them). Nothing is installed: the package
//! client checks signatures as always (`apt`), and the files land in the cache, where they appear complete or not at all.

mod apt;

use std::env::consts::ARCH;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache::{self, Cache};
use crate::error::{Attempt, Error};
use crate::find::{Installation, Libraries};
use crate::flavour::{Flavour, OnDebian};
use apt::{Apt, Lists};

/// The fetched server out of the cache; fetched first when it is not there or no longer runs.
pub(crate) fn server(flavour: Flavour, cache: &Cache) -> Result<Installation, Error> {
    let root = cache.path().join(format!("{}-{}", flavour.to_string().to_lowercase(), system()));
    if let Ok(installation) = unpacked(flavour, &root) {
        return Ok(installation);
    }
    let _lock = cache.lock()?;
    // Another process may have fetched it while we waited.
    unpacked(flavour, &root).or_else(|_| fetch(flavour, cache, &root))
}

/// What a package of the distribution unpacks to, out of the cache; fetched first when it is not there.
pub(crate) fn package(name: &str, cache: &Cache) -> Result<PathBuf, Error> {
    let root = cache.path().join(format!("{name}-{}", system()));
    if root.is_dir() {
        return Ok(root);
    }
    let _lock = cache.lock()?;
    if root.is_dir() {
        return Ok(root);
    }
    apt::require().map_err(|error| Error::command("apt-get --version", error))?;
    eprintln!("ephemeral-mysql: fetching {name} into {} (once)", cache.path().display());
    let work = cache.fresh("fetch.tmp")?;
    let fetch = |lists| Apt::new(&work, lists).and_then(|apt| apt.packages(name));
    let packages = fetch(Lists::Machine).or_else(|_| fetch(Lists::Private))?;
    unpack(&packages, &work.join("root"))?;
    fs::rename(work.join("root"), &root).attempt("move the fetched package to", &root)?;
    cache::remove(&work)?;
    Ok(root)
}

fn fetch(flavour: Flavour, cache: &Cache, root: &Path) -> Result<Installation, Error> {
    let no_server = |reason: String| Error::NoServer { flavour, reason };
    apt::require().map_err(|error| no_server(format!("this system has no usable `apt-get` ({error})")))?;
    eprintln!("ephemeral-mysql: no {flavour} server is installed; fetching one into {} (once)", cache.path().display());
    let work = cache.fresh("fetch.tmp")?;
    let fetched = packages(flavour, &work).and_then(|packages| unpack(&packages, &work.join("root")));
    fetched.map_err(|error| no_server(error.to_string()))?;
    cache::remove(root)?;
    fs::rename(work.join("root"), root).attempt("move the fetched server to", root)?;
    cache::remove(&work)?;
    unpacked(flavour, root).map_err(|reason| no_server(format!("the fetched server cannot be used: {reason}")))
}

/// Downloads the server's package and those of its libraries that this system lacks.
fn packages(flavour: Flavour, work: &Path) -> Result<Vec<PathBuf>, Error> {
    let habits = flavour.habits();
    let fetch = |lists| Apt::new(work, lists).and_then(|apt| apt.packages(habits.package));
    match habits.on_debian {
        OnDebian::InUnstable if release("ID") == "debian" => fetch(Lists::Unstable),
        OnDebian::InUnstable | OnDebian::InEveryRelease => fetch(Lists::Machine).or_else(|_| fetch(Lists::Private)),
    }
}

fn unpack(packages: &[PathBuf], root: &Path) -> Result<(), Error> {
    fs::create_dir(root).attempt("create", root)?;
    packages.iter().try_for_each(|package| apt::output(Command::new("dpkg").arg("-x").arg(package).arg(root)).map(drop))
}

fn unpacked(flavour: Flavour, root: &Path) -> Result<Installation, String> {
    let names = flavour.habits().binaries.iter();
    let binary = names.map(|name| root.join("usr/sbin").join(name)).find(|path| path.is_file());
    let binary = binary.ok_or_else(|| format!("no server in {}", root.display()))?;
    Installation::inspect(flavour, &binary, libraries(root))
}

/// What the unpacked packages bring along. Where a C library is among them, its loader is too, and must be used: the
/// system's fits only the system's.
fn libraries(root: &Path) -> Libraries {
    let directories = library_directories(root);
    let files = directories.iter().filter_map(|directory| fs::read_dir(directory).ok()).flatten().flatten();
    let loader = files.map(|entry| entry.path()).find(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ld-linux")) && path.is_file()
    });
    match loader {
        Some(loader) => Libraries::Own { loader, directories },
        None => Libraries::BesidesTheSystem(directories),
    }
}

/// The directories of the unpacked packages that hold libraries: `usr/lib/x86_64-linux-gnu` and its like.
fn library_directories(root: &Path) -> Vec<PathBuf> {
    let entries = ["usr/lib", "lib"].iter().filter_map(|name| fs::read_dir(root.join(name)).ok()).flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.to_string_lossy().contains("-linux-gnu")).collect()
}

/// A home directory may be shared between systems that cannot run each other's programs.
fn system() -> String {
    format!("{}-{}-{ARCH}", release("ID"), release("VERSION_ID")).replace(['/', ':'], "_")
}

/// What the system says about its release.
fn release(key: &str) -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let line = release.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    line.unwrap_or("unknown").trim_matches('"').to_owned()
}
