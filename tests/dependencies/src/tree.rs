//! Asks cargo what is built. Decides the arguments and how the answer is read.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// A crate that is not ours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) version: String,
    /// As its manifest says it; empty if it does not.
    pub(crate) licence: String,
}

/// Which builds are looked at, each for this machine.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope {
    /// Whatever `cargo test --workspace` builds.
    Workspace,
    /// The same with all features, which no build has together.
    AllFeatures,
    /// The same without the benchmark, whose `peers` bring what they like.
    AllFeaturesButPeers,
    /// What a program gets that uses the library with its default features.
    Library,
}

impl Scope {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Workspace => &["--workspace", "--edges", "normal,build,dev"],
            Self::AllFeatures => &["--workspace", "--edges", "normal,build,dev", "--all-features"],
            Self::AllFeaturesButPeers => {
                &["--workspace", "--exclude", "bench", "--edges", "normal,build,dev", "--all-features"]
            }
            Self::Library => &["--package", "unit-of-work", "--edges", "normal,build"],
        }
    }
}

/// The crates of a build, each once.
pub(crate) fn crates(scope: Scope) -> Vec<Crate> {
    let said = cargo(&[&["tree", "--locked", "--prefix", "none", "--format", "{p}|{l}"], scope.arguments()].concat());
    let known: BTreeSet<_> = said.lines().filter_map(read).collect();
    known.into_iter().collect()
}

/// `name v1.2.3 (proc-macro)|MIT (*)`; ours have a path instead.
fn read(line: &str) -> Option<Crate> {
    let (package, licence) = line.trim_end_matches(" (*)").split_once('|')?;
    let (name, rest) = package.split_once(" v")?;
    let (version, note) = rest.split_once(' ').unwrap_or((rest, ""));
    let is_ours = note.contains('/');
    (!is_ours).then(|| Crate { name: name.into(), version: version.into(), licence: licence.trim().into() })
}

/// `Cargo.lock`, which has the source of every crate of every build on every machine.
pub(crate) fn lock() -> String {
    let path = root().join("Cargo.lock");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).args(arguments).current_dir(root()).output().expect("cargo can be run");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {}: {words}", arguments.join(" "));
    String::from_utf8(output.stdout).expect("cargo speaks UTF-8")
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_crate_unless_it_is_ours() {
        let known = |name: &str, version: &str, licence: &str| {
            Some(Crate { name: name.into(), version: version.into(), licence: licence.into() })
        };
        assert_eq!(read("url v2.5.8|MIT OR Apache-2.0 (*)"), known("url", "2.5.8", "MIT OR Apache-2.0"));
        assert_eq!(read("io-enum v1.3.0 (proc-macro)|MIT"), known("io-enum", "1.3.0", "MIT"));
        assert_eq!(read("webpki v0.22.4|"), known("webpki", "0.22.4", ""));
        assert_eq!(read("proxy v0.1.0 (/src/tests/proxy)|MIT"), None);
        assert_eq!(read(""), None);
    }
}
