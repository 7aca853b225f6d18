//! Runs the compiler on one program, against the library as cargo builds it, and returns what it says.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The library that programs are compiled against.
pub(crate) struct Library {
    rlib: PathBuf,
    directories: BTreeSet<PathBuf>,
}

/// What the compiler says about a program: nothing if it accepts it without a word.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) errors: Vec<Reported>,
    /// The whole text, warnings included, as a user reads it.
    pub(crate) rendered: String,
}

/// An error of the compiler's.
#[derive(Debug)]
pub(crate) struct Reported {
    pub(crate) message: String,
    /// `E0277`; errors of a macro's have none.
    pub(crate) code: Option<String>,
    /// The lines of the program that it points at first of all.
    pub(crate) lines: Vec<usize>,
}

impl Library {
    /// Lets cargo build the library, which as a rule it has just done, and say where it lies.
    pub(crate) fn build() -> Self {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let package = ["--package", "unit-of-work", "--features", "testing"];
        let output = run(Command::new(cargo)
            .arg("build")
            .args(package)
            .arg("--message-format=json-render-diagnostics")
            .current_dir(env!("CARGO_MANIFEST_DIR")));
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

    /// Compiles a program, whose path begins at this crate's manifest. It knows the library as `unit_of_work` and, as if its
    /// manifest said so, as `renamed`.
    pub(crate) fn compile(&self, program: &Path, edition: &str, lints: &[&str]) -> Answer {
        // The compiler leaves more than its output there: names of types that are too long to be shown.
        let output = tempfile::tempdir().expect("there is room for temporary files");
        let mut command = rustc();
        command.args(["--crate-type=bin", "--emit=metadata", "--error-format=json", "--edition", edition]).args(lints);
        command.arg("--out-dir").arg(output.path()).arg(program).current_dir(env!("CARGO_MANIFEST_DIR"));
        for name in ["unit_of_work=", "renamed="] {
            command.arg("--extern").arg(joined(name, &self.rlib));
        }
        for directory in &self.directories {
            command.arg("-L").arg(joined("dependency=", directory));
        }
        let stderr = text(&run(&mut command).stderr);
        let mut answer = Answer::default();
        stderr.lines().for_each(|line| answer.add(line, program));
        answer
    }
}

impl Answer {
    /// Adds what one line of the compiler's report tells of.
    fn add(&mut self, line: &str, program: &Path) {
        let diagnostic: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("the compiler says: {line}"));
        let message = diagnostic["message"].as_str().unwrap_or_default();
        let level = diagnostic["level"].as_str().unwrap_or_default();
        // Sums of what was reported before.
        if level == "failure-note" || message.starts_with("aborting due to ") || message.ends_with(" emitted") {
            return;
        }
        self.rendered.push_str(diagnostic["rendered"].as_str().unwrap_or_default());
        if level.starts_with("error") {
            let code = diagnostic["code"]["code"].as_str().map(ToOwned::to_owned);
            self.errors.push(Reported { message: message.to_owned(), code, lines: lines(&diagnostic, program) });
        }
    }
}

fn lines(diagnostic: &Value, program: &Path) -> Vec<usize> {
    let spans = diagnostic["spans"].as_array().into_iter().flatten();
    let primary =
        spans.filter(|span| span["is_primary"] == true && span["file_name"].as_str().map(Path::new) == Some(program));
    primary.filter_map(|span| usize::try_from(span["line_start"].as_u64()?).ok()).collect()
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

fn joined(prefix: &str, path: &Path) -> OsString {
    let mut joined = OsString::from(prefix);
    joined.push(path);
    joined
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
