//! Runs the compiler on one case, against the library as cargo builds it, and returns the errors that it reports.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The library that cases are compiled against.
pub(crate) struct Library {
    rlib: PathBuf,
    directories: BTreeSet<PathBuf>,
}

/// An error of the compiler's.
#[derive(Debug)]
pub(crate) struct Reported {
    pub(crate) message: String,
    /// The lines that it points at first of all.
    pub(crate) lines: Vec<usize>,
}

impl Library {
    /// Lets cargo build the library, which as a rule it has just done, and say where it lies.
    pub(crate) fn build() -> Self {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let arguments = ["build", "--package", "unit-of-work", "--message-format=json-render-diagnostics"];
        let output = run(Command::new(cargo).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")));
        assert!(output.status.success(), "the library does not build:\n{}", text(&output.stderr));
        let artifacts: Vec<(String, PathBuf)> = text(&output.stdout).lines().flat_map(artifacts).collect();
        let directories = artifacts.iter().filter_map(|(_, file)| file.parent()).flat_map(with_deps).collect();
        let is_library = |(name, file): &(String, PathBuf)| {
            name == "unit_of_work" && file.extension().is_some_and(|extension| extension == "rlib")
        };
        let (_, rlib) =
            artifacts.into_iter().find(is_library).expect("cargo names the library that it was told to build");
        Self { rlib, directories }
    }

    /// The errors in a program; none means that it compiles.
    pub(crate) fn errors_in(&self, case: &Path) -> Vec<Reported> {
        let mut extern_crate = OsString::from("unit_of_work=");
        extern_crate.push(&self.rlib);
        let mut command = rustc();
        command.args(["--edition=2024", "--crate-type=bin", "--emit=metadata", "--error-format=json", "-o"]);
        command.arg(env::temp_dir().join(format!("unit-of-work-compile-fail-{}", std::process::id())));
        command.arg("--extern").arg(extern_crate).arg(case);
        for directory in &self.directories {
            let mut search = OsString::from("dependency=");
            search.push(directory);
            command.arg("-L").arg(search);
        }
        text(&run(&mut command).stderr).lines().filter_map(reported).collect()
    }
}

/// `1.95.0`, `1.97.0-nightly`.
pub(crate) fn version() -> String {
    let answer = text(&run(rustc().arg("--version")).stdout);
    answer.split(' ').nth(1).expect("`rustc --version` answers `rustc 1.…`").to_owned()
}

fn rustc() -> Command {
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc")))
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The files that one line of cargo's report says were built.
fn artifacts(line: &str) -> Vec<(String, PathBuf)> {
    let message: Value = serde_json::from_str(line).expect("cargo reports in JSON");
    let name = message["target"]["name"].as_str().unwrap_or_default();
    let files = message["filenames"].as_array().into_iter().flatten().filter_map(Value::as_str);
    files.map(|file| (name.to_owned(), PathBuf::from(file))).collect()
}

/// Cargo reports the copy that it puts beside `deps`; what that copy was linked from is in `deps`.
fn with_deps(directory: &Path) -> [PathBuf; 2] {
    [directory.to_owned(), directory.join("deps")]
}

/// The error that one line of the compiler's report tells of.
fn reported(line: &str) -> Option<Reported> {
    let diagnostic: Value = serde_json::from_str(line).ok()?;
    let spans = diagnostic["spans"].as_array()?;
    let primary = spans.iter().filter(|span| span["is_primary"] == true);
    let lines = primary.filter_map(|span| usize::try_from(span["line_start"].as_u64()?).ok()).collect();
    let message = diagnostic["message"].as_str()?.to_owned();
    (diagnostic["level"] == "error").then_some(Reported { message, lines })
}
