//! What compiles without a word under every lint, and is for its callers the function that was written, less its transaction.
//! No database is installed here: each call ends in `NoDatabase` before the body runs, naming the unit and its place.

#![deny(warnings, clippy::pedantic)]

mod attributes;
mod blocks;
mod errors;
mod generics;
mod lifetimes;
mod methods;
mod modes;
mod names;
mod options;
mod parameters;
mod results;
mod shadowed;

use unit_of_work::{Error, ErrorKind};

use crate::programs::{programs, source};

/// The unit ran as far as it can without a database.
fn assert_ran<T: std::fmt::Debug>(result: Result<T, Error>, unit: &str) {
    let error = result.expect_err("no database is installed");
    assert_eq!(error.kind(), ErrorKind::NoDatabase);
    let name = error.unit().expect("a unit's own failure names it");
    // Whether a generic function's name shows with what it was called is the runtime's affair.
    assert_eq!(name.split('<').next(), Some(unit));
}

#[test]
fn there_are_forty_cases_and_more() {
    let sources = programs("src/accepted", "rs");
    let tests = sources.iter().map(|file| source(file).lines().filter(|line| line.trim() == "#[test]").count());
    let cases = tests.sum::<usize>() + programs("editions", "rs").len();
    assert!(cases >= 40, "{cases} cases: a test in `accepted` is one, a program in `editions` is one");
}
