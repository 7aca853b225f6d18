//! Each program in `mistakes/` is refused, with the messages that it announces; on one toolchain, with exactly its `.stderr`.

use std::ffi::OsStr;
use std::fs;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};

use crate::annotations::{self, Expected};
use crate::compiler::{Library, Reported, version};

/// The compiler whose complete output the `.stderr` files hold. Other releases word, indent and number their own notes
/// otherwise; our messages and their places are compared with every one.
const RECORDED: &str = "1.95.0";

#[test]
fn every_mistake_is_told_where_it_was_made() {
    let library = Library::build();
    let wrong: Vec<String> = cases("rs").iter().filter_map(|case| shortcoming(&library, case)).collect();
    assert!(wrong.is_empty(), "rustc {}:\n{}", version(), wrong.join("\n"));
}

#[test]
fn every_message_reads_as_it_was_recorded() {
    let version = version();
    if version == RECORDED {
        trybuild::TestCases::new().compile_fail("mistakes/*.rs");
    } else {
        let note = format!(
            "note: the whole output of the {} mistakes was recorded with rustc {RECORDED}; with {version} their messages and \
             lines are compared, by `every_mistake_is_told_where_it_was_made`",
            cases("rs").len()
        );
        // Past the test harness, which would swallow the output of a test that passes.
        writeln!(stderr(), "{note}").expect("the standard error stream is open");
    }
}

#[test]
fn every_mistake_has_a_record_and_every_record_a_mistake() {
    let stems = |extension| cases(extension).iter().map(|case| case.with_extension("")).collect::<Vec<_>>();
    assert_eq!(stems("rs"), stems("stderr"));
}

/// The files of `mistakes/` with that extension, in order.
fn cases(extension: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("mistakes");
    let entries = fs::read_dir(directory).expect("the directory of cases stands beside this crate's manifest");
    let files = entries.map(|entry| entry.expect("the directory of cases is readable").path());
    let mut cases: Vec<PathBuf> = files.filter(|file| file.extension() == Some(OsStr::new(extension))).collect();
    cases.sort();
    cases
}

/// What is wrong with the compiler's answer to a case.
fn shortcoming(library: &Library, case: &Path) -> Option<String> {
    let source = fs::read_to_string(case).expect("a case that was listed is readable");
    let expected = annotations::read(&source);
    let reported = library.errors_in(case);
    let missing: Vec<&Expected> = expected.iter().filter(|expected| !is_among(expected, &reported)).collect();
    let name = case.display();
    if expected.is_empty() {
        Some(format!("{name} announces no error"))
    } else if missing.is_empty() {
        None
    } else {
        Some(format!("{name}: not reported: {missing:#?}\nreported: {reported:#?}"))
    }
}

fn is_among(expected: &Expected, reported: &[Reported]) -> bool {
    reported.iter().any(|error| error.lines.contains(&expected.line) && error.message.contains(&expected.text))
}

#[test]
fn a_message_counts_only_at_its_own_line() {
    let reported =
        [Reported { message: "unknown argument `isolaton`; did you mean `isolation`?".into(), lines: vec![5] }];
    let expected = |line, text: &str| Expected { line, text: text.into() };
    assert!(is_among(&expected(5, "unknown argument `isolaton`"), &reported));
    assert!(!is_among(&expected(6, "unknown argument `isolaton`"), &reported));
    assert!(!is_among(&expected(5, "unknown argument `acess`"), &reported));
}
