//! Which statement has which tests: read from the sources of all packages, printed as a table. Fails for a number that has
//! neither a test nor a line in `tests/pending`, and for one that has both, so that the list can only shrink.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Numbers of statements: 1 to this.
const LAST: u32 = 110;

/// Below the workspace's root; every package that may check a statement.
const SOURCES: [&str; 4] = ["runtime", "macros", "tests", "examples"];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A test function that bears a number.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Test {
    file: String,
    name: String,
}

type Table = BTreeMap<u32, BTreeSet<Test>>;

#[test]
fn every_statement_has_a_test_or_is_pending_and_none_is_both() {
    let tests = tests();
    let pending =
        pending(&fs::read_to_string(root().join("tests/pending")).expect("the list of what is pending is there"));
    // Past the capture of test output: the table is to be seen in every run.
    std::io::stdout().write_all(table(&tests, &pending).as_bytes()).expect("standard output takes text");
    let wrong = wrong(&tests, &pending);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn wrong(tests: &Table, pending: &BTreeMap<u32, String>) -> Vec<String> {
    let mut wrong = Vec::new();
    for number in 1..=LAST {
        match (tests.contains_key(&number), pending.contains_key(&number)) {
            (false, false) => wrong.push(format!("statement {number} has no test and is not in tests/pending")),
            (true, true) => wrong.push(format!("statement {number} has tests: take it out of tests/pending")),
            (true, false) | (false, true) => {}
        }
    }
    let beyond = tests.keys().chain(pending.keys()).filter(|number| !(1..=LAST).contains(*number));
    wrong.extend(beyond.map(|number| format!("there is no statement {number}")));
    wrong
}

fn table(tests: &Table, pending: &BTreeMap<u32, String>) -> String {
    let mut text = String::from("\nstatement  tests\n");
    for number in 1..=LAST {
        let mut label = number.to_string();
        for Test { file, name } in tests.get(&number).into_iter().flatten() {
            writeln!(text, "{label:>9}  {file}: {name}").expect("a string takes text");
            label.clear();
        }
        if let Some(reason) = pending.get(&number) {
            writeln!(text, "{label:>9}  pending: {reason}").expect("a string takes text");
        }
    }
    text
}

fn tests() -> Table {
    let mut table = Table::new();
    for path in SOURCES.iter().flat_map(|package| rust_files(&root().join(package))) {
        let source = fs::read_to_string(&path).expect("a source is text");
        let file = path.strip_prefix(root()).expect("it lies below the root").display().to_string();
        for (number, name) in numbered(&source, &file) {
            table.entry(number).or_default().insert(Test { file: file.clone(), name });
        }
    }
    table
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut files = Vec::new();
    for path in entries.map(|entry| entry.expect("the directory can be read").path()) {
        if path.is_dir() && !path.ends_with("target") {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The functions in a source whose names begin with `s`, a number and `_`.
///
/// # Panics
/// For one that the test runner would not run: it would count for its statement without ever looking at it.
fn numbered(source: &str, file: &str) -> Vec<(u32, String)> {
    let mut attributes = Vec::new();
    let mut found = Vec::new();
    for line in source.lines().map(str::trim) {
        if let Some((number, name)) = number_and_name(line) {
            let runs = attributes.contains(&"#[test]") && !attributes.iter().any(|other| other.starts_with("#[ignore"));
            assert!(runs, "{file}: `{name}` bears a number and is not run as a test");
            found.push((number, name));
        }
        match line.starts_with("#[") {
            true => attributes.push(line),
            false if line.starts_with("//") => {}
            false => attributes.clear(),
        }
    }
    found
}

fn number_and_name(line: &str) -> Option<(u32, String)> {
    let name = line.strip_prefix("fn ")?.split_once('(')?.0;
    let (number, _) = name.strip_prefix('s')?.split_once('_')?;
    Some((number.parse().ok()?, name.to_owned()))
}

/// One statement a line: its number, then why it has no test yet.
fn pending(text: &str) -> BTreeMap<u32, String> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut pending = BTreeMap::new();
    for line in lines {
        let (number, reason) = line.split_once(' ').expect("a line is a number, a space and a reason");
        let number = number.parse().expect("a line begins with a number");
        assert!(pending.insert(number, reason.trim().to_owned()).is_none(), "{number} is listed twice");
    }
    pending
}

#[test]
fn only_functions_that_run_as_tests_count() {
    let found = numbered("#[test]\n/// Why.\nfn s07_ok() {}\n#[test]\nfn other() {}\nfn sum_of(x: u32) {}", "here");
    assert_eq!(found, [(7, "s07_ok".to_owned())]);
    for source in
        ["fn s07_bare() {}", "#[test]\n#[ignore = \"slow\"]\nfn s07_ignored() {}", "#[test]\nfn a() {}\nfn s07_b() {}"]
    {
        assert!(std::panic::catch_unwind(|| numbered(source, "here")).is_err(), "{source}");
    }
}

#[test]
fn a_number_with_neither_and_one_with_both_are_told() {
    let all: BTreeMap<_, _> = (1..=LAST).map(|number| (number, "later".to_owned())).collect();
    assert_eq!(wrong(&Table::new(), &all).len(), 0);
    let test = || BTreeSet::from([Test { file: "here".into(), name: "s07_ok".into() }]);
    assert_eq!(wrong(&Table::from([(7, test())]), &all).len(), 1);
    let mut but_one = all;
    but_one.remove(&9);
    assert_eq!(wrong(&Table::new(), &but_one).len(), 1);
    assert_eq!(wrong(&Table::from([(9, test())]), &but_one).len(), 0);
    assert_eq!(wrong(&Table::from([(9, test()), (200, test())]), &but_one).len(), 1);
}
